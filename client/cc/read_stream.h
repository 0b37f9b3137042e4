// ReadStream: one gRPC stream of the events that answer one request, of an
// operation that opens another when it breaks. Runs on gRPC's threads; freed by
// its operation, which it keeps until its last callback. `Operation` is a
// ResumableStream with OnEvent. Internal to the library, as are the gRPC
// headers it brings.
#ifndef VIGIL_CLIENT_CC_READ_STREAM_H_
#define VIGIL_CLIENT_CC_READ_STREAM_H_

#include <grpcpp/support/client_callback.h>

#include <memory>
#include <utility>

#include "client/cc/channel.h"

namespace vigil::client {

template <typename Operation, typename Request, typename Response>
class ReadStream : public Operation::Stream,
                   public grpc::ClientReadReactor<Response> {
 public:
  // Binds the stream to its method.
  using Method = void (*)(Channel& channel, grpc::ClientContext* context,
                          const Request* request,
                          grpc::ClientReadReactor<Response>* reactor);

  ReadStream(std::shared_ptr<Operation> operation, Method method,
             Request request)
      : Operation::Stream(operation->NewContext()),
        operation_(std::move(operation)),
        method_(method),
        request_(std::move(request)) {}

  void Begin(Channel& channel) override {
    method_(channel, &this->context(), &request_, this);
    // Reads may be started by others than gRPC's callbacks, so that the call
    // must not end before one has failed.
    this->AddHold();
    this->StartRead(&response_);
    this->StartCall();
  }

  void Read() override { this->StartRead(&response_); }

  void OnReadDone(bool ok) override {
    if (!ok) {
      this->RemoveHold();
      return;
    }
    operation_->OnEvent(response_.event());
    if (operation_->ReadsOn()) Read();
  }

  void OnDone(const grpc::Status& status) override {
    // The operation may free this stream from here on, before it returns.
    const std::shared_ptr<Operation> operation = std::move(operation_);
    operation->OnStreamDone(FromGrpc(status), PushbackOf(this->context()));
  }

 private:
  std::shared_ptr<Operation> operation_;
  const Method method_;
  const Request request_;
  Response response_;
};

}  // namespace vigil::client

#endif  // VIGIL_CLIENT_CC_READ_STREAM_H_
