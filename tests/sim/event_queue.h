// EventQueue: the simulated clock and what is to happen on it, in order of
// time; what is due at the same instant happens in the order in which it was
// asked for, so that a replay is exact. Thread-compatible; owns the closures.
#ifndef VIGIL_TESTS_SIM_EVENT_QUEUE_H_
#define VIGIL_TESTS_SIM_EVENT_QUEUE_H_

#include <cstdint>
#include <functional>
#include <vector>

#include "absl/time/time.h"

namespace vigil::sim {

// The instant at which every simulation starts; any would do.
inline constexpr absl::Time kStart = absl::UnixEpoch();

class EventQueue {
 public:
  using Event = std::function<void()>;

  absl::Time now() const { return now_; }
  // Events that have happened.
  int64_t happened() const { return happened_; }

  // Lets `event` happen at `time`, or now if that is over.
  void At(absl::Time time, Event event);
  void After(absl::Duration delay, Event event) {
    At(now_ + delay, std::move(event));
  }

  // Moves the clock to the next event and lets it happen. False if none is
  // left.
  bool Step();

 private:
  struct Entry {
    absl::Time time;
    uint64_t order;
    Event event;
  };
  static bool Later(const Entry& a, const Entry& b);

  absl::Time now_ = kStart;
  int64_t happened_ = 0;
  uint64_t last_order_ = 0;
  // A heap; the next entry is in front.
  std::vector<Entry> entries_;
};

}  // namespace vigil::sim

#endif  // VIGIL_TESTS_SIM_EVENT_QUEUE_H_
