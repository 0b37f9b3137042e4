#include "client/cc/job_reader.h"

#include <memory>
#include <utility>

namespace vigil::client {
namespace {

JobObserver Into(const std::shared_ptr<JobReader::Slot>& slot) {
  JobObserver observer;
  observer.on_event = [slot](const v1::WatchEvent& event) { slot->Put(event); };
  observer.on_end = [slot](absl::StatusOr<v1::Job> job) {
    slot->End(std::move(job));
  };
  return observer;
}

}  // namespace

JobReader RunJob(Client& client, v1::RunJobRequest request,
                 OnDestruction on_destruction, StreamOptions options) {
  auto slot = std::make_shared<JobReader::Slot>();
  options.reading = StreamOptions::Reading::kOnDemand;
  JobStream stream = client.RunJob(std::move(request), Into(slot), options);
  return JobReader(std::move(slot), std::move(stream), on_destruction,
                   client.executor());
}

JobReader WatchJob(Client& client, v1::WatchJobRequest request,
                   OnDestruction on_destruction, StreamOptions options) {
  auto slot = std::make_shared<JobReader::Slot>();
  options.reading = StreamOptions::Reading::kOnDemand;
  JobStream stream = client.WatchJob(std::move(request), Into(slot), options);
  return JobReader(std::move(slot), std::move(stream), on_destruction,
                   client.executor());
}

}  // namespace vigil::client
