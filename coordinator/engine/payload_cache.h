// PayloadCache: large values of jobs that will soon be wanted: the programs of
// those submitted a moment ago, the checkpoints of those that run. Loses the
// oldest above its size; what is not here is read from the store. Loop thread
// only; values are shared with messages under way.
#ifndef VIGIL_COORDINATOR_ENGINE_PAYLOAD_CACHE_H_
#define VIGIL_COORDINATOR_ENGINE_PAYLOAD_CACHE_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "base/ids.h"

namespace vigil::coordinator {

class PayloadCache {
 public:
  explicit PayloadCache(int64_t bytes_max) : bytes_max_(bytes_max) {}

  // Takes the place of what was there; that does not make it younger.
  void Add(const JobId& id, std::shared_ptr<const std::string> payload) {
    std::shared_ptr<const std::string>& known = payloads_[id];
    if (known == nullptr) {
      order_.push_back(id);
    } else {
      bytes_ -= static_cast<int64_t>(known->size());
    }
    bytes_ += static_cast<int64_t>(payload->size());
    known = std::move(payload);
    while (bytes_ > bytes_max_ || order_.size() > 2 * payloads_.size() + 64) {
      Drop(order_.front());
      order_.pop_front();
    }
  }

  // Null when it is not here.
  std::shared_ptr<const std::string> Find(const JobId& id) const {
    const auto it = payloads_.find(id);
    return it == payloads_.end() ? nullptr : it->second;
  }

  void Drop(const JobId& id) {
    const auto it = payloads_.find(id);
    if (it == payloads_.end()) return;
    bytes_ -= static_cast<int64_t>(it->second->size());
    payloads_.erase(it);
  }

 private:
  const int64_t bytes_max_;
  int64_t bytes_ = 0;
  absl::flat_hash_map<JobId, std::shared_ptr<const std::string>> payloads_;
  // In order of arrival; also holds ids that were dropped since.
  std::deque<JobId> order_;
};

}  // namespace vigil::coordinator

#endif  // VIGIL_COORDINATOR_ENGINE_PAYLOAD_CACHE_H_
