// WorkerCalls: the callers that wait for a worker to do one thing: to clear a
// cache, to sweep. Each is answered once: by the worker, by the loss of its
// stream, or when its time is over. Loop thread only; owns the callers'
// closures, which may add no new ones.
#ifndef VIGIL_COORDINATOR_ENGINE_WORKER_CALLS_H_
#define VIGIL_COORDINATOR_ENGINE_WORKER_CALLS_H_

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

// `Result` is what the worker answers: absl::Status, or absl::StatusOr of
// something.
template <typename Result>
class WorkerCalls {
 public:
  using Done = std::function<void(Result)>;

  bool full() const { return calls_.size() >= kWorkerCallsMax; }

  // `number` is new within the stream.
  void Add(StreamId stream, int64_t number, absl::Time deadline, Done done) {
    calls_[{stream, number}] = {deadline, std::move(done)};
  }

  // Ignores numbers that nobody waits for (any more).
  void Answer(StreamId stream, int64_t number, Result result) {
    const auto it = calls_.find({stream, number});
    if (it == calls_.end()) return;
    const Done done = std::move(it->second.done);
    calls_.erase(it);
    done(std::move(result));
  }

  void StreamLost(StreamId stream) {
    AnswerAll(
        [stream](const Key& key, const Call&) { return key.first == stream; },
        absl::FailedPreconditionError(
            "the worker's stream was lost before it answered, so it may have "
            "done it or not; try again when the worker is connected"));
  }

  void Expire(absl::Time now) {
    AnswerAll(
        [now](const Key&, const Call& call) { return call.deadline <= now; },
        absl::DeadlineExceededError(
            "the worker did not answer in time; call again: it is safe to "
            "repeat"));
  }

  absl::Time NextDeadline() const {
    absl::Time next = absl::InfiniteFuture();
    for (const auto& [key, call] : calls_) next = std::min(next, call.deadline);
    return next;
  }

 private:
  using Key = std::pair<StreamId, int64_t>;
  struct Call {
    absl::Time deadline;
    Done done;
  };

  template <typename Predicate>
  void AnswerAll(Predicate concerns, const absl::Status& status) {
    std::vector<Key> keys;
    for (const auto& [key, call] : calls_) {
      if (concerns(key, call)) keys.push_back(key);
    }
    for (const Key& key : keys) Answer(key.first, key.second, status);
  }

  std::map<Key, Call> calls_;
};

}  // namespace vigil::coordinator

#endif  // VIGIL_COORDINATOR_ENGINE_WORKER_CALLS_H_
