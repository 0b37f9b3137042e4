#include "client/cc/client.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <utility>

#include "absl/synchronization/notification.h"
#include "client/cc/batch_operation.h"
#include "client/cc/batch_watch_operation.h"
#include "client/cc/channel.h"
#include "client/cc/default_address.h"
#include "client/cc/random_id.h"
#include "client/cc/unary_call.h"
#include "client/cc/watch_operation.h"

namespace vigil::client {
namespace {

// Makes a call. `start(channel, context, request, response, done)` begins one
// try of it.
template <typename Request, typename Response, typename Start>
void Call(Channel& channel, Request request, Callback<Response> callback,
          const CallOptions& options, Start start) {
  std::make_shared<UnaryCall<Request, Response>>(channel, std::move(start),
                                                 std::move(request),
                                                 std::move(callback), options)
      ->Start();
}

// Makes an asynchronous call and waits for its answer.
template <typename Response, typename Start>
absl::StatusOr<Response> Wait(Start start) {
  absl::Notification done;
  absl::StatusOr<Response> result = absl::UnknownError("not answered");
  start([&done, &result](absl::StatusOr<Response> answer) {
    result = std::move(answer);
    done.Notify();
  });
  done.WaitForNotification();
  return result;
}

CallOptions OnlyIf(bool repeatable, CallOptions options) {
  if (!repeatable) options.retry_for = absl::ZeroDuration();
  return options;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Client>> Client::Connect(
    const std::string& address, const ClientOptions& options) {
  if (absl::Status status = CheckAddress(address); !status.ok()) return status;
  return std::unique_ptr<Client>(
      new Client(std::make_unique<Channel>(address, options)));
}

Client::Client(std::unique_ptr<Channel> channel)
    : channel_(std::move(channel)) {}

Client::~Client() { channel_->operations().Close(); }

JobStream Client::RunJob(v1::RunJobRequest request, JobObserver observer) {
  if (request.job().request_id().empty()) {
    request.mutable_job()->set_request_id(RandomId());
  }
  return WatchOperation::Run(*channel_, std::move(request),
                             std::move(observer));
}

BatchStream Client::RunBatch(v1::OpenBatch open, v1::ResultOrder order,
                             BatchObserver observer) {
  if (open.request_id().empty()) open.set_request_id(RandomId());
  return BatchOperation::Run(*channel_, std::move(open), order,
                             std::move(observer));
}

JobStream Client::Watch(v1::WatchJobRequest request, JobObserver observer) {
  return WatchOperation::Watch(*channel_, std::move(request),
                               std::move(observer));
}

BatchWatch Client::WatchBatch(v1::WatchBatchRequest request,
                              BatchObserver observer) {
  return BatchWatchOperation::Watch(*channel_, std::move(request),
                                    std::move(observer));
}

void Client::SubmitJob(v1::SubmitJobRequest request,
                       Callback<v1::SubmitJobResponse> callback,
                       CallOptions options) {
  options = OnlyIf(!request.request_id().empty(), options);
  Call(
      *channel_, std::move(request), std::move(callback), options,
      [](Channel& on, auto... call) { on.jobs().async()->SubmitJob(call...); });
}

void Client::SubmitJobs(v1::SubmitJobsRequest request,
                        Callback<v1::SubmitJobsResponse> callback,
                        CallOptions options) {
  options = OnlyIf(std::all_of(request.jobs().begin(), request.jobs().end(),
                               [](const v1::SubmitJobRequest& job) {
                                 return !job.request_id().empty();
                               }),
                   options);
  Call(*channel_, std::move(request), std::move(callback), options,
       [](Channel& on, auto... call) {
         on.jobs().async()->SubmitJobs(call...);
       });
}

void Client::GetJob(v1::GetJobRequest request,
                    Callback<v1::GetJobResponse> callback,
                    CallOptions options) {
  Call(*channel_, std::move(request), std::move(callback), options,
       [](Channel& on, auto... call) { on.jobs().async()->GetJob(call...); });
}

void Client::ListJobs(v1::ListJobsRequest request,
                      Callback<v1::ListJobsResponse> callback,
                      CallOptions options) {
  Call(*channel_, std::move(request), std::move(callback), options,
       [](Channel& on, auto... call) { on.jobs().async()->ListJobs(call...); });
}

void Client::CancelJob(v1::CancelJobRequest request,
                       Callback<v1::CancelJobResponse> callback,
                       CallOptions options) {
  Call(
      *channel_, std::move(request), std::move(callback), options,
      [](Channel& on, auto... call) { on.jobs().async()->CancelJob(call...); });
}

void Client::ReadOutput(v1::ReadOutputRequest request,
                        Callback<v1::ReadOutputResponse> callback,
                        CallOptions options) {
  Call(*channel_, std::move(request), std::move(callback), options,
       [](Channel& on, auto... call) {
         on.jobs().async()->ReadOutput(call...);
       });
}

void Client::GetStatus(v1::GetStatusRequest request,
                       Callback<v1::GetStatusResponse> callback,
                       CallOptions options) {
  Call(*channel_, std::move(request), std::move(callback), options,
       [](Channel& on, auto... call) {
         on.status().async()->GetStatus(call...);
       });
}

void Client::ListWorkers(v1::ListWorkersRequest request,
                         Callback<v1::ListWorkersResponse> callback,
                         CallOptions options) {
  Call(*channel_, std::move(request), std::move(callback), options,
       [](Channel& on, auto... call) {
         on.workers().async()->ListWorkers(call...);
       });
}

void Client::GetWorker(v1::GetWorkerRequest request,
                       Callback<v1::GetWorkerResponse> callback,
                       CallOptions options) {
  Call(*channel_, std::move(request), std::move(callback), options,
       [](Channel& on, auto... call) {
         on.workers().async()->GetWorker(call...);
       });
}

void Client::DrainWorker(v1::DrainWorkerRequest request,
                         Callback<v1::DrainWorkerResponse> callback,
                         CallOptions options) {
  Call(*channel_, std::move(request), std::move(callback), options,
       [](Channel& on, auto... call) {
         on.workers().async()->DrainWorker(call...);
       });
}

void Client::SetWorkerSlots(v1::SetWorkerSlotsRequest request,
                            Callback<v1::SetWorkerSlotsResponse> callback,
                            CallOptions options) {
  Call(*channel_, std::move(request), std::move(callback), options,
       [](Channel& on, auto... call) {
         on.workers().async()->SetWorkerSlots(call...);
       });
}

void Client::ClearWorkerCache(v1::ClearWorkerCacheRequest request,
                              Callback<v1::ClearWorkerCacheResponse> callback,
                              CallOptions options) {
  Call(*channel_, std::move(request), std::move(callback), options,
       [](Channel& on, auto... call) {
         on.workers().async()->ClearWorkerCache(call...);
       });
}

void Client::SweepWorker(v1::SweepWorkerRequest request,
                         Callback<v1::SweepWorkerResponse> callback,
                         CallOptions options) {
  Call(*channel_, std::move(request), std::move(callback), options,
       [](Channel& on, auto... call) {
         on.workers().async()->SweepWorker(call...);
       });
}

absl::StatusOr<v1::SubmitJobResponse> Client::SubmitJob(
    v1::SubmitJobRequest request, CallOptions options) {
  return Wait<v1::SubmitJobResponse>([&](auto callback) {
    SubmitJob(std::move(request), std::move(callback), options);
  });
}

absl::StatusOr<v1::GetJobResponse> Client::GetJob(v1::GetJobRequest request,
                                                  CallOptions options) {
  return Wait<v1::GetJobResponse>([&](auto callback) {
    GetJob(std::move(request), std::move(callback), options);
  });
}

absl::StatusOr<v1::ListJobsResponse> Client::ListJobs(
    v1::ListJobsRequest request, CallOptions options) {
  return Wait<v1::ListJobsResponse>([&](auto callback) {
    ListJobs(std::move(request), std::move(callback), options);
  });
}

absl::StatusOr<v1::CancelJobResponse> Client::CancelJob(
    v1::CancelJobRequest request, CallOptions options) {
  return Wait<v1::CancelJobResponse>([&](auto callback) {
    CancelJob(std::move(request), std::move(callback), options);
  });
}

absl::StatusOr<v1::GetStatusResponse> Client::GetStatus(
    v1::GetStatusRequest request, CallOptions options) {
  return Wait<v1::GetStatusResponse>([&](auto callback) {
    GetStatus(std::move(request), std::move(callback), options);
  });
}

}  // namespace vigil::client
