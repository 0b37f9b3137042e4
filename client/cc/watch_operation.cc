#include "client/cc/watch_operation.h"

#include <grpcpp/support/client_callback.h>

#include <type_traits>
#include <utility>

#include "client/cc/random_id.h"
#include "client/cc/unary_call.h"

namespace vigil::client {
namespace {

bool IsFinal(const v1::Job& job) {
  return job.state() == v1::Job::STATE_SUCCEEDED ||
         job.state() == v1::Job::STATE_FAILED ||
         job.state() == v1::Job::STATE_CANCELLED;
}

}  // namespace

// One gRPC stream of either method. Freed by the operation when a later one
// has taken its place, or with it.
class WatchOperation::Stream {
 public:
  explicit Stream(std::unique_ptr<grpc::ClientContext> context)
      : context_(std::move(context)) {}
  virtual ~Stream() = default;
  virtual void Begin(Channel& channel) = 0;
  grpc::ClientContext& context() { return *context_; }

 private:
  const std::unique_ptr<grpc::ClientContext> context_;
};

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
    : channel_(channel),
      namespace_(watch.namespace_()),
      run_(std::move(run)),
      watch_(std::move(watch)),
      observer_(std::move(observer)),
      backoff_(channel_.options().backoff),
      job_id_(watch_.job_id()) {}

WatchOperation::~WatchOperation() = default;

void WatchOperation::Start() {
  if (channel_.operations().Add(shared_from_this())) {
    Open();
  } else if (observer_.on_end) {
    observer_.on_end(absl::CancelledError("the client is going away"));
  }
}

void WatchOperation::Open() {
  Stream* stream = nullptr;
  {
    absl::MutexLock lock(&mu_);
    // Its function holds this operation: a spent timer must not stay.
    timer_.reset();
    previous_ = std::move(stream_);
    if (!abandoned_) {
      if (run_.has_value()) {
        stream_ = std::make_unique<StreamOf<v1::RunJobResponse>>(
            shared_from_this(), *run_);
      } else {
        stream_ = std::make_unique<StreamOf<v1::WatchJobResponse>>(
            shared_from_this(), watch_);
      }
      stream = stream_.get();
    }
  }
  if (stream == nullptr) {
    End(absl::CancelledError("the watching was abandoned"));
    return;
  }
  stream->Begin(channel_);
}

void WatchOperation::OnEvent(const v1::WatchEvent& event) {
  backoff_.Reset();
  if (!event.cursor().empty()) watch_.set_cursor(event.cursor());
  if (event.has_job() && watch_.job_id().empty()) {
    // Accepted: from here on a broken stream is watched, not run again.
    watch_.set_job_id(event.job().job_id());
    run_.reset();
    absl::MutexLock lock(&mu_);
    job_id_ = event.job().job_id();
    if (cancel_wanted_) SendCancel();
  }
  switch (event.event_case()) {
    case v1::WatchEvent::kJob:
      if (IsFinal(event.job())) final_job_ = event.job();
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

void WatchOperation::OnStreamDone(absl::Status status,
                                  std::optional<absl::Duration> pushback) {
  if (final_job_.has_value()) {
    End(*std::move(final_job_));
    return;
  }
  bool abandoned = false;
  {
    absl::MutexLock lock(&mu_);
    abandoned = abandoned_;
  }
  if (abandoned) {
    End(absl::CancelledError("the watching was abandoned"));
    return;
  }
  // A coordinator that stops ends its streams by OK or CANCELLED.
  const bool cut = status.ok() || absl::IsCancelled(status);
  if (cut) {
    status = absl::UnavailableError(
        "the coordinator ended the stream before the job had ended");
  }
  std::optional<absl::Duration> wait;
  if (cut || IsTransient(status, pushback)) {
    wait = backoff_.Next(channel_.clock().Now(), pushback, RandomFraction());
  }
  if (!wait.has_value()) {
    End(status);
    return;
  }
  if (observer_.on_retry) observer_.on_retry(status, *wait);
  absl::MutexLock lock(&mu_);
  timer_ = StartTimer(abandoned_ ? absl::ZeroDuration() : *wait,
                      [self = shared_from_this()] { self->Open(); });
}

void WatchOperation::End(absl::StatusOr<v1::Job> job) {
  if (observer_.on_end) observer_.on_end(std::move(job));
  // What the functions hold is freed now, not with the last handle.
  observer_ = JobObserver();
  {
    absl::MutexLock lock(&mu_);
    ended_ = true;
    timer_.reset();
    stream_.reset();
    previous_.reset();
  }
  channel_.operations().Remove(this);
}

void WatchOperation::CancelJob() {
  absl::MutexLock lock(&mu_);
  if (cancel_wanted_ || ended_) return;
  cancel_wanted_ = true;
  if (!job_id_.empty()) SendCancel();
}

void WatchOperation::SendCancel() {
  v1::CancelJobRequest request;
  request.set_namespace_(namespace_);
  request.set_job_id(job_id_);
  CallOptions options;
  options.retry_for = channel_.options().backoff.give_up_after;
  std::make_shared<UnaryCall<v1::CancelJobRequest, v1::CancelJobResponse>>(
      channel_,
      [](Channel& on, auto... call) { on.jobs().async()->CancelJob(call...); },
      std::move(request),
      // Whatever hinders it ends the stream too, and is told there.
      [](const absl::StatusOr<v1::CancelJobResponse>&) {}, options)
      ->Start();
}

void WatchOperation::Abandon() {
  absl::MutexLock lock(&mu_);
  abandoned_ = true;
  if (stream_) stream_->context().TryCancel();
  if (timer_) timer_->Cancel();
}

std::string WatchOperation::job_id() const {
  absl::MutexLock lock(&mu_);
  return job_id_;
}

}  // namespace vigil::client
