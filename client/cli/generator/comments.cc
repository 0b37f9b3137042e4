#include "client/cli/generator/comments.h"

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace vigil::cli::generator {

std::string CommentText(absl::string_view comment) {
  std::string text;
  bool in_item = false;
  bool begins = true;
  for (absl::string_view line : absl::StrSplit(comment, '\n')) {
    const absl::string_view words = absl::StripAsciiWhitespace(line);
    if (words.empty()) {
      begins = true;
      continue;
    }
    // The marks are followed by one blank; more of them go on with an item.
    const bool indented = absl::StartsWith(line, "  ");
    const bool item = absl::StartsWith(words, "- ");
    const bool leaves_item = in_item && !item && !indented;
    if (text.empty()) {
      // Nothing goes before it.
    } else if (item && !(begins && !in_item)) {
      text += "\n";
    } else if (begins || leaves_item) {
      text += "\n\n";
    } else {
      text += " ";
    }
    absl::StrAppend(&text, words);
    in_item = item || (in_item && !leaves_item);
    begins = false;
  }
  return text;
}

std::string FirstSentence(absl::string_view text) {
  const absl::string_view paragraph = text.substr(0, text.find('\n'));
  for (size_t dot = paragraph.find(". "); dot != absl::string_view::npos;
       dot = paragraph.find(". ", dot + 1)) {
    // "e.g. so" goes on.
    if (dot + 2 < paragraph.size() &&
        !absl::ascii_islower(paragraph[dot + 2])) {
      return std::string(paragraph.substr(0, dot + 1));
    }
  }
  return std::string(paragraph);
}

}  // namespace vigil::cli::generator
