// BatchHub: who watches which batch. Watchers are told what has become durable,
// with the results that are still in memory. Loop thread only; does not own the
// watchers.
#ifndef VIGIL_COORDINATOR_ENGINE_BATCH_HUB_H_
#define VIGIL_COORDINATOR_ENGINE_BATCH_HUB_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "base/ids.h"
#include "vigil/v1/batch.pb.h"

namespace vigil::coordinator {

// What one commit changed of a batch.
struct BatchNews {
  std::shared_ptr<const v1::Batch> batch;
  // Of the items that ended, in order of ends: a null one is in the store only.
  std::vector<std::shared_ptr<const v1::BatchResult>> results;
  // The number of the first of them.
  int64_t first_end_number = 0;
};

class BatchWatcher {
 public:
  virtual ~BatchWatcher() = default;
  virtual void OnNews(const BatchNews& news) = 0;
  // Another stream owns the batch now.
  virtual void OnOwner() = 0;
};

class BatchHub {
 public:
  void Add(const BatchId& id, BatchWatcher* watcher) {
    watchers_[id].push_back(watcher);
    ++size_;
  }

  void Remove(const BatchId& id, BatchWatcher* watcher) {
    const auto it = watchers_.find(id);
    if (it == watchers_.end()) return;
    size_ -= static_cast<int>(std::erase(it->second, watcher));
    if (it->second.empty()) watchers_.erase(it);
  }

  // Those who watch `id`; a copy, since watchers may leave when told.
  std::vector<BatchWatcher*> Of(const BatchId& id) const {
    const auto it = watchers_.find(id);
    return it == watchers_.end() ? std::vector<BatchWatcher*>() : it->second;
  }
  bool Watched(const BatchId& id) const { return watchers_.contains(id); }

  int size() const { return size_; }

 private:
  absl::flat_hash_map<BatchId, std::vector<BatchWatcher*>> watchers_;
  int size_ = 0;
};

}  // namespace vigil::coordinator

#endif  // VIGIL_COORDINATOR_ENGINE_BATCH_HUB_H_
