#include "client/cli/generator/names.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace vigil::cli::generator {
namespace {

// A word begins at a capital behind something else, and at the last of several
// capitals when a small letter follows it.
bool BeginsWord(absl::string_view camel, size_t at) {
  if (at == 0 || !absl::ascii_isupper(camel[at])) {
    return false;
  }
  return !absl::ascii_isupper(camel[at - 1]) ||
         (at + 1 < camel.size() && absl::ascii_islower(camel[at + 1]));
}

std::string Plural(absl::string_view word) {
  if (absl::EndsWith(word, "y") && word.size() > 1 &&
      !absl::StrContains("aeiou", word.substr(word.size() - 2, 1))) {
    return absl::StrCat(word.substr(0, word.size() - 1), "ies");
  }
  for (absl::string_view hissing : {"s", "x", "z", "ch", "sh"}) {
    if (absl::EndsWith(word, hissing)) {
      return absl::StrCat(word, "es");
    }
  }
  return absl::StrCat(word, "s");
}

}  // namespace

std::vector<std::string> Words(absl::string_view camel) {
  std::vector<std::string> words;
  for (size_t i = 0; i < camel.size(); ++i) {
    if (words.empty() || BeginsWord(camel, i)) {
      words.emplace_back();
    }
    words.back().push_back(absl::ascii_tolower(camel[i]));
  }
  return words;
}

std::string NounName(absl::string_view service) {
  const absl::string_view stem = absl::StripSuffix(service, "Service");
  return absl::StrJoin(Words(stem.empty() ? service : stem), "-");
}

std::string VerbName(absl::string_view method, absl::string_view noun) {
  std::vector<std::string> words = Words(method);
  const std::vector<std::string> singular = absl::StrSplit(noun, '-');
  std::vector<std::string> plural = singular;
  plural.back() = Plural(plural.back());
  for (const std::vector<std::string>& wanted : {singular, plural}) {
    const auto found =
        std::search(words.begin(), words.end(), wanted.begin(), wanted.end());
    if (found != words.end()) {
      words.erase(found, found + wanted.size());
      break;
    }
  }
  return absl::StrJoin(words, "-");
}

bool IsCommandName(absl::string_view name) {
  for (absl::string_view word : absl::StrSplit(name, '-')) {
    if (word.empty() || !std::all_of(word.begin(), word.end(), [](char c) {
          return absl::ascii_islower(c) || absl::ascii_isdigit(c);
        })) {
      return false;
    }
  }
  return absl::ascii_islower(name[0]);
}

std::string FlagPart(absl::string_view field) {
  const absl::string_view stem = absl::StripSuffix(field, "_timeout");
  return std::string(stem.empty() ? field : stem);
}

std::string EnumPrefix(const google::protobuf::EnumDescriptor& type) {
  const std::string prefix = absl::AsciiStrToUpper(
      absl::StrCat(absl::StrJoin(Words(type.name()), "_"), "_"));
  for (int i = 0; i < type.value_count(); ++i) {
    const std::string& name = type.value(i)->name();
    if (!absl::StartsWith(name, prefix) || name.size() == prefix.size()) {
      return "";
    }
  }
  return prefix;
}

std::vector<std::string> EnumValues(
    const google::protobuf::EnumDescriptor& type) {
  const std::string prefix = EnumPrefix(type);
  std::vector<std::string> values;
  for (int i = 0; i < type.value_count(); ++i) {
    const google::protobuf::EnumValueDescriptor& value = *type.value(i);
    std::string name(absl::StripPrefix(value.name(), prefix));
    if (value.number() != 0 || !absl::EndsWith(name, "UNSPECIFIED")) {
      values.push_back(std::move(name));
    }
  }
  return values;
}

}  // namespace vigil::cli::generator
