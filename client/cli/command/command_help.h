// What --help prints of nouns and generated commands. Pure functions,
// thread-safe.
#ifndef VIGIL_CLIENT_CLI_COMMAND_COMMAND_HELP_H_
#define VIGIL_CLIENT_CLI_COMMAND_COMMAND_HELP_H_

#include <cstddef>
#include <string>

#include "client/cli/command/command_table.h"
#include "client/cli/command/method_shape.h"
#include "client/cli/flags.h"

namespace vigil::cli {

// A line or more for each verb of the noun, with what it does.
std::string VerbList(const NounSpec& noun, size_t columns);

// Of `vigil NOUN --help`.
std::string NounHelp(const NounSpec& noun, size_t columns);

// Of `vigil NOUN VERB --help`; `flags` are all that it takes.
std::string CommandHelp(const NounSpec& noun, const CommandSpec& command,
                        const MethodShape& shape, const FlagSet& flags,
                        size_t columns);

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_COMMAND_COMMAND_HELP_H_
