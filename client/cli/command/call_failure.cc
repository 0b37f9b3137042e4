#include "client/cli/command/call_failure.h"

#include <string>

#include "absl/strings/match.h"
#include "client/cc/dynamic_call.h"
#include "client/cli/command/call_advice.h"
#include "client/cli/exit_code.h"
#include "client/cli/verb.h"

namespace vigil::cli {

int TellFailure(const NounSpec& noun, const CommandSpec& command,
                const Connection& connection, const absl::Status& status) {
  const std::string what = connection.Explain(status);
  Fail(what);
  // Where nobody was reached, that is told with what to do already.
  const bool reached =
      absl::StartsWith(what, absl::StatusCodeToString(status.code()));
  const std::string advice =
      CallAdvice(noun, command, status, client::RetryDelayOf(status));
  if (reached && !advice.empty()) Fail(advice);
  return absl::IsNotFound(status) ? kExitNoSuchThing : kExitVigil;
}

}  // namespace vigil::cli
