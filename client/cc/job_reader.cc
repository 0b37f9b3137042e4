#include "client/cc/job_reader.h"

#include <utility>

namespace vigil::client {

JobReader RunJob(Client& client, v1::RunJobRequest request,
                 OnDestruction on_destruction, StreamOptions options) {
  return JobReader::Begin<JobObserver>(
      [&](JobObserver observer, const StreamOptions& suited) {
        return client.RunJob(std::move(request), std::move(observer), suited);
      },
      options, on_destruction, client.executor());
}

JobReader WatchJob(Client& client, v1::WatchJobRequest request,
                   OnDestruction on_destruction, StreamOptions options) {
  return JobReader::Begin<JobObserver>(
      [&](JobObserver observer, const StreamOptions& suited) {
        return client.WatchJob(std::move(request), std::move(observer), suited);
      },
      options, on_destruction, client.executor());
}

}  // namespace vigil::client
