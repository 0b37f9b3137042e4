// WatchHub: who watches which job. Watchers are told of output at once and of
// changes when they are durable; a lossless one also holds back the
// acknowledgement of output that it has not passed on. Loop thread only; does
// not own the watchers.
#ifndef VIGIL_COORDINATOR_ENGINE_WATCH_HUB_H_
#define VIGIL_COORDINATOR_ENGINE_WATCH_HUB_H_

#include <algorithm>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "base/attempt.h"
#include "base/ids.h"
#include "vigil/v1/job.pb.h"
#include "vigil/v1/output.pb.h"

namespace vigil::coordinator {

class Watcher {
 public:
  virtual ~Watcher() = default;
  // The job after a durable change, or one of phase or progress.
  virtual void OnJob(const std::shared_ptr<const v1::Job>& job) = 0;
  virtual void OnOutput(const std::shared_ptr<const v1::Output>& output) = 0;
  virtual void OnNotice(const Failure& notice) = 0;
  // Bytes of an attempt's output that it holds back by not having passed them
  // on; 0 for one that may lose output.
  virtual int64_t HeldBytes(int attempt) const = 0;
};

class WatchHub {
 public:
  void Add(const JobId& id, Watcher* watcher) {
    watchers_[id].push_back(watcher);
    ++size_;
  }

  void Remove(const JobId& id, Watcher* watcher) {
    const auto it = watchers_.find(id);
    if (it == watchers_.end()) return;
    size_ -= static_cast<int>(std::erase(it->second, watcher));
    if (it->second.empty()) watchers_.erase(it);
  }

  // Those who watch `id`; a copy, since watchers may leave when told.
  std::vector<Watcher*> Of(const JobId& id) const {
    const auto it = watchers_.find(id);
    return it == watchers_.end() ? std::vector<Watcher*>() : it->second;
  }
  bool Watched(const JobId& id) const { return watchers_.contains(id); }

  // The most that any watcher of the attempt's job holds back.
  int64_t HeldBytes(const AttemptId& attempt) const {
    int64_t held = 0;
    const auto it = watchers_.find(attempt.job_id);
    if (it == watchers_.end()) return 0;
    for (const Watcher* watcher : it->second) {
      held = std::max(held, watcher->HeldBytes(attempt.number));
    }
    return held;
  }

  int size() const { return size_; }

 private:
  absl::flat_hash_map<JobId, std::vector<Watcher*>> watchers_;
  int size_ = 0;
};

}  // namespace vigil::coordinator

#endif  // VIGIL_COORDINATOR_ENGINE_WATCH_HUB_H_
