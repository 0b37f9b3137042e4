// The bodies of gRPC calls as coroutines: each accepts a call, lets the next
// one be accepted, runs its handler and finishes. Loop thread only; a call's
// frame owns everything of it until gRPC has given all its tags back.
#ifndef VIGIL_COORDINATOR_RPC_CALLS_H_
#define VIGIL_COORDINATOR_RPC_CALLS_H_

#include <grpcpp/impl/codegen/proto_utils.h>
#include <grpcpp/server_context.h>
#include <grpcpp/support/async_stream.h>
#include <grpcpp/support/async_unary_call.h>

#include <functional>
#include <set>
#include <string>

#include "absl/status/status.h"
#include "coordinator/rpc/call_context.h"
#include "coordinator/rpc/loop.h"
#include "coordinator/rpc/signal.h"
#include "coordinator/rpc/task.h"

namespace vigil::coordinator {

inline grpc::Status ToGrpc(const absl::Status& status) {
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()),
                      std::string(status.message()));
}

// Streams that are open, so that they can be ended.
class LiveStreams {
 public:
  // Tells every stream to end itself.
  void StopAll() {
    const std::set<Signal*> signals = signals_;
    for (Signal* signal : signals) {
      if (signals_.contains(signal)) signal->Notify();
    }
  }
  void CancelAll() {
    for (grpc::ServerContext* context : contexts_) context->TryCancel();
  }
  void Add(Signal* signal, grpc::ServerContext* context) {
    signals_.insert(signal);
    contexts_.insert(context);
  }
  void Remove(Signal* signal, grpc::ServerContext* context) {
    signals_.erase(signal);
    contexts_.erase(context);
  }
  bool empty() const { return contexts_.empty(); }

 private:
  std::set<Signal*> signals_;
  std::set<grpc::ServerContext*> contexts_;
};

// Serves one method that answers once. `Declarer` is the base of the generated
// service that declares it. `Handler` is a coroutine
// Task<absl::Status>(Services*, CallContext*, const Request&, Response*).
template <typename Request, typename Response, typename Service,
          typename Declarer, typename Handler>
Detached ServeUnary(
    Services* services, Loop* loop, Service* service,
    void (Declarer::*accept)(grpc::ServerContext*, Request*,
                             grpc::ServerAsyncResponseWriter<Response>*,
                             grpc::CompletionQueue*,
                             grpc::ServerCompletionQueue*, void*),
    Handler handler) {
  grpc::ServerContext context;
  Request request;
  grpc::ServerAsyncResponseWriter<Response> writer(&context);
  Operation operation;
  (service->*accept)(&context, &request, &writer, loop->queue(), loop->queue(),
                     operation.tag());
  const bool accepted = co_await operation;
  if (!accepted) co_return;
  if (!services->stopping) {
    ServeUnary<Request, Response>(services, loop, service, accept, handler);
  }
  Response response;
  CallContext call(&context);
  Task<absl::Status> task = handler(services, &call, request, &response);
  const absl::Status status = co_await task;
  if (status.ok()) {
    writer.Finish(response, grpc::Status::OK, operation.tag());
  } else {
    writer.FinishWithError(ToGrpc(status), operation.tag());
  }
  co_await operation;
}

// The done tag of a stream: the client is gone, or the call has ended.
class Done : public Completion {
 public:
  explicit Done(Signal* signal) : signal_(signal) {}
  Done(const Done&) = delete;
  Done& operator=(const Done&) = delete;
  void* tag() { return static_cast<Completion*>(this); }
  void Complete(bool) override {
    done_ = true;
    if (waiter_) {
      std::exchange(waiter_, nullptr).resume();
    } else {
      signal_->Notify();
    }
  }
  bool done() const { return done_; }

  bool await_ready() const { return done_; }
  void await_suspend(std::coroutine_handle<> waiter) { waiter_ = waiter; }
  void await_resume() {}

 private:
  Signal* const signal_;
  bool done_ = false;
  std::coroutine_handle<> waiter_;
};

// What the handler of a server stream writes to.
template <typename Response>
class ResponseStream {
 public:
  ResponseStream(Loop* loop, grpc::ServerContext* context,
                 grpc::ServerAsyncWriter<Response>* writer)
      : context(context),
        writer_(writer),
        signal_(loop->ready()),
        done_(&signal_) {}

  // Notified when the client is gone, when the coordinator stops, and by
  // whoever has something for the handler to do.
  Signal& signal() { return signal_; }
  bool client_gone() const { return done_.done(); }
  Done& done() { return done_; }
  // Ends the call as if the client had: what gRPC holds of it is freed.
  std::function<void()> cut() {
    return [context = context] { context->TryCancel(); };
  }

  // False: the client is gone; nothing more can be written.
  Task<bool> Write(const Response& response) {
    if (client_gone()) co_return false;
    writer_->Write(response, operation_.tag());
    const bool ok = co_await operation_;
    co_return ok;
  }
  // The same; clears `response` at once, so that it is not there twice while
  // its reader takes nothing.
  Task<bool> WriteAndClear(Response* response) {
    if (client_gone()) co_return false;
    writer_->Write(*response, operation_.tag());  // serializes it
    Response().Swap(response);
    const bool ok = co_await operation_;
    co_return ok;
  }

  grpc::ServerContext* const context;

 private:
  grpc::ServerAsyncWriter<Response>* const writer_;
  Signal signal_;
  Done done_;
  Operation operation_;
};

// Serves one method that answers with a stream. `Handler` is a coroutine
// Task<absl::Status>(Services*, CallContext*, const Request&,
//                    ResponseStream<Response>*).
template <typename Request, typename Response, typename Service,
          typename Declarer, typename Handler>
Detached ServeStream(
    Services* services, Loop* loop, LiveStreams* live, Service* service,
    void (Declarer::*accept)(grpc::ServerContext*, Request*,
                             grpc::ServerAsyncWriter<Response>*,
                             grpc::CompletionQueue*,
                             grpc::ServerCompletionQueue*, void*),
    Handler handler) {
  grpc::ServerContext context;
  Request request;
  grpc::ServerAsyncWriter<Response> writer(&context);
  ResponseStream<Response> stream(loop, &context, &writer);
  Operation operation;
  context.AsyncNotifyWhenDone(stream.done().tag());
  (service->*accept)(&context, &request, &writer, loop->queue(), loop->queue(),
                     operation.tag());
  const bool accepted = co_await operation;
  // Not matched: the done tag never comes.
  if (!accepted) co_return;
  if (!services->stopping) {
    ServeStream<Request, Response>(services, loop, live, service, accept,
                                   handler);
  }
  live->Add(&stream.signal(), &context);
  CallContext call(&context);
  Task<absl::Status> task = handler(services, &call, request, &stream);
  const absl::Status status = co_await task;
  writer.Finish(ToGrpc(status), operation.tag());
  co_await operation;
  Done& done = stream.done();
  co_await done;
  live->Remove(&stream.signal(), &context);
}

}  // namespace vigil::coordinator

#endif  // VIGIL_COORDINATOR_RPC_CALLS_H_
