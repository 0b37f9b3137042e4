// Calls by their path, with messages of any type: how these are written and
// read, and the unary ones. Thread-safe; borrows the channel and the response
// until a call is over. Internal to the library, as are the gRPC headers it
// brings.
#ifndef VIGIL_CLIENT_CC_MESSAGE_CALL_H_
#define VIGIL_CLIENT_CC_MESSAGE_CALL_H_

#include <grpcpp/support/byte_buffer.h>

#include <optional>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/cc/call_options.h"
#include "client/cc/channel.h"
#include "google/protobuf/message.h"

namespace vigil::client {

// INTERNAL: the message is longer than 2 GiB.
absl::StatusOr<grpc::ByteBuffer> Serialized(
    const google::protobuf::Message& message);

// Reads `bytes` into `message`. INTERNAL: it is no such message.
absl::Status Parse(grpc::ByteBuffer* bytes, google::protobuf::Message* message);

// How a call ended, and when the server asks to be called again, if it does.
using MessageCallDone = absl::AnyInvocable<void(
    const absl::Status& status, std::optional<absl::Duration> delay)>;

// Begins a call of `path`, such as "/vigil.v1.JobService/GetJob"; `request` is
// of no use after that. Fills `response` and then calls `done`, once: on a
// thread of the library, or at once if the client is going away.
void StartMessageCall(Channel& channel, const std::string& path,
                      const google::protobuf::Message& request,
                      google::protobuf::Message* response, MessageCallDone done,
                      const CallOptions& options);

}  // namespace vigil::client

#endif  // VIGIL_CLIENT_CC_MESSAGE_CALL_H_
