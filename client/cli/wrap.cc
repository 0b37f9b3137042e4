#include "client/cli/wrap.h"

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "client/cli/format.h"

namespace vigil::cli {
namespace {

// The lines of one paragraph or list item, word by word.
class Lines {
 public:
  Lines(size_t columns, std::string* text) : columns_(columns), text_(text) {}

  void Begin(size_t indent, size_t hanging) {
    End();
    line_.assign(indent, ' ');
    hanging_ = hanging;
    empty_ = true;
  }

  void Add(absl::string_view word) {
    if (!empty_ && CharactersOf(line_) + 1 + CharactersOf(word) > columns_) {
      absl::StrAppend(text_, line_, "\n");
      line_.assign(hanging_, ' ');
      empty_ = true;
    }
    absl::StrAppend(&line_, empty_ ? "" : " ", word);
    empty_ = false;
  }

  void End() {
    if (!empty_) absl::StrAppend(text_, line_, "\n");
    empty_ = true;
  }

 private:
  const size_t columns_;
  std::string* const text_;
  std::string line_;
  size_t hanging_ = 0;
  // Nothing but blanks is in line_.
  bool empty_ = true;
};

}  // namespace

std::string Wrap(absl::string_view text, size_t columns, size_t indent) {
  constexpr size_t kItemIndent = 2;
  std::string wrapped;
  Lines lines(columns, &wrapped);
  lines.Begin(indent, indent);
  bool parted = false;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    line = absl::StripAsciiWhitespace(line);
    if (line.empty()) {
      lines.End();
      parted = !wrapped.empty();
      continue;
    }
    if (absl::StartsWith(line, "- ")) {
      lines.Begin(indent, indent + kItemIndent);
      if (parted) wrapped += '\n';
    } else if (parted) {
      lines.Begin(indent, indent);
      wrapped += '\n';
    }
    parted = false;
    for (absl::string_view word :
         absl::StrSplit(line, ' ', absl::SkipEmpty())) {
      lines.Add(word);
    }
  }
  lines.End();
  return wrapped;
}

}  // namespace vigil::cli
