// TellFailure: an error of a call on stderr, with what to do about it. Main
// thread only; keeps nothing.
#ifndef VIGIL_CLIENT_CLI_COMMAND_CALL_FAILURE_H_
#define VIGIL_CLIENT_CLI_COMMAND_CALL_FAILURE_H_

#include "absl/status/status.h"
#include "client/cli/command/command_table.h"
#include "client/cli/connection.h"

namespace vigil::cli {

// Tells it, and returns the exit status.
int TellFailure(const NounSpec& noun, const CommandSpec& command,
                const Connection& connection, const absl::Status& status);

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_COMMAND_CALL_FAILURE_H_
