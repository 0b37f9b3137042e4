// EventSlot: hands the events of one stream, which reads on demand, to who
// takes them. Thread-safe. Shared by a reader and by its stream's observer;
// holds one event at most, and the end.
#ifndef VIGIL_CLIENT_CC_EVENT_SLOT_H_
#define VIGIL_CLIENT_CC_EVENT_SLOT_H_

#include <functional>
#include <optional>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"

namespace vigil::client {

template <typename Event, typename Result>
class EventSlot {
 public:
  // Called with the next event, or without one when none follows.
  using Taker = absl::AnyInvocable<void(std::optional<Event>)>;

  // An event came.
  void Put(const Event& event) {
    Taker taker;
    std::function<void()> drop;
    {
      absl::MutexLock lock(&mu_);
      taker = std::exchange(taker_, nullptr);
      drop = drop_;
      if (!taker && !drop) event_ = event;
    }
    if (drop) drop();
    if (taker) taker(event);
  }

  // No more events come.
  void End(absl::StatusOr<Result> result) {
    Taker taker;
    {
      absl::MutexLock lock(&mu_);
      end_ = std::move(result);
      ended_ = true;
      taker = std::exchange(taker_, nullptr);
      // It holds the stream, which holds this.
      drop_ = nullptr;
    }
    if (taker) taker(std::nullopt);
  }

  // Takes the next event. Precondition: nobody else waits.
  void Take(Taker taker) {
    std::optional<Event> event;
    {
      absl::MutexLock lock(&mu_);
      event = std::exchange(event_, std::nullopt);
      if (!event.has_value() && !ended_) {
        taker_ = std::move(taker);
        return;
      }
    }
    taker(std::move(event));
  }

  // From now on nobody takes events: calls `drop`, now and for each that comes.
  void Drop(std::function<void()> drop) {
    {
      absl::MutexLock lock(&mu_);
      event_.reset();
      if (ended_) return;
      drop_ = drop;
    }
    drop();
  }

  absl::StatusOr<Result> end() const {
    absl::MutexLock lock(&mu_);
    return end_;
  }

 private:
  mutable absl::Mutex mu_;
  std::optional<Event> event_ ABSL_GUARDED_BY(mu_);
  Taker taker_ ABSL_GUARDED_BY(mu_);
  std::function<void()> drop_ ABSL_GUARDED_BY(mu_);
  bool ended_ ABSL_GUARDED_BY(mu_) = false;
  absl::StatusOr<Result> end_ ABSL_GUARDED_BY(mu_) =
      absl::UnknownError("the stream has not ended");
};

}  // namespace vigil::client

#endif  // VIGIL_CLIENT_CC_EVENT_SLOT_H_
