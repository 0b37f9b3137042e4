// StreamCommand: a generated command whose method is a stream on one side or on
// both, run to its exit status: what comes is printed as it comes, what is sent
// is read from a file or stdin, one message a line. Main thread only; borrows
// what it is made of.
#ifndef VIGIL_CLIENT_CLI_COMMAND_STREAM_COMMAND_H_
#define VIGIL_CLIENT_CLI_COMMAND_STREAM_COMMAND_H_

#include <memory>
#include <optional>

#include "absl/status/status.h"
#include "client/cc/dynamic_call.h"
#include "client/cc/dynamic_stream.h"
#include "client/cli/command/command_flags.h"
#include "client/cli/command/command_output.h"
#include "client/cli/command/command_table.h"
#include "client/cli/command/line_source.h"
#include "client/cli/command/method_shape.h"
#include "client/cli/command/resume_point.h"
#include "client/cli/connection.h"
#include "client/cli/environment.h"

namespace vigil::cli {

class StreamCommand {
 public:
  // `first`, if it is not null, is sent first; then what `lines` have.
  StreamCommand(const NounSpec& noun, const CommandSpec& command,
                const MethodShape& shape, const CommandFlags::Values& flags,
                const Connection& connection, const Environment& environment,
                std::unique_ptr<google::protobuf::Message> first,
                std::optional<LineSource> lines);

  int Execute();

 private:
  using MessagePtr = client::DynamicCalls::MessagePtr;

  client::DynamicObserver Observer();
  void OnMessage(const MessagePtr& message);
  // Sends what is next, if there is something and it may be sent.
  void Send();
  // The status, told of the last line.
  absl::Status OfLine(const absl::Status& status) const;
  // Waits, up to the end of the stream, and takes what happened.
  void WaitOnce();
  // Ends the stream for a reason of our own.
  void Stop(absl::Status why);
  int Finish();

  const NounSpec& noun_;
  const CommandSpec& command_;
  const MethodShape& shape_;
  const CommandFlags::Values& flags_;
  const Connection& connection_;
  const Environment& environment_;
  std::unique_ptr<google::protobuf::Message> first_;
  std::optional<LineSource> lines_;
  CommandOutput output_;
  ResumePoint resume_;
  std::unique_ptr<client::DynamicCalls> calls_;
  std::optional<client::DynamicStream> stream_;
  // A message is on its way.
  bool writing_ = false;
  bool writes_done_ = false;
  bool print_failed_ = false;
  int signal_ = 0;
  // Why we ended it ourselves.
  absl::Status problem_;
  // How it ended.
  std::optional<absl::Status> end_;
};

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_COMMAND_STREAM_COMMAND_H_
