#include "client/cc/batch_reader.h"

#include <utility>

namespace vigil::client {

BatchReader RunBatch(Client& client, v1::OpenBatch open, v1::ResultOrder order,
                     OnDestruction on_destruction, StreamOptions options) {
  return BatchReader::Begin<BatchObserver>(
      [&](BatchObserver observer, const StreamOptions& suited) {
        return client.RunBatch(std::move(open), order, std::move(observer),
                               suited);
      },
      options, on_destruction, client.executor());
}

BatchWatchReader WatchBatch(Client& client, v1::WatchBatchRequest request,
                            OnDestruction on_destruction,
                            StreamOptions options) {
  return BatchWatchReader::Begin<BatchObserver>(
      [&](BatchObserver observer, const StreamOptions& suited) {
        return client.WatchBatch(std::move(request), std::move(observer),
                                 suited);
      },
      options, on_destruction, client.executor());
}

}  // namespace vigil::client
