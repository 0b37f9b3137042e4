// Checks the options of cli.proto that say how messages are shown: a path that
// names no field would otherwise be an empty column for ever. Pure functions,
// thread-safe; nothing is owned.
#ifndef VIGIL_CLIENT_CLI_GENERATOR_TABLES_H_
#define VIGIL_CLIENT_CLI_GENERATOR_TABLES_H_

#include <vector>

#include "client/cli/generator/problems.h"
#include "google/protobuf/descriptor.h"

namespace vigil::cli::generator {

// Adds to `problems` what is wrong with a (cli_table) of the messages in
// `files` and in all that they import.
void CheckTables(
    const std::vector<const google::protobuf::FileDescriptor*>& files,
    Problems* problems);

}  // namespace vigil::cli::generator

#endif  // VIGIL_CLIENT_CLI_GENERATOR_TABLES_H_
