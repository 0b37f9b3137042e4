#include "client/cli/open_word.h"

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"

namespace vigil::cli {
namespace {

bool IsFlag(absl::string_view word) {
  return absl::StartsWith(word, "-") && word.size() > 1;
}

// The flag that this word, which is one, leaves without its value; null: none.
const Flag* FlagWithoutValue(const FlagSet& flags, absl::string_view word) {
  if (word.find('=') != absl::string_view::npos) return nullptr;
  const Flag* flag = nullptr;
  if (absl::StartsWith(word, "--")) {
    flag = flags.FindName(word.substr(2));
  } else {
    // Letters may stand together; the first that takes a value has the rest.
    for (size_t i = 1; i < word.size(); ++i) {
      flag = flags.FindLetter(word[i]);
      if (flag == nullptr) return nullptr;
      if (!flag->value.empty() && i + 1 < word.size()) return nullptr;
    }
  }
  return flag == nullptr || flag->value.empty() ? nullptr : flag;
}

}  // namespace

OpenWord FindOpenWord(const FlagSet& flags,
                      const std::vector<std::string>& words) {
  OpenWord open;
  // Whether only words follow that are no flags.
  bool flags_ended = false;
  for (size_t i = 0; i + 1 < words.size(); ++i) {
    const std::string& word = words[i];
    if (flags_ended || !IsFlag(word)) {
      open.words.push_back(word);
      flags_ended =
          flags_ended || flags.positionals() == FlagSet::Positionals::kEndFlags;
    } else if (word == "--") {
      flags_ended = true;
    } else if (const Flag* flag = FlagWithoutValue(flags, word)) {
      if (i + 2 == words.size()) {
        open.kind = OpenWord::Kind::kValue;
        open.flag = flag;
      }
      ++i;
    }
  }
  const std::string& last = words.back();
  open.typed = last;
  if (open.kind == OpenWord::Kind::kValue) return open;
  if (flags_ended || !absl::StartsWith(last, "-")) return open;
  open.kind = OpenWord::Kind::kFlag;
  const size_t equals = last.find('=');
  if (!absl::StartsWith(last, "--") || equals == std::string::npos) return open;
  open.flag = flags.FindName(absl::string_view(last).substr(2, equals - 2));
  open.kind =
      open.flag == nullptr ? OpenWord::Kind::kUnknown : OpenWord::Kind::kValue;
  open.before = last.substr(0, equals + 1);
  open.typed = last.substr(equals + 1);
  return open;
}

}  // namespace vigil::cli
