// RunCommand: a generated command, from its words to its exit status. Main
// thread only; keeps nothing.
#ifndef VIGIL_CLIENT_CLI_COMMAND_COMMAND_H_
#define VIGIL_CLIENT_CLI_COMMAND_COMMAND_H_

#include <string>
#include <vector>

#include "client/cli/command/command_table.h"
#include "client/cli/environment.h"

namespace vigil::cli {

// `arguments` are the words behind the noun: a verb, unless the noun has one
// command only, then flags and what the command acts on. Help is printed where
// it is asked for. Returns the exit status.
int RunCommand(const NounSpec& noun, const std::vector<std::string>& arguments,
               const Environment& environment);

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_COMMAND_COMMAND_H_
