#include "client/cli/flags.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "client/cli/nearest.h"
#include "client/cli/wrap.h"

namespace vigil::cli {
namespace {

constexpr size_t kHelpColumn = 30;

std::string Normalized(absl::string_view name) {
  return absl::StrReplaceAll(name, {{"-", "_"}});
}

absl::Status Set(const Flag& flag, absl::string_view value) {
  absl::Status status = flag.set(value);
  if (status.ok()) return status;
  return absl::InvalidArgumentError(
      absl::StrCat("--", flag.name, ": ", status.message()));
}

absl::Status ValueMissing(const Flag& flag) {
  return absl::InvalidArgumentError(absl::StrCat(
      "--", flag.name, " needs a value: --", flag.name, "=", flag.value));
}

}  // namespace

const Flag* FlagSet::FindName(absl::string_view name) const {
  const std::string wanted = Normalized(name);
  for (const Flag& flag : flags_) {
    if (flag.name == wanted) return &flag;
  }
  return nullptr;
}

const Flag* FlagSet::FindLetter(char letter) const {
  for (const Flag& flag : flags_) {
    if (flag.letter != 0 && flag.letter == letter) return &flag;
  }
  return nullptr;
}

absl::Status FlagSet::UnknownFlag(absl::string_view word,
                                  absl::string_view name) const {
  std::vector<std::string> names;
  for (const Flag& flag : flags_) names.push_back(flag.name);
  const std::string nearest = Nearest(Normalized(name), names);
  return absl::InvalidArgumentError(absl::StrCat(
      "unknown flag `", word, "`",
      nearest.empty() ? "" : absl::StrCat("; did you mean --", nearest, "?")));
}

absl::Status FlagSet::ParseLong(const std::vector<std::string>& arguments,
                                size_t* index) const {
  const absl::string_view word = arguments[*index];
  const size_t equals = word.find('=');
  const absl::string_view name = word.substr(2, equals - 2);
  const Flag* flag = FindName(name);
  if (flag == nullptr) return UnknownFlag(word.substr(0, equals), name);
  if (equals != absl::string_view::npos) {
    return Set(*flag, word.substr(equals + 1));
  }
  if (flag->value.empty()) return Set(*flag, "true");
  if (*index + 1 >= arguments.size()) return ValueMissing(*flag);
  return Set(*flag, arguments[++*index]);
}

absl::Status FlagSet::ParseShort(const std::vector<std::string>& arguments,
                                 size_t* index) const {
  absl::string_view word = arguments[*index];
  word.remove_prefix(1);
  while (!word.empty()) {
    const Flag* flag = FindLetter(word[0]);
    if (flag == nullptr) {
      return UnknownFlag(absl::StrCat("-", word.substr(0, 1)), word);
    }
    word.remove_prefix(1);
    if (flag->value.empty()) {
      if (absl::Status status = Set(*flag, "true"); !status.ok()) return status;
      continue;
    }
    if (!word.empty()) return Set(*flag, word);
    if (*index + 1 >= arguments.size()) return ValueMissing(*flag);
    return Set(*flag, arguments[++*index]);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::string>> FlagSet::Parse(
    const std::vector<std::string>& arguments) const {
  std::vector<std::string> words;
  size_t i = 0;
  for (; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    if (argument == "--") {
      ++i;
      break;
    }
    absl::Status status;
    if (absl::StartsWith(argument, "--")) {
      status = ParseLong(arguments, &i);
    } else if (absl::StartsWith(argument, "-") && argument.size() > 1) {
      status = ParseShort(arguments, &i);
    } else if (positionals_ == Positionals::kEndFlags) {
      break;
    } else {
      words.push_back(argument);
    }
    if (!status.ok()) return status;
  }
  words.insert(words.end(), arguments.begin() + std::min(i, arguments.size()),
               arguments.end());
  return words;
}

std::string FlagSet::Describe(size_t columns) const {
  std::string text;
  for (const Flag& flag : flags_) {
    if (!flag.heading.empty()) {
      absl::StrAppend(&text, text.empty() ? "" : "\n", flag.heading, ":\n");
    }
    std::string name = "  ";
    if (flag.letter != 0) {
      absl::StrAppend(&name, "-", std::string(1, flag.letter), ", ");
    }
    absl::StrAppend(&name, "--", flag.name);
    if (!flag.value.empty()) absl::StrAppend(&name, "=", flag.value);
    std::string help = Wrap(flag.help, columns, kHelpColumn);
    // The name stands before the first line, if there is room.
    if (!help.empty() && name.size() + 2 <= kHelpColumn) {
      help.replace(0, name.size(), name);
      absl::StrAppend(&text, help);
    } else {
      absl::StrAppend(&text, name, "\n", help);
    }
  }
  return text;
}

}  // namespace vigil::cli
