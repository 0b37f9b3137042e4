// CacheClears: the callers that wait for a worker to clear the cache of a task
// type. Each is answered once: by the worker, by the loss of its stream, or
// when its time is over. Loop thread only; owns the callers' closures, which
// may add no new ones.
#ifndef VIGIL_COORDINATOR_ENGINE_CACHE_CLEARS_H_
#define VIGIL_COORDINATOR_ENGINE_CACHE_CLEARS_H_

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "coordinator/core/effects.h"
#include "coordinator/engine/limits.h"

namespace vigil::coordinator {

class CacheClears {
 public:
  using Done = std::function<void(const absl::Status&)>;

  bool full() const { return clears_.size() >= kCacheClearsMax; }

  // `number` is new within the stream.
  void Add(StreamId stream, int64_t number, absl::Time deadline, Done done) {
    clears_[{stream, number}] = {deadline, std::move(done)};
  }

  // Ignores numbers that nobody waits for (any more).
  void Answer(StreamId stream, int64_t number, const absl::Status& status) {
    const auto it = clears_.find({stream, number});
    if (it == clears_.end()) return;
    const Done done = std::move(it->second.done);
    clears_.erase(it);
    done(status);
  }

  void StreamLost(StreamId stream) {
    AnswerAll(
        [stream](const Key& key, const Clear&) { return key.first == stream; },
        absl::FailedPreconditionError(
            "the worker's stream was lost before it answered, so the cache may "
            "be there or not; try again when the worker is connected"));
  }

  void Expire(absl::Time now) {
    AnswerAll(
        [now](const Key&, const Clear& clear) { return clear.deadline <= now; },
        absl::DeadlineExceededError(
            "the worker did not answer in time; call again: it is safe to "
            "repeat"));
  }

  absl::Time NextDeadline() const {
    absl::Time next = absl::InfiniteFuture();
    for (const auto& [key, clear] : clears_) {
      next = std::min(next, clear.deadline);
    }
    return next;
  }

 private:
  using Key = std::pair<StreamId, int64_t>;
  struct Clear {
    absl::Time deadline;
    Done done;
  };

  template <typename Predicate>
  void AnswerAll(Predicate concerns, const absl::Status& status) {
    std::vector<Key> keys;
    for (const auto& [key, clear] : clears_) {
      if (concerns(key, clear)) keys.push_back(key);
    }
    for (const Key& key : keys) Answer(key.first, key.second, status);
  }

  std::map<Key, Clear> clears_;
};

}  // namespace vigil::coordinator

#endif  // VIGIL_COORDINATOR_ENGINE_CACHE_CLEARS_H_
