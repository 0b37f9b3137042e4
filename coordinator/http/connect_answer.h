// ConnectAnswer: answers one request of the Connect protocol by an RPC: its
// message in, one message or a stream of them out, each read from gRPC when the
// client has taken the one before. HTTP thread only; owns the RPC, which is
// cancelled with it.
#ifndef VIGIL_COORDINATOR_HTTP_CONNECT_ANSWER_H_
#define VIGIL_COORDINATOR_HTTP_CONNECT_ANSWER_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include "coordinator/http/http_handler.h"
#include "coordinator/http/request_judge.h"
#include "coordinator/http/rpc_calls.h"

namespace vigil::coordinator {

class ConnectAnswer : public HttpAnswer, public RpcListener {
 public:
  // `calls` and `streams`, which counts the answers that are streams, live
  // longer than this.
  ConnectAnswer(ConnectRequest request, RpcCalls* calls, int* streams);
  ~ConnectAnswer() override;

  size_t body_bytes_max() const override;
  void Start(std::string body, HttpExchange* exchange) override;

  void OnMessage(std::string message) override;
  void OnEnd(absl::Status status, HttpFields trailing) override;

 private:
  bool is_stream() const { return request_.method->server_streaming(); }
  void RefuseTooLarge(size_t bytes);
  void Fail(const absl::Status& status, const HttpFields& trailing);

  ConnectRequest request_;
  RpcCalls* const calls_;
  int* const streams_;
  HttpExchange* exchange_ = nullptr;
  std::unique_ptr<RpcCall> call_;
  // The one message, until the RPC has ended.
  std::optional<std::string> message_;
  // What could not be told the client in its codec; the RPC is ended for it.
  bool failed_ = false;
};

}  // namespace vigil::coordinator

#endif  // VIGIL_COORDINATOR_HTTP_CONNECT_ANSWER_H_
