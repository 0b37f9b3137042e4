// The C++ source of a command table (client/cli/command/command_table.h), all
// of it constants: a program that has it does nothing for it when it starts.
// Pure functions, thread-safe.
#ifndef VIGIL_CLIENT_CLI_GENERATOR_COMMANDS_SOURCE_H_
#define VIGIL_CLIENT_CLI_GENERATOR_COMMANDS_SOURCE_H_

#include <string>

#include "absl/strings/string_view.h"
#include "client/cli/generator/surface.h"

namespace vigil::cli::generator {

// The header that declares `const CommandTable& function()`. `stem` is the path
// of both files from the root of the repository, without their endings.
std::string CommandsHeader(absl::string_view stem, absl::string_view function);

// The file that defines it.
std::string CommandsSource(const Surface& surface, absl::string_view stem,
                           absl::string_view function);

}  // namespace vigil::cli::generator

#endif  // VIGIL_CLIENT_CLI_GENERATOR_COMMANDS_SOURCE_H_
