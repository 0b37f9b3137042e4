// DynamicCalls: a client for methods that a program knows by name only, with
// messages whose types it learns at run time; everybody else wants Client.
// Thread-safe; callbacks come on the library's threads and must not block for
// long. Owns its connection and every call in flight: its destructor ends them
// all, waits for their callbacks, and so must not run inside one.
#ifndef VIGIL_CLIENT_CC_DYNAMIC_CALL_H_
#define VIGIL_CLIENT_CC_DYNAMIC_CALL_H_

#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/cc/call_options.h"
#include "client/cc/dynamic_stream.h"
#include "google/protobuf/message.h"

namespace vigil::client {

class Channel;

class DynamicCalls {
 public:
  using MessagePtr = std::shared_ptr<google::protobuf::Message>;

  // As Client::Connect, and tasks are told apart as there.
  static absl::StatusOr<std::unique_ptr<DynamicCalls>> Connect(
      const std::string& address, const ClientOptions& options = {});

  DynamicCalls(const DynamicCalls&) = delete;
  DynamicCalls& operator=(const DynamicCalls&) = delete;
  ~DynamicCalls();

  // Makes a unary call of `method`, such as "/vigil.v1.JobService/GetJob". The
  // answer is read into `response`, an empty message of the method's type,
  // which is then handed to `callback`. options.retry_for is the caller's word
  // that the call is safe to repeat.
  //
  // - INTERNAL: what came is no such message.
  // - Others: as the method's; RetryDelayOf() says when to try again.
  void Call(const std::string& method, const google::protobuf::Message& request,
            MessagePtr response, Callback<MessagePtr> callback,
            CallOptions options = {});

  // Opens a stream of `method`, whatever sides of it are streams: where the
  // client's is not, one Write and WritesDone follow. What comes is read into
  // messages of the type of `prototype`. `timeout` bounds the whole stream.
  DynamicStream Open(const std::string& method,
                     const google::protobuf::Message& prototype,
                     DynamicObserver observer,
                     absl::Duration timeout = absl::InfiniteDuration());

 private:
  explicit DynamicCalls(std::unique_ptr<Channel> channel);

  std::unique_ptr<Channel> channel_;
};

// When the server that refused a call asks to be called again; negative: never;
// nullopt: it did not say.
std::optional<absl::Duration> RetryDelayOf(const absl::Status& status);

}  // namespace vigil::client

#endif  // VIGIL_CLIENT_CC_DYNAMIC_CALL_H_
