// Client: talks to a coordinator, asynchronously. Thread-safe; callbacks come
// on the library's threads and must not block for long. Owns its connection and
// every call in flight: its destructor ends them all, waits for their
// callbacks, and so must not run inside one.
#ifndef VIGIL_CLIENT_CC_CLIENT_H_
#define VIGIL_CLIENT_CC_CLIENT_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "client/cc/batch_observer.h"
#include "client/cc/batch_stream.h"
#include "client/cc/batch_watch.h"
#include "client/cc/call_options.h"
#include "client/cc/job_observer.h"
#include "client/cc/job_stream.h"
#include "vigil/v1/batch_service.pb.h"
#include "vigil/v1/job_service.pb.h"
#include "vigil/v1/status_service.pb.h"
#include "vigil/v1/worker_service.pb.h"

namespace vigil::client {

class Channel;

class Client {
 public:
  // Makes a client for `address` (see default_address.h). Does not block and
  // does not connect: a coordinator that is not there shows at the first call,
  // as UNAVAILABLE. In a process that a task of Vigil started, calls carry the
  // task's token: it may look, watch and cancel, and is refused jobs of its own
  // (FAILED_PRECONDITION, NESTED_DISPATCH).
  //
  // - INVALID_ARGUMENT: as CheckAddress.
  static absl::StatusOr<std::unique_ptr<Client>> Connect(
      const std::string& address, const ClientOptions& options = {});

  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client();

  // Runs a job and streams it to its end, through broken connections and
  // restarts of the coordinator. A request_id is made up if there is none. The
  // job is started once: a stream that breaks before the first event is asked
  // for again under the same request_id, one that breaks later goes on behind
  // the last event.
  JobStream RunJob(v1::RunJobRequest request, JobObserver observer);

  // Watches a job to its end, reconnecting likewise. request.cursor, if set,
  // says behind which event to begin.
  JobStream Watch(v1::WatchJobRequest request, JobObserver observer);

  // Runs a batch: items are given to the handle, results come to the observer,
  // through broken connections and restarts of the coordinator. A request_id is
  // made up if there is none. Each item is started once (its attempts aside),
  // and its result comes once.
  BatchStream RunBatch(v1::OpenBatch open, v1::ResultOrder order,
                       BatchObserver observer);

  // Watches a batch to its end, reconnecting likewise. request.cursor, if set,
  // says behind which event to begin. Needs a batch_id.
  BatchWatch WatchBatch(v1::WatchBatchRequest request, BatchObserver observer);

  // The calls of JobService, StatusService and WorkerService, asynchronous...
  void SubmitJob(v1::SubmitJobRequest request,
                 Callback<v1::SubmitJobResponse> callback,
                 CallOptions options = {});
  void SubmitJobs(v1::SubmitJobsRequest request,
                  Callback<v1::SubmitJobsResponse> callback,
                  CallOptions options = {});
  void GetJob(v1::GetJobRequest request, Callback<v1::GetJobResponse> callback,
              CallOptions options = {});
  void ListJobs(v1::ListJobsRequest request,
                Callback<v1::ListJobsResponse> callback,
                CallOptions options = {});
  void CancelJob(v1::CancelJobRequest request,
                 Callback<v1::CancelJobResponse> callback,
                 CallOptions options = {});
  void ReadOutput(v1::ReadOutputRequest request,
                  Callback<v1::ReadOutputResponse> callback,
                  CallOptions options = {});
  void GetStatus(v1::GetStatusRequest request,
                 Callback<v1::GetStatusResponse> callback,
                 CallOptions options = {});
  void ListWorkers(v1::ListWorkersRequest request,
                   Callback<v1::ListWorkersResponse> callback,
                   CallOptions options = {});
  void GetWorker(v1::GetWorkerRequest request,
                 Callback<v1::GetWorkerResponse> callback,
                 CallOptions options = {});
  void DrainWorker(v1::DrainWorkerRequest request,
                   Callback<v1::DrainWorkerResponse> callback,
                   CallOptions options = {});
  void SetWorkerSlots(v1::SetWorkerSlotsRequest request,
                      Callback<v1::SetWorkerSlotsResponse> callback,
                      CallOptions options = {});
  // Its timeout is to be longer than the 30 s that a worker may take.
  void ClearWorkerCache(v1::ClearWorkerCacheRequest request,
                        Callback<v1::ClearWorkerCacheResponse> callback,
                        CallOptions options = {});
  // So is its timeout.
  void SweepWorker(v1::SweepWorkerRequest request,
                   Callback<v1::SweepWorkerResponse> callback,
                   CallOptions options = {});

  // ...and those that a plain program wants to wait for. They block until the
  // call is over and must not be used inside a callback.
  absl::StatusOr<v1::SubmitJobResponse> SubmitJob(v1::SubmitJobRequest request,
                                                  CallOptions options = {});
  absl::StatusOr<v1::GetJobResponse> GetJob(v1::GetJobRequest request,
                                            CallOptions options = {});
  absl::StatusOr<v1::ListJobsResponse> ListJobs(v1::ListJobsRequest request,
                                                CallOptions options = {});
  absl::StatusOr<v1::CancelJobResponse> CancelJob(v1::CancelJobRequest request,
                                                  CallOptions options = {});
  absl::StatusOr<v1::GetStatusResponse> GetStatus(
      v1::GetStatusRequest request = {}, CallOptions options = {});

 private:
  explicit Client(std::unique_ptr<Channel> channel);

  std::unique_ptr<Channel> channel_;
};

}  // namespace vigil::client

#endif  // VIGIL_CLIENT_CC_CLIENT_H_
