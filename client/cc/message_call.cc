#include "client/cc/message_call.h"

#include <grpcpp/support/proto_buffer_reader.h>

#include <functional>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/cc/unary_call.h"

namespace vigil::client {
namespace {

using ::google::protobuf::Message;
using Wire = grpc::SerializationTraits<Message>;

}  // namespace

absl::StatusOr<grpc::ByteBuffer> Serialized(const Message& message) {
  grpc::ByteBuffer bytes;
  bool owned = false;
  const grpc::Status status = Wire::Serialize(message, &bytes, &owned);
  if (!status.ok()) return FromGrpc(status);
  return bytes;
}

absl::Status Parse(grpc::ByteBuffer* bytes, Message* message) {
  if (Wire::Deserialize(bytes, message).ok()) return absl::OkStatus();
  return absl::InternalError(
      absl::StrCat("the answer is no ", message->GetDescriptor()->full_name(),
                   "; coordinator and client may be of different versions"));
}

void StartMessageCall(Channel& channel, const std::string& path,
                      const Message& request, Message* response,
                      MessageCallDone done, const CallOptions& options) {
  using Unary = UnaryCall<grpc::ByteBuffer, grpc::ByteBuffer>;
  absl::StatusOr<grpc::ByteBuffer> sent = Serialized(request);
  if (!sent.ok()) {
    done(sent.status(), std::nullopt);
    return;
  }
  // What the last try's server said of when to come back.
  auto delay = std::make_shared<std::optional<absl::Duration>>();
  std::make_shared<Unary>(
      channel,
      [delay, path](Channel& on, grpc::ClientContext* context,
                    const grpc::ByteBuffer* bytes, grpc::ByteBuffer* answer,
                    std::function<void(grpc::Status)> finished) {
        on.methods().UnaryCall(context, path, {}, bytes, answer,
                               [delay, context, finished = std::move(finished)](
                                   grpc::Status status) {
                                 *delay = PushbackOf(*context);
                                 finished(std::move(status));
                               });
      },
      *std::move(sent),
      [delay, response,
       done = std::move(done)](absl::StatusOr<grpc::ByteBuffer> bytes) mutable {
        absl::Status status = bytes.status();
        if (status.ok()) status = Parse(&*bytes, response);
        done(status, *delay);
      },
      options)
      ->Start();
}

}  // namespace vigil::client
