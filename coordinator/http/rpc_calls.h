// RpcCalls: calls of any method of a gRPC server by its name, in bytes. A
// thread of its own waits for gRPC; everything is told on the thread that
// `post` posts to, the *owner's thread*, which all methods are for. It owns the
// calls, until gRPC has given all their tags back.
#ifndef VIGIL_COORDINATOR_HTTP_RPC_CALLS_H_
#define VIGIL_COORDINATOR_HTTP_RPC_CALLS_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "coordinator/http/http_message.h"

namespace grpc {
class Channel;
}

namespace vigil::coordinator {

// What a call tells.
class RpcListener {
 public:
  virtual ~RpcListener() = default;
  // A message of the server's. The next comes when RpcCall::Next is called.
  virtual void OnMessage(std::string message) = 0;
  // The end, with the trailing metadata; nothing follows.
  virtual void OnEnd(absl::Status status, HttpFields trailing) = 0;
};

// A call that runs; destroying it cancels the call, and nothing is told then.
class RpcCall {
 public:
  virtual ~RpcCall() = default;
  // Asks for the next message, or the end. Once for each OnMessage.
  virtual void Next() = 0;
};

class RpcCalls {
 public:
  enum class Answers { kOne, kStream };
  struct Request {
    // "/vigil.v1.JobService/GetJob".
    std::string path;
    Answers answers = Answers::kOne;
    std::string message;
    HttpFields metadata;
    std::optional<absl::Duration> timeout;
  };

  static std::unique_ptr<RpcCalls> Create(
      std::shared_ptr<grpc::Channel> channel,
      std::function<void(std::function<void()>)> post);
  // There must be no call any more.
  virtual ~RpcCalls() = default;

  // Sends a call and asks for its first message. `listener` lives longer than
  // what is returned.
  virtual std::unique_ptr<RpcCall> Start(Request request,
                                         RpcListener* listener) = 0;

  // Calls `idle` as soon as gRPC has given back everything of all calls; no
  // other may be started. Once.
  virtual void WhenIdle(std::function<void()> idle) = 0;
};

}  // namespace vigil::coordinator

#endif  // VIGIL_COORDINATOR_HTTP_RPC_CALLS_H_
