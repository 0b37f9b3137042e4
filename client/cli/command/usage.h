// Usage: the line that says how a command is typed, for its help and for the
// reference of commands. A pure function, thread-safe; nothing is owned.
#ifndef VIGIL_CLIENT_CLI_COMMAND_USAGE_H_
#define VIGIL_CLIENT_CLI_COMMAND_USAGE_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace vigil::cli {

// What stands for a word that is no flag: "JOB_ID".
struct UsageWord {
  std::string name;
  bool is_repeated;
};

// "vigil job get JOB_ID [flags]" of "vigil job get". Words that begin with any
// number of them are a program with its own flags, which stand last.
std::string Usage(absl::string_view command,
                  const std::vector<UsageWord>& words);

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_COMMAND_USAGE_H_
