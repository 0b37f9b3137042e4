#include "client/cc/watch_operation.h"

#include <utility>

#include "client/cc/read_stream.h"

namespace vigil::client {
namespace {

bool IsFinal(const v1::Job& job) {
  return job.state() == v1::Job::STATE_SUCCEEDED ||
         job.state() == v1::Job::STATE_FAILED ||
         job.state() == v1::Job::STATE_CANCELLED;
}

}  // namespace

JobStream WatchOperation::Run(Channel& channel, v1::RunJobRequest request,
                              JobObserver observer,
                              const StreamOptions& options) {
  v1::WatchJobRequest watch;
  watch.set_namespace_(request.job().namespace_());
  watch.set_take_over(true);
  auto operation = std::make_shared<WatchOperation>(
      channel, std::move(request), std::move(watch), std::move(observer),
      options);
  operation->Start();
  return JobStream(std::move(operation));
}

JobStream WatchOperation::Watch(Channel& channel, v1::WatchJobRequest request,
                                JobObserver observer,
                                const StreamOptions& options) {
  auto operation = std::make_shared<WatchOperation>(
      channel, std::nullopt, std::move(request), std::move(observer), options);
  operation->Start();
  return JobStream(std::move(operation));
}

WatchOperation::WatchOperation(Channel& channel,
                               std::optional<v1::RunJobRequest> run,
                               v1::WatchJobRequest watch, JobObserver observer,
                               const StreamOptions& options)
    : ResumableStream(
          channel, std::move(observer), options,
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
    return std::make_unique<
        ReadStream<WatchOperation, v1::RunJobRequest, v1::RunJobResponse>>(
        std::move(self),
        [](Channel& on, auto... call) { on.jobs().async()->RunJob(call...); },
        *run_);
  }
  return std::make_unique<
      ReadStream<WatchOperation, v1::WatchJobRequest, v1::WatchJobResponse>>(
      std::move(self),
      [](Channel& on, auto... call) { on.jobs().async()->WatchJob(call...); },
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
  if (observer_.on_event) observer_.on_event(event);
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
