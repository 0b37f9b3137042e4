#include "client/cc/fake_coordinator.h"

#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server_builder.h>

#include <chrono>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/check.h"

namespace vigil::client {
namespace {

const grpc::Status kNotScripted(grpc::StatusCode::UNIMPLEMENTED,
                                "not scripted by the test");

}  // namespace

void FakeCoordinator::Start(const std::string& address) {
  grpc::ServerBuilder builder;
  builder.AddListeningPort(address, grpc::InsecureServerCredentials());
  builder.RegisterService(this);
  builder.RegisterService(&status_);
  builder.RegisterService(&workers_);
  builder.RegisterService(&batches_);
  server_ = builder.BuildAndStart();
  VIGIL_CHECK(server_ != nullptr, "the fake cannot listen at " + address);
}

void FakeCoordinator::Stop() {
  if (!server_) return;
  server_->Shutdown(std::chrono::system_clock::now());
  server_->Wait();
  server_.reset();
}

grpc::Status FakeCoordinator::RunJob(
    grpc::ServerContext* context, const v1::RunJobRequest* request,
    grpc::ServerWriter<v1::RunJobResponse>* writer) {
  if (!on_run) return kNotScripted;
  return on_run(context, *request, [writer](const v1::WatchEvent& event) {
    v1::RunJobResponse response;
    *response.mutable_event() = event;
    writer->Write(response);
  });
}

grpc::Status FakeCoordinator::WatchJob(
    grpc::ServerContext* context, const v1::WatchJobRequest* request,
    grpc::ServerWriter<v1::WatchJobResponse>* writer) {
  if (!on_watch) return kNotScripted;
  return on_watch(context, *request, [writer](const v1::WatchEvent& event) {
    v1::WatchJobResponse response;
    *response.mutable_event() = event;
    writer->Write(response);
  });
}

grpc::Status FakeCoordinator::SubmitJob(grpc::ServerContext* context,
                                        const v1::SubmitJobRequest* request,
                                        v1::SubmitJobResponse* response) {
  return on_submit ? on_submit(context, *request, response) : kNotScripted;
}

grpc::Status FakeCoordinator::GetJob(grpc::ServerContext*,
                                     const v1::GetJobRequest* request,
                                     v1::GetJobResponse* response) {
  return on_get ? on_get(*request, response) : kNotScripted;
}

grpc::Status FakeCoordinator::ListJobs(grpc::ServerContext*,
                                       const v1::ListJobsRequest* request,
                                       v1::ListJobsResponse* response) {
  return on_list ? on_list(*request, response) : kNotScripted;
}

grpc::Status FakeCoordinator::CancelJob(grpc::ServerContext*,
                                        const v1::CancelJobRequest* request,
                                        v1::CancelJobResponse* response) {
  return on_cancel ? on_cancel(*request, response) : kNotScripted;
}

grpc::Status FakeCoordinator::ReadOutput(grpc::ServerContext*,
                                         const v1::ReadOutputRequest* request,
                                         v1::ReadOutputResponse* response) {
  return on_read ? on_read(*request, response) : kNotScripted;
}

grpc::Status FakeCoordinator::Batches::RunBatch(grpc::ServerContext* context,
                                                BatchIo* io) {
  return fake_->on_run_batch ? fake_->on_run_batch(context, io) : kNotScripted;
}

grpc::Status FakeCoordinator::Batches::WatchBatch(
    grpc::ServerContext* context, const v1::WatchBatchRequest* request,
    grpc::ServerWriter<v1::WatchBatchResponse>* writer) {
  if (!fake_->on_watch_batch) return kNotScripted;
  return fake_->on_watch_batch(context, *request,
                               [writer](const v1::BatchEvent& event) {
                                 v1::WatchBatchResponse response;
                                 *response.mutable_event() = event;
                                 writer->Write(response);
                               });
}

grpc::Status FakeCoordinator::Batches::AddItems(
    grpc::ServerContext*, const v1::AddItemsRequest* request,
    v1::AddItemsResponse*) {
  return fake_->on_add_items ? fake_->on_add_items(*request) : kNotScripted;
}

grpc::Status FakeCoordinator::Batches::GetBatch(
    grpc::ServerContext*, const v1::GetBatchRequest* request,
    v1::GetBatchResponse* response) {
  return fake_->on_get_batch ? fake_->on_get_batch(*request, response)
                             : kNotScripted;
}

grpc::Status FakeCoordinator::Batches::ListBatches(
    grpc::ServerContext*, const v1::ListBatchesRequest* request,
    v1::ListBatchesResponse* response) {
  return fake_->on_list_batches ? fake_->on_list_batches(*request, response)
                                : kNotScripted;
}

grpc::Status FakeCoordinator::Batches::CancelBatch(
    grpc::ServerContext*, const v1::CancelBatchRequest* request,
    v1::CancelBatchResponse*) {
  return fake_->on_cancel_batch ? fake_->on_cancel_batch(*request)
                                : kNotScripted;
}

grpc::Status FakeCoordinator::Status::GetStatus(
    grpc::ServerContext*, const v1::GetStatusRequest*,
    v1::GetStatusResponse* response) {
  return fake_->on_status ? fake_->on_status(response) : kNotScripted;
}

grpc::Status FakeCoordinator::Workers::ListWorkers(
    grpc::ServerContext*, const v1::ListWorkersRequest* request,
    v1::ListWorkersResponse* response) {
  return fake_->on_list_workers ? fake_->on_list_workers(*request, response)
                                : kNotScripted;
}

grpc::Status FakeCoordinator::Workers::ClearWorkerCache(
    grpc::ServerContext*, const v1::ClearWorkerCacheRequest* request,
    v1::ClearWorkerCacheResponse*) {
  return fake_->on_clear_cache ? fake_->on_clear_cache(*request) : kNotScripted;
}

grpc::Status FakeCoordinator::Workers::SweepWorker(
    grpc::ServerContext*, const v1::SweepWorkerRequest* request,
    v1::SweepWorkerResponse* response) {
  return fake_->on_sweep ? fake_->on_sweep(*request, response) : kNotScripted;
}

grpc::Status Hang(const grpc::ServerContext& context) {
  while (!context.IsCancelled()) absl::SleepFor(absl::Milliseconds(1));
  return grpc::Status::CANCELLED;
}

v1::WatchEvent JobEvent(const std::string& job_id, v1::Job::State state,
                        const std::string& cursor) {
  v1::WatchEvent event;
  event.mutable_job()->set_job_id(job_id);
  event.mutable_job()->set_state(state);
  event.set_cursor(cursor);
  return event;
}

v1::WatchEvent OutputEvent(const std::string& data, const std::string& cursor) {
  v1::WatchEvent event;
  event.mutable_output()->set_attempt(1);
  event.mutable_output()->set_stream(v1::Output::STREAM_STDOUT);
  event.mutable_output()->set_data(data);
  event.set_cursor(cursor);
  return event;
}

}  // namespace vigil::client
