// BuildRequest: the request of a generated command from the words of its
// command line. Pure functions but for what ValueSources reads, thread-safe.
#ifndef VIGIL_CLIENT_CLI_COMMAND_REQUEST_BUILDER_H_
#define VIGIL_CLIENT_CLI_COMMAND_REQUEST_BUILDER_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "client/cli/command/command_table.h"
#include "client/cli/command/field_value.h"
#include "google/protobuf/message.h"

namespace vigil::cli {

// What the command line says of the request.
struct RequestWords {
  struct Given {
    const FlagSpec* flag;
    std::string value;
  };
  // In their order.
  std::vector<Given> flags;
  // The words that are no flags.
  std::vector<std::string> positionals;
  // The whole request as JSON or textproto.
  std::optional<std::string> whole;

  bool empty() const {
    return flags.empty() && positionals.empty() && !whole.has_value();
  }
};

// Whether a word must be there for each positional of the command, unless the
// request has the field otherwise; repeated ones may always be empty.
enum class Demand { kPositionals, kNothing };

// Fills `request`, which is empty. What flags and words say wins over the whole
// one; lists and maps that they name are replaced, not added to.
//
// - INVALID_ARGUMENT: a value is none, a flag that takes one value is given
//   twice, two fields exclude each other, a word is missing or too much. The
//   message names the flags.
// - Others: as `sources.read`.
absl::Status BuildRequest(const CommandSpec& command, const RequestWords& words,
                          Demand demand, const ValueSources& sources,
                          google::protobuf::Message* request);

// Sets every field called `namespace` that is empty: the one that the command
// has a flag for, and those of messages that the request has.
void FillNamespace(const CommandSpec& command, const std::string& name,
                   google::protobuf::Message* request);

// What stands for a positional in usage: "JOB_ID" for "job_id".
std::string PositionalName(absl::string_view path);

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_COMMAND_REQUEST_BUILDER_H_
