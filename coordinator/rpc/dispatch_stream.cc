#include "coordinator/rpc/dispatch_stream.h"

#include <grpcpp/support/async_stream.h>

#include <deque>
#include <optional>
#include <utility>

#include "coordinator/rpc/worker_messages.h"

namespace vigil::coordinator {
namespace {

class DispatchStream : public WorkerLink {
 public:
  DispatchStream(Services* services, Loop* loop)
      : services_(services),
        messages(&services->local_attach, services->engine, this),
        rpc(&context),
        signal(loop->ready()),
        finished(loop->ready()),
        done(&signal) {}

  void Deliver(v1::AttachResponse message) override {
    backlog_bytes_ += static_cast<int64_t>(message.ByteSizeLong());
    outgoing_.push_back(std::move(message));
    signal.Notify();
  }
  int64_t backlog_bytes() const override { return backlog_bytes_; }

  void Close(absl::Status status) override {
    if (!close_status_.has_value()) close_status_ = std::move(status);
    signal.Notify();
  }

  // Writes until the stream is closed, then finishes it.
  Detached WriteAll();

 private:
  Services* const services_;

 public:
  // What the worker says.
  WorkerMessages messages;
  grpc::ServerContext context;
  grpc::ServerAsyncReaderWriter<v1::AttachResponse, v1::AttachRequest> rpc;
  Operation reading;
  // Something to write, or to end for.
  Signal signal;
  // Finish has come back.
  Signal finished;
  Done done;

 private:
  std::optional<absl::Status> close_status_;
  std::deque<v1::AttachResponse> outgoing_;
  // Of those, and of the one that is being written.
  int64_t backlog_bytes_ = 0;
  Operation writing_;
};

Detached DispatchStream::WriteAll() {
  for (;;) {
    if (services_->stopping && !close_status_.has_value()) {
      close_status_ = absl::UnavailableError("the coordinator is stopping");
    }
    const bool abandon = done.done();
    if (!outgoing_.empty() && !abandon) {
      int64_t bytes = 0;
      {
        const v1::AttachResponse message = std::move(outgoing_.front());
        outgoing_.pop_front();
        bytes = static_cast<int64_t>(message.ByteSizeLong());
        rpc.Write(message, writing_.tag());
      }
      const bool ok = co_await writing_;
      backlog_bytes_ -= bytes;
      if (!ok && !close_status_.has_value()) {
        close_status_ = absl::UnavailableError("the stream broke");
      }
      continue;
    }
    if (close_status_.has_value() || abandon) break;
    co_await signal;
  }
  const absl::Status status =
      close_status_.value_or(absl::CancelledError("the worker is gone"));
  rpc.Finish(ToGrpc(status), writing_.tag());
  co_await writing_;
  finished.Notify();
}

}  // namespace

Detached ServeDispatch(Services* services, Loop* loop, LiveStreams* live,
                       v1::DispatchService::AsyncService* service) {
  DispatchStream stream(services, loop);
  stream.context.AsyncNotifyWhenDone(stream.done.tag());
  service->RequestAttach(&stream.context, &stream.rpc, loop->queue(),
                         loop->queue(), stream.reading.tag());
  const bool accepted = co_await stream.reading;
  if (!accepted) co_return;
  if (!services->stopping) ServeDispatch(services, loop, live, service);
  live->Add(&stream.signal, &stream.context);
  v1::AttachRequest request;
  stream.WriteAll();
  for (;;) {
    stream.rpc.Read(&request, stream.reading.tag());
    const bool ok = co_await stream.reading;
    if (!ok) break;
    absl::Status status = stream.messages.Take(request);
    if (!status.ok()) stream.Close(std::move(status));
  }
  stream.messages.Detach();
  stream.Close(absl::OkStatus());
  co_await stream.finished;
  co_await stream.done;
  live->Remove(&stream.signal, &stream.context);
}

}  // namespace vigil::coordinator
