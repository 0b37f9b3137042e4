#include "client/cli/generator/markdown.h"

#include <algorithm>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "client/cli/generator/limits.h"

namespace vigil::cli::generator {
namespace {

bool IsWordAt(absl::string_view text, size_t at) {
  return at < text.size() && absl::ascii_isalnum(text[at]);
}

// Whether a line that begins with this word is a list or a heading.
bool IsMark(absl::string_view word) {
  if (word == "-" || word == "+" || word == "*" || word[0] == '#' ||
      word[0] == '>' || word[0] == '=') {
    return true;
  }
  return word.size() > 1 && (word.back() == '.' || word.back() == ')') &&
         std::all_of(word.begin(), word.end() - 1,
                     [](char c) { return absl::ascii_isdigit(c); });
}

// Whether a word belongs to the piece before it: it may not begin a line, or
// would part what is in backquotes.
bool GoesOn(absl::string_view piece, absl::string_view word) {
  const bool in_code = std::count(piece.begin(), piece.end(), '`') % 2 == 1;
  return IsMark(word) ||
         (in_code && piece.size() + 1 + word.size() <= kCodeLengthMax);
}

// The words of a paragraph, or more than one where they stay together.
std::vector<std::string> Pieces(absl::string_view paragraph) {
  std::vector<std::string> pieces;
  for (absl::string_view word :
       absl::StrSplit(paragraph, ' ', absl::SkipEmpty())) {
    if (!pieces.empty() && GoesOn(pieces.back(), word)) {
      absl::StrAppend(&pieces.back(), " ", word);
    } else {
      pieces.emplace_back(word);
    }
  }
  return pieces;
}

}  // namespace

std::string Escaped(absl::string_view text) {
  std::string escaped;
  bool in_code = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '`') {
      in_code = !in_code;
    } else if (!in_code) {
      const bool within_word =
          c == '_' && i > 0 && IsWordAt(text, i - 1) && IsWordAt(text, i + 1);
      if (absl::StrContains("\\*<[]", absl::string_view(&c, 1)) ||
          (c == '_' && !within_word)) {
        escaped.push_back('\\');
      }
    }
    escaped.push_back(c);
  }
  return escaped;
}

std::string Wrapped(absl::string_view paragraph, size_t indent) {
  const std::string margin(indent, ' ');
  std::string lines;
  std::string line;
  for (const std::string& piece : Pieces(paragraph)) {
    if (!line.empty() &&
        indent + line.size() + 1 + piece.size() > kReferenceColumns) {
      absl::StrAppend(&lines, margin, line, "\n");
      line.clear();
    }
    absl::StrAppend(&line, line.empty() ? "" : " ", piece);
  }
  if (!line.empty()) {
    absl::StrAppend(&lines, margin, line, "\n");
  }
  return lines;
}

std::string Block(absl::string_view comment, size_t indent) {
  std::string block;
  for (absl::string_view line : absl::StrSplit(comment, '\n')) {
    const bool item = absl::ConsumePrefix(&line, "- ");
    if (line.empty()) {
      block += block.empty() ? "" : "\n";
    } else if (item) {
      block += Item("", line, indent);
    } else {
      block += Wrapped(Escaped(line), indent);
    }
  }
  return block;
}

std::string Item(absl::string_view head, absl::string_view comment,
                 size_t indent) {
  const size_t end = std::min(comment.find('\n'), comment.size());
  std::string first = Escaped(comment.substr(0, end));
  if (!head.empty()) {
    first = first.empty() ? std::string(head) : absl::StrCat(head, ": ", first);
  }
  std::string item = Wrapped(first, indent + 2);
  if (item.empty()) {
    return item;
  }
  item[indent] = '-';
  const absl::string_view rest = comment.substr(end);
  absl::StrAppend(&item, absl::StartsWith(rest, "\n\n") ? "\n" : "",
                  Block(rest, indent + 2));
  return item;
}

std::string Anchor(absl::string_view heading) {
  std::string anchor;
  for (char c : heading) {
    if (c == ' ') {
      anchor.push_back('-');
    } else if (absl::ascii_isalnum(c) || c == '-' || c == '_') {
      anchor.push_back(absl::ascii_tolower(c));
    }
  }
  return anchor;
}

}  // namespace vigil::cli::generator
