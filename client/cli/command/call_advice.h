// CallAdvice: what to do about a call that failed, by what the protos say of
// its errors. A pure function, thread-safe.
#ifndef VIGIL_CLIENT_CLI_COMMAND_CALL_ADVICE_H_
#define VIGIL_CLIENT_CLI_COMMAND_CALL_ADVICE_H_

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "client/cli/command/command_table.h"

namespace vigil::cli {

// One line, empty if nothing is known: what the method's comment, or the
// service's, says of this code; the flag of the field that the message names;
// the command that lists what there is; when to come back (`retry_delay`, as
// the server said).
std::string CallAdvice(const NounSpec& noun, const CommandSpec& command,
                       const absl::Status& status,
                       std::optional<absl::Duration> retry_delay);

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_COMMAND_CALL_ADVICE_H_
