#include "client/cli/command/usage.h"

#include "absl/strings/str_cat.h"

namespace vigil::cli {

std::string Usage(absl::string_view command,
                  const std::vector<UsageWord>& words) {
  const bool is_program = !words.empty() && words[0].is_repeated;
  std::string usage = absl::StrCat(command, is_program ? " [flags] [--]" : "");
  for (const UsageWord& word : words) {
    absl::StrAppend(&usage, " ", word.name, word.is_repeated ? "..." : "");
  }
  absl::StrAppend(&usage, is_program ? "" : " [flags]");
  return usage;
}

}  // namespace vigil::cli
