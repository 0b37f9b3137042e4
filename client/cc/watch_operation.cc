#include "client/cc/watch_operation.h"

#include <grpcpp/support/client_callback.h>

#include <type_traits>
#include <utility>

namespace vigil::client {
namespace {

bool IsFinal(const v1::Job& job) {
  return job.state() == v1::Job::STATE_SUCCEEDED ||
         job.state() == v1::Job::STATE_FAILED ||
         job.state() == v1::Job::STATE_CANCELLED;
}

}  // namespace

// One gRPC stream of either method.
template <typename Response>
class WatchOperation::StreamOf : public Stream,
                                 public grpc::ClientReadReactor<Response> {
 public:
  StreamOf(std::shared_ptr<WatchOperation> operation, v1::RunJobRequest run)
      : Stream(operation->channel_.NewContext()),
        operation_(std::move(operation)),
        run_(std::move(run)) {}
  StreamOf(std::shared_ptr<WatchOperation> operation, v1::WatchJobRequest watch)
      : Stream(operation->channel_.NewContext()),
        operation_(std::move(operation)),
        watch_(std::move(watch)) {}

  void Begin(Channel& channel) override {
    if constexpr (std::is_same_v<Response, v1::RunJobResponse>) {
      channel.jobs().async()->RunJob(&this->context(), &run_, this);
    } else {
      channel.jobs().async()->WatchJob(&this->context(), &watch_, this);
    }
    this->StartRead(&response_);
    this->StartCall();
  }

  void OnReadDone(bool ok) override {
    if (!ok) return;
    operation_->OnEvent(response_.event());
    this->StartRead(&response_);
  }

  void OnDone(const grpc::Status& status) override {
    // The operation may free this stream from here on, before it returns.
    const std::shared_ptr<WatchOperation> operation = std::move(operation_);
    operation->OnStreamDone(FromGrpc(status), PushbackOf(this->context()));
  }

 private:
  std::shared_ptr<WatchOperation> operation_;
  v1::RunJobRequest run_;
  v1::WatchJobRequest watch_;
  Response response_;
};

JobStream WatchOperation::Run(Channel& channel, v1::RunJobRequest request,
                              JobObserver observer) {
  v1::WatchJobRequest watch;
  watch.set_namespace_(request.job().namespace_());
  watch.set_take_over(true);
  auto operation = std::make_shared<WatchOperation>(
      channel, std::move(request), std::move(watch), std::move(observer));
  operation->Start();
  return JobStream(std::move(operation));
}

JobStream WatchOperation::Watch(Channel& channel, v1::WatchJobRequest request,
                                JobObserver observer) {
  auto operation = std::make_shared<WatchOperation>(
      channel, std::nullopt, std::move(request), std::move(observer));
  operation->Start();
  return JobStream(std::move(operation));
}

WatchOperation::WatchOperation(Channel& channel,
                               std::optional<v1::RunJobRequest> run,
                               v1::WatchJobRequest watch, JobObserver observer)
    : ResumableStream(
          channel, std::move(observer),
          {"the watching was abandoned",
           "the coordinator ended the stream before the job had ended"}),
      namespace_(watch.namespace_()),
      run_(std::move(run)),
      watch_(std::move(watch)) {
  absl::MutexLock lock(&mu_);
  id_ = watch_.job_id();
}

std::unique_ptr<WatchOperation::Stream> WatchOperation::NewStream() {
  auto self = std::static_pointer_cast<WatchOperation>(shared_from_this());
  if (run_.has_value()) {
    return std::make_unique<StreamOf<v1::RunJobResponse>>(std::move(self),
                                                          *run_);
  }
  return std::make_unique<StreamOf<v1::WatchJobResponse>>(std::move(self),
                                                          watch_);
}

void WatchOperation::OnEvent(const v1::WatchEvent& event) {
  backoff_.Reset();
  if (!event.cursor().empty()) watch_.set_cursor(event.cursor());
  if (event.has_job() && watch_.job_id().empty()) {
    // Accepted: from here on a broken stream is watched, not run again.
    watch_.set_job_id(event.job().job_id());
    run_.reset();
    absl::MutexLock lock(&mu_);
    Know(event.job().job_id());
  }
  switch (event.event_case()) {
    case v1::WatchEvent::kJob:
      if (IsFinal(event.job())) result_ = event.job();
      if (observer_.on_job) observer_.on_job(event.job());
      break;
    case v1::WatchEvent::kOutput:
      if (observer_.on_output) observer_.on_output(event.output());
      break;
    case v1::WatchEvent::kGap:
      if (observer_.on_gap) observer_.on_gap(event.gap());
      break;
    case v1::WatchEvent::kNotice:
      if (observer_.on_notice) observer_.on_notice(event.notice());
      break;
    case v1::WatchEvent::EVENT_NOT_SET:
      // Of a newer coordinator; its cursor counts.
      break;
  }
}

void WatchOperation::SendCancel() {
  v1::CancelJobRequest request;
  request.set_namespace_(namespace_);
  request.set_job_id(id_);
  SendCancelBy<v1::CancelJobRequest, v1::CancelJobResponse>(
      std::move(request),
      [](Channel& on, auto... call) { on.jobs().async()->CancelJob(call...); });
}

}  // namespace vigil::client
