// Complete: what may stand at the end of a command line of generated commands.
// A pure function, thread-safe; it asks nobody.
#ifndef VIGIL_CLIENT_CLI_COMMAND_COMPLETE_H_
#define VIGIL_CLIENT_CLI_COMMAND_COMPLETE_H_

#include <string>
#include <vector>

#include "client/cli/command/command_table.h"

namespace vigil::cli {

struct Candidate {
  // In place of the last word.
  std::string word;
  // A sentence, or empty.
  std::string help;
};

// The candidates for the last of `words`, which may be empty or half typed; the
// first is the one behind `vigil`. Nouns, verbs, flags of the command with
// "=" where a value follows, and values of enums, of switches and of --output,
// also of a list with commas. Nothing where a value is free, or in the words of
// a program.
std::vector<Candidate> Complete(const CommandTable& table,
                                const std::vector<std::string>& words);

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_COMMAND_COMPLETE_H_
