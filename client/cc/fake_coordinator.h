// FakeCoordinator: a gRPC server in this process whose answers a test scripts,
// so that what a client does about them can be seen. Thread-safe once started;
// set the handlers before. Owns the server and ends it when it goes away.
#ifndef VIGIL_CLIENT_CC_FAKE_COORDINATOR_H_
#define VIGIL_CLIENT_CC_FAKE_COORDINATOR_H_

#include <grpcpp/server.h>

#include <functional>
#include <memory>
#include <string>

#include "vigil/v1/batch_service.grpc.pb.h"
#include "vigil/v1/job_service.grpc.pb.h"
#include "vigil/v1/status_service.grpc.pb.h"
#include "vigil/v1/worker_service.grpc.pb.h"

namespace vigil::client {

class FakeCoordinator : public v1::JobService::Service {
 public:
  using Write = std::function<void(const v1::WatchEvent& event)>;

  ~FakeCoordinator() override { Stop(); }

  // Listens at `address`; Stop() and Start() again make a restart.
  void Start(const std::string& address);
  void Stop();

  // Each answers UNIMPLEMENTED while it is not set.
  std::function<grpc::Status(grpc::ServerContext*, const v1::RunJobRequest&,
                             const Write&)>
      on_run;
  std::function<grpc::Status(grpc::ServerContext*, const v1::WatchJobRequest&,
                             const Write&)>
      on_watch;
  std::function<grpc::Status(grpc::ServerContext*, const v1::SubmitJobRequest&,
                             v1::SubmitJobResponse*)>
      on_submit;
  std::function<grpc::Status(const v1::GetJobRequest&, v1::GetJobResponse*)>
      on_get;
  std::function<grpc::Status(const v1::ListJobsRequest&, v1::ListJobsResponse*)>
      on_list;
  std::function<grpc::Status(const v1::CancelJobRequest&,
                             v1::CancelJobResponse*)>
      on_cancel;
  std::function<grpc::Status(const v1::ReadOutputRequest&,
                             v1::ReadOutputResponse*)>
      on_read;
  using BatchIo =
      grpc::ServerReaderWriter<v1::RunBatchResponse, v1::RunBatchRequest>;
  std::function<grpc::Status(grpc::ServerContext*, BatchIo*)> on_run_batch;
  std::function<grpc::Status(grpc::ServerContext*, const v1::WatchBatchRequest&,
                             const std::function<void(const v1::BatchEvent&)>&)>
      on_watch_batch;
  std::function<grpc::Status(const v1::GetBatchRequest&, v1::GetBatchResponse*)>
      on_get_batch;
  std::function<grpc::Status(const v1::ListBatchesRequest&,
                             v1::ListBatchesResponse*)>
      on_list_batches;
  std::function<grpc::Status(const v1::CancelBatchRequest&)> on_cancel_batch;
  std::function<grpc::Status(const v1::AddItemsRequest&)> on_add_items;
  std::function<grpc::Status(v1::GetStatusResponse*)> on_status;
  std::function<grpc::Status(const v1::ListWorkersRequest&,
                             v1::ListWorkersResponse*)>
      on_list_workers;
  std::function<grpc::Status(const v1::ClearWorkerCacheRequest&)>
      on_clear_cache;
  std::function<grpc::Status(const v1::SweepWorkerRequest&,
                             v1::SweepWorkerResponse*)>
      on_sweep;

  // JobService:
  grpc::Status RunJob(grpc::ServerContext* context,
                      const v1::RunJobRequest* request,
                      grpc::ServerWriter<v1::RunJobResponse>* writer) override;
  grpc::Status WatchJob(
      grpc::ServerContext* context, const v1::WatchJobRequest* request,
      grpc::ServerWriter<v1::WatchJobResponse>* writer) override;
  grpc::Status SubmitJob(grpc::ServerContext* context,
                         const v1::SubmitJobRequest* request,
                         v1::SubmitJobResponse* response) override;
  grpc::Status GetJob(grpc::ServerContext* context,
                      const v1::GetJobRequest* request,
                      v1::GetJobResponse* response) override;
  grpc::Status ListJobs(grpc::ServerContext* context,
                        const v1::ListJobsRequest* request,
                        v1::ListJobsResponse* response) override;
  grpc::Status CancelJob(grpc::ServerContext* context,
                         const v1::CancelJobRequest* request,
                         v1::CancelJobResponse* response) override;
  grpc::Status ReadOutput(grpc::ServerContext* context,
                          const v1::ReadOutputRequest* request,
                          v1::ReadOutputResponse* response) override;

 private:
  class Status : public v1::StatusService::Service {
   public:
    explicit Status(FakeCoordinator* fake) : fake_(fake) {}
    grpc::Status GetStatus(grpc::ServerContext* context,
                           const v1::GetStatusRequest* request,
                           v1::GetStatusResponse* response) override;

   private:
    FakeCoordinator* fake_;
  };

  class Batches : public v1::BatchService::Service {
   public:
    explicit Batches(FakeCoordinator* fake) : fake_(fake) {}
    grpc::Status RunBatch(grpc::ServerContext* context, BatchIo* io) override;
    grpc::Status WatchBatch(
        grpc::ServerContext* context, const v1::WatchBatchRequest* request,
        grpc::ServerWriter<v1::WatchBatchResponse>* writer) override;
    grpc::Status AddItems(grpc::ServerContext* context,
                          const v1::AddItemsRequest* request,
                          v1::AddItemsResponse* response) override;
    grpc::Status GetBatch(grpc::ServerContext* context,
                          const v1::GetBatchRequest* request,
                          v1::GetBatchResponse* response) override;
    grpc::Status ListBatches(grpc::ServerContext* context,
                             const v1::ListBatchesRequest* request,
                             v1::ListBatchesResponse* response) override;
    grpc::Status CancelBatch(grpc::ServerContext* context,
                             const v1::CancelBatchRequest* request,
                             v1::CancelBatchResponse* response) override;

   private:
    FakeCoordinator* fake_;
  };

  class Workers : public v1::WorkerService::Service {
   public:
    explicit Workers(FakeCoordinator* fake) : fake_(fake) {}
    grpc::Status ListWorkers(grpc::ServerContext* context,
                             const v1::ListWorkersRequest* request,
                             v1::ListWorkersResponse* response) override;
    grpc::Status ClearWorkerCache(
        grpc::ServerContext* context,
        const v1::ClearWorkerCacheRequest* request,
        v1::ClearWorkerCacheResponse* response) override;
    grpc::Status SweepWorker(grpc::ServerContext* context,
                             const v1::SweepWorkerRequest* request,
                             v1::SweepWorkerResponse* response) override;

   private:
    FakeCoordinator* fake_;
  };

  Status status_{this};
  Workers workers_{this};
  Batches batches_{this};
  std::unique_ptr<grpc::Server> server_;
};

// For a handler that answers nothing: returns what it may end with once the
// client has left.
grpc::Status Hang(const grpc::ServerContext& context);

// Events as a coordinator would write them.
v1::WatchEvent JobEvent(const std::string& job_id, v1::Job::State state,
                        const std::string& cursor);
v1::WatchEvent OutputEvent(const std::string& data, const std::string& cursor);

}  // namespace vigil::client

#endif  // VIGIL_CLIENT_CC_FAKE_COORDINATOR_H_
