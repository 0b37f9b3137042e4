// UnaryCommand: a generated command whose method has one answer, or pages of
// them, run to its exit status. Main thread only; borrows what it is made of.
#ifndef VIGIL_CLIENT_CLI_COMMAND_UNARY_COMMAND_H_
#define VIGIL_CLIENT_CLI_COMMAND_UNARY_COMMAND_H_

#include <memory>

#include "absl/status/statusor.h"
#include "client/cc/dynamic_call.h"
#include "client/cli/command/command_flags.h"
#include "client/cli/command/command_output.h"
#include "client/cli/command/command_table.h"
#include "client/cli/command/method_shape.h"
#include "client/cli/connection.h"
#include "client/cli/environment.h"

namespace vigil::cli {

class UnaryCommand {
 public:
  UnaryCommand(const NounSpec& noun, const CommandSpec& command,
               const MethodShape& shape, const CommandFlags::Values& flags,
               const Connection& connection, const Environment& environment);

  // Makes the call, or one for each page that is wanted, and prints what comes.
  int Execute(std::unique_ptr<google::protobuf::Message> request);

 private:
  // Returns CANCELLED, with signal_ set, when the user gave it up.
  absl::StatusOr<client::DynamicCalls::MessagePtr> Call(
      const google::protobuf::Message& request);
  void SetPageSize(google::protobuf::Message* request);
  // Leaves out rows above the limit, and counts the others.
  void CountRows(google::protobuf::Message* response);
  bool Wanted() const { return !limit_.has_value() || rows_ < *limit_; }

  const NounSpec& noun_;
  const CommandSpec& command_;
  const MethodShape& shape_;
  const CommandFlags::Values& flags_;
  const Connection& connection_;
  const Environment& environment_;
  // As the command line has it, nullopt for what has no rows.
  const std::optional<int> limit_;
  CommandOutput output_;
  std::unique_ptr<client::DynamicCalls> calls_;
  int rows_ = 0;
  int signal_ = 0;
};

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_COMMAND_UNARY_COMMAND_H_
