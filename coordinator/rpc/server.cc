#include "coordinator/rpc/server.h"

#include <grpcpp/channel.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server_builder.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "coordinator/rpc/admin_handlers.h"
#include "coordinator/rpc/batch_handlers.h"
#include "coordinator/rpc/calls.h"
#include "coordinator/rpc/dispatch_stream.h"
#include "coordinator/rpc/health.h"
#include "coordinator/rpc/job_handlers.h"
#include "coordinator/rpc/limits.h"
#include "coordinator/rpc/loop.h"
#include "coordinator/rpc/run_batch.h"
#include "coordinator/rpc/watch_handlers.h"
#include "coordinator/rpc/write_budget.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "vigil/v1/batch_service.grpc.pb.h"
#include "vigil/v1/dispatch_service.grpc.pb.h"
#include "vigil/v1/job_service.grpc.pb.h"
#include "vigil/v1/status_service.grpc.pb.h"
#include "vigil/v1/worker_service.grpc.pb.h"

namespace vigil::coordinator {
namespace {

using HealthService = grpc::health::v1::Health;

// How long orderly calls may take to end before they are cancelled.
constexpr absl::Duration kStopGrace = absl::Seconds(2);

class Server : public RpcServer {
 public:
  void Post(std::function<void()> closure) override {
    loop_->Post(std::move(closure));
  }
  void Run(Services* services, const std::function<void()>& serving) override;
  void Drain() override {
    Post([this] { drain_asked_ = true; });
  }
  void Stop() override {
    Post([this] { stop_asked_ = true; });
  }
  std::vector<std::string> addresses() const override { return addresses_; }
  std::vector<std::string> services() const override;
  std::shared_ptr<grpc::Channel> InProcessChannel() override {
    return server_->InProcessChannel(grpc::ChannelArguments());
  }

  absl::Status Bind(const std::vector<ListenAddress>& addresses);

 private:
  void AcceptAll(Services* services);
  void AcceptBatches(Services* services);
  void AcceptHealth(Services* services);
  void ShowHealth(const Services& services);

  std::vector<std::string> addresses_;
  std::vector<std::string> socket_paths_;
  v1::JobService::AsyncService jobs_;
  v1::BatchService::AsyncService batches_;
  v1::WorkerService::AsyncService workers_;
  v1::StatusService::AsyncService status_;
  v1::DispatchService::AsyncService dispatch_;
  HealthService::AsyncService health_service_;
  Health health_{{v1::JobService::service_full_name(),
                  v1::BatchService::service_full_name(),
                  v1::WorkerService::service_full_name(),
                  v1::StatusService::service_full_name(),
                  v1::DispatchService::service_full_name()}};
  std::unique_ptr<Loop> loop_;
  std::unique_ptr<WriteBudget> large_writes_;
  std::unique_ptr<grpc::Server> server_;
  LiveStreams live_;
  bool drain_asked_ = false;
  bool stop_asked_ = false;
};

std::vector<std::string> Server::services() const {
  return {v1::JobService::service_full_name(),
          v1::BatchService::service_full_name(),
          v1::WorkerService::service_full_name(),
          v1::StatusService::service_full_name(),
          v1::DispatchService::service_full_name(),
          HealthService::service_full_name()};
}

absl::Status Server::Bind(const std::vector<ListenAddress>& addresses) {
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  grpc::ServerBuilder builder;
  std::vector<int> ports(addresses.size());
  for (size_t i = 0; i < addresses.size(); ++i) {
    const ListenAddress& address = addresses[i];
    if (!address.socket_path.empty()) {
      absl::Status status = PrepareSocket(address.socket_path);
      if (!status.ok()) return status;
      socket_paths_.push_back(address.socket_path);
    }
    builder.AddListeningPort(address.address, grpc::InsecureServerCredentials(),
                             &ports[i]);
  }
  builder.RegisterService(&jobs_);
  builder.RegisterService(&batches_);
  builder.RegisterService(&workers_);
  builder.RegisterService(&status_);
  builder.RegisterService(&dispatch_);
  builder.RegisterService(&health_service_);
  builder.SetMaxReceiveMessageSize(kRpcMessageBytesMax);
  // Two coordinators must not share a port.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  // Reflection is the one synchronous service: one thread is plenty.
  builder.SetSyncServerOption(grpc::ServerBuilder::NUM_CQS, 1);
  builder.SetSyncServerOption(grpc::ServerBuilder::MIN_POLLERS, 1);
  builder.SetSyncServerOption(grpc::ServerBuilder::MAX_POLLERS, 1);
  loop_ = std::make_unique<Loop>(builder.AddCompletionQueue());
  large_writes_ = std::make_unique<WriteBudget>(loop_->ready());
  // Sockets are made with mode 0600.
  const mode_t mask = umask(0177);
  server_ = builder.BuildAndStart();
  umask(mask);
  for (size_t i = 0; i < addresses.size(); ++i) {
    if (server_ == nullptr || ports[i] == 0) {
      return absl::UnavailableError(absl::StrCat(
          "--listen: cannot bind ", addresses[i].address,
          "; is another process listening there? Choose another address."));
    }
    std::string bound = addresses[i].address;
    if (addresses[i].socket_path.empty()) {
      bound = absl::StrCat(bound.substr(0, bound.rfind(':')), ":", ports[i]);
    }
    addresses_.push_back(std::move(bound));
  }
  return absl::OkStatus();
}

void Server::AcceptAll(Services* services) {
  using Jobs = v1::JobService::AsyncService;
  using Workers = v1::WorkerService::AsyncService;
  using Status = v1::StatusService::AsyncService;
  Loop* loop = loop_.get();
  // Several calls of the busiest methods may arrive within one turn.
  for (int i = 0; i < 8; ++i) {
    ServeUnary<v1::SubmitJobRequest, v1::SubmitJobResponse>(
        services, loop, &jobs_, &Jobs::RequestSubmitJob, &SubmitJob);
    ServeUnary<v1::GetJobRequest, v1::GetJobResponse>(
        services, loop, &jobs_, &Jobs::RequestGetJob, &GetJob);
    ServeStream<v1::RunJobRequest, v1::RunJobResponse>(
        services, loop, &live_, &jobs_, &Jobs::RequestRunJob, &RunJob);
  }
  ServeUnary<v1::SubmitJobsRequest, v1::SubmitJobsResponse>(
      services, loop, &jobs_, &Jobs::RequestSubmitJobs, &SubmitJobs);
  ServeUnary<v1::ListJobsRequest, v1::ListJobsResponse>(
      services, loop, &jobs_, &Jobs::RequestListJobs, &ListJobs);
  ServeUnary<v1::CancelJobRequest, v1::CancelJobResponse>(
      services, loop, &jobs_, &Jobs::RequestCancelJob, &CancelJob);
  ServeUnary<v1::ReadOutputRequest, v1::ReadOutputResponse>(
      services, loop, &jobs_, &Jobs::RequestReadOutput, &ReadOutput);
  ServeStream<v1::WatchJobRequest, v1::WatchJobResponse>(
      services, loop, &live_, &jobs_, &Jobs::RequestWatchJob, &WatchJob);
  ServeUnary<v1::ListWorkersRequest, v1::ListWorkersResponse>(
      services, loop, &workers_, &Workers::RequestListWorkers, &ListWorkers);
  ServeUnary<v1::GetWorkerRequest, v1::GetWorkerResponse>(
      services, loop, &workers_, &Workers::RequestGetWorker, &GetWorker);
  ServeUnary<v1::DrainWorkerRequest, v1::DrainWorkerResponse>(
      services, loop, &workers_, &Workers::RequestDrainWorker, &DrainWorker);
  ServeUnary<v1::SetWorkerSlotsRequest, v1::SetWorkerSlotsResponse>(
      services, loop, &workers_, &Workers::RequestSetWorkerSlots,
      &SetWorkerSlots);
  ServeUnary<v1::ClearWorkerCacheRequest, v1::ClearWorkerCacheResponse>(
      services, loop, &workers_, &Workers::RequestClearWorkerCache,
      &ClearWorkerCache);
  ServeUnary<v1::SweepWorkerRequest, v1::SweepWorkerResponse>(
      services, loop, &workers_, &Workers::RequestSweepWorker, &SweepWorker);
  ServeUnary<v1::GetStatusRequest, v1::GetStatusResponse>(
      services, loop, &status_, &Status::RequestGetStatus, &GetStatus);
  ServeDispatch(services, loop, &live_, &dispatch_);
  AcceptBatches(services);
  AcceptHealth(services);
}

void Server::AcceptBatches(Services* services) {
  using Batches = v1::BatchService::AsyncService;
  Loop* loop = loop_.get();
  ServeRunBatch(services, loop, &live_, &batches_);
  ServeUnary<v1::CreateBatchRequest, v1::CreateBatchResponse>(
      services, loop, &batches_, &Batches::RequestCreateBatch, &CreateBatch);
  ServeUnary<v1::AddItemsRequest, v1::AddItemsResponse>(
      services, loop, &batches_, &Batches::RequestAddItems, &AddItems);
  ServeUnary<v1::CloseBatchRequest, v1::CloseBatchResponse>(
      services, loop, &batches_, &Batches::RequestCloseBatch, &CloseBatch);
  ServeUnary<v1::GetBatchRequest, v1::GetBatchResponse>(
      services, loop, &batches_, &Batches::RequestGetBatch, &GetBatch);
  ServeUnary<v1::ListBatchesRequest, v1::ListBatchesResponse>(
      services, loop, &batches_, &Batches::RequestListBatches, &ListBatches);
  ServeUnary<v1::CancelBatchRequest, v1::CancelBatchResponse>(
      services, loop, &batches_, &Batches::RequestCancelBatch, &CancelBatch);
  ServeStream<v1::WatchBatchRequest, v1::WatchBatchResponse>(
      services, loop, &live_, &batches_, &Batches::RequestWatchBatch,
      &WatchBatch);
}

void Server::AcceptHealth(Services* services) {
  using Request = grpc::health::v1::HealthCheckRequest;
  using Response = grpc::health::v1::HealthCheckResponse;
  ServeUnary<Request, Response>(
      services, loop_.get(), &health_service_,
      &HealthService::AsyncService::RequestCheck,
      [this](Services* all, CallContext* call, const Request& request,
             Response* response) {
        return health_.Check(all, call, request, response);
      });
  ServeStream<Request, Response>(
      services, loop_.get(), &live_, &health_service_,
      &HealthService::AsyncService::RequestWatch,
      [this](Services* all, CallContext* call, const Request& request,
             ResponseStream<Response>* stream) {
        return health_.Watch(all, call, request, stream);
      });
}

void Server::ShowHealth(const Services& services) {
  health_.SetServing(services.engine->store_status().ok() &&
                     services.engine->accepts());
}

void Server::Run(Services* services, const std::function<void()>& serving) {
  Engine* engine = services->engine;
  services->post = [this](std::function<void()> f) { Post(std::move(f)); };
  services->large_writes = large_writes_.get();
  AcceptAll(services);
  ShowHealth(*services);
  serving();
  const Loop::Hooks hooks = {
      .begin_turn = [&](absl::Time expected) { engine->BeginTurn(expected); },
      .end_turn =
          [&] {
            engine->EndTurn();
            large_writes_->Tick(engine->now());
            ShowHealth(*services);
          },
      .next_deadline =
          [&] {
            return std::min(engine->NextDeadline(),
                            large_writes_->NextDeadline());
          },
      .now = [&] { return engine->clock().Now(); },
  };
  loop_->Run(hooks, [&] { return drain_asked_ || stop_asked_; });
  engine->StopAccepting();
  ShowHealth(*services);
  if (!stop_asked_ && services->drain) {
    services->drain();
    loop_->Run(hooks, [&] { return stop_asked_; });
  }

  // The order matters: gRPC hangs or aborts in most others. No new calls are
  // accepted, streams are told to finish, those that do not are cancelled, and
  // only a server without calls is shut down.
  services->stopping = true;
  if (services->before_stop) services->before_stop();
  loop_->RunPosted();
  live_.StopAll();
  const absl::Time cancel_time = engine->clock().Now() + kStopGrace;
  const Loop::Hooks stopping_hooks = {
      .begin_turn = hooks.begin_turn,
      .end_turn = hooks.end_turn,
      .next_deadline =
          [&] { return std::min(engine->NextDeadline(), cancel_time); },
      .now = hooks.now,
  };
  loop_->Run(stopping_hooks, [&] {
    return (live_.empty() && engine->settled()) ||
           engine->clock().Now() >= cancel_time;
  });
  live_.CancelAll();
  const absl::Time give_up_time = cancel_time + kStopGrace;
  const Loop::Hooks cancelling_hooks = {
      .begin_turn = hooks.begin_turn,
      .end_turn = hooks.end_turn,
      .next_deadline =
          [&] { return std::min(engine->NextDeadline(), give_up_time); },
      .now = hooks.now,
  };
  loop_->Run(cancelling_hooks, [&] {
    return live_.empty() || engine->clock().Now() >= give_up_time;
  });
  server_->Shutdown(gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                                 gpr_time_from_millis(200, GPR_TIMESPAN)));
  loop_->Drain();
  for (const std::string& path : socket_paths_) unlink(path.c_str());
}

}  // namespace

absl::StatusOr<std::unique_ptr<RpcServer>> RpcServer::Create(
    const std::vector<ListenAddress>& addresses) {
  auto server = std::make_unique<Server>();
  absl::Status status = server->Bind(addresses);
  if (!status.ok()) return status;
  return server;
}

}  // namespace vigil::coordinator
