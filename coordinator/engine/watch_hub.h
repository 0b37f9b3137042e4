// WatchHub: who watches which job. Watchers are told of output at once and of
// changes when they are durable; a lossless one also holds back the
// acknowledgement of output that it has not passed on. What all of them hold
// together is bounded: the oldest output is taken from those who have it, who
// find it in the store. Loop thread only; does not own the watchers, and must
// outlive the output that they hold.
#ifndef VIGIL_COORDINATOR_ENGINE_WATCH_HUB_H_
#define VIGIL_COORDINATOR_ENGINE_WATCH_HUB_H_

#include <algorithm>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "base/attempt.h"
#include "base/ids.h"
#include "coordinator/engine/limits.h"
#include "vigil/v1/job.pb.h"
#include "vigil/v1/output.pb.h"

namespace vigil::coordinator {

class Watcher {
 public:
  virtual ~Watcher() = default;
  // The job after a durable change, or one of phase or progress. If it has
  // ended, and `stored_result_bytes` is not 0, its result is to be read from
  // the store and added.
  virtual void OnJob(const std::shared_ptr<const v1::Job>& job,
                     int64_t stored_result_bytes) = 0;
  // Output that arrived; shared by all who watch the job.
  virtual void OnOutput(const std::shared_ptr<const v1::Output>& output) = 0;
  // Memory is short: lets go of `output`, if it still has it.
  virtual void ForgetOutput(const v1::Output& output) = 0;
  virtual void OnNotice(const Failure& notice) = 0;
  // Bytes of an attempt's output that it holds back by not having passed them
  // on, of the `received_bytes` that came; 0 for one that may lose output.
  virtual int64_t HeldBytes(int attempt, int64_t received_bytes) const = 0;
};

class WatchHub {
 public:
  explicit WatchHub(int64_t bytes_max = kWatchersBytesMax)
      : bytes_max_(bytes_max) {}
  WatchHub(const WatchHub&) = delete;
  WatchHub& operator=(const WatchHub&) = delete;

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

  // Hands output to those who watch `id`.
  void TellOutput(const JobId& id, v1::Output output);

  // The most that any watcher of the attempt's job holds back.
  int64_t HeldBytes(const AttemptId& attempt, int64_t received_bytes) const {
    int64_t held = 0;
    const auto it = watchers_.find(attempt.job_id);
    if (it == watchers_.end()) return 0;
    for (const Watcher* watcher : it->second) {
      held = std::max(held, watcher->HeldBytes(attempt.number, received_bytes));
    }
    return held;
  }

  int size() const { return size_; }
  // What the output costs that any watcher holds.
  int64_t held_output_bytes() const { return held_bytes_; }

 private:
  // Output in order of arrival; also what nobody holds any more.
  struct Told {
    JobId id;
    std::weak_ptr<const v1::Output> output;
  };

  void Trim();

  const int64_t bytes_max_;
  absl::flat_hash_map<JobId, std::vector<Watcher*>> watchers_;
  int size_ = 0;
  std::deque<Told> told_;
  int64_t held_pieces_ = 0;
  int64_t held_bytes_ = 0;
};

}  // namespace vigil::coordinator

#endif  // VIGIL_COORDINATOR_ENGINE_WATCH_HUB_H_
