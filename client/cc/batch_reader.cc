#include "client/cc/batch_reader.h"

#include <memory>
#include <utility>

namespace vigil::client {
namespace {

// Of both readers.
using Slot = BatchReader::Slot;

BatchObserver Into(const std::shared_ptr<Slot>& slot) {
  BatchObserver observer;
  observer.on_event = [slot](const v1::BatchEvent& event) { slot->Put(event); };
  observer.on_end = [slot](absl::StatusOr<v1::Batch> batch) {
    slot->End(std::move(batch));
  };
  return observer;
}

}  // namespace

BatchReader RunBatch(Client& client, v1::OpenBatch open, v1::ResultOrder order,
                     OnDestruction on_destruction, StreamOptions options) {
  auto slot = std::make_shared<Slot>();
  options.reading = StreamOptions::Reading::kOnDemand;
  BatchStream stream =
      client.RunBatch(std::move(open), order, Into(slot), options);
  return BatchReader(std::move(slot), std::move(stream), on_destruction,
                     client.executor());
}

BatchWatchReader WatchBatch(Client& client, v1::WatchBatchRequest request,
                            OnDestruction on_destruction,
                            StreamOptions options) {
  auto slot = std::make_shared<Slot>();
  options.reading = StreamOptions::Reading::kOnDemand;
  BatchWatch stream =
      client.WatchBatch(std::move(request), Into(slot), options);
  return BatchWatchReader(std::move(slot), std::move(stream), on_destruction,
                          client.executor());
}

}  // namespace vigil::client
