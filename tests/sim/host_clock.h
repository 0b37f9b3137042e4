// HostClock: the clock of one host, as its processes read it: it stands apart
// from true time, which is the queue's, and runs faster or slower than that at
// a constant rate. Of true time nothing may be decided but by the judge.
// Thread-compatible; does not own the queue.
#ifndef VIGIL_TESTS_SIM_HOST_CLOCK_H_
#define VIGIL_TESTS_SIM_HOST_CLOCK_H_

#include <cstdint>

#include "absl/time/time.h"
#include "tests/sim/event_queue.h"

namespace vigil::sim {

class HostClock {
 public:
  // How many millionths a clock may run too fast or too slow. The protocol
  // assumes that two clocks drift apart by at most a hundredth of a lease
  // (--lease_margin); 30 s on the slowest and 30.3 s on the fastest of these
  // end 4 ms apart, which is for turns of the loops.
  static constexpr int64_t kErrorPpmMax = 4900;

  struct Options {
    // Positive: it runs too fast.
    int64_t error_ppm = 0;
    // What it shows more than true time, when a simulation begins.
    absl::Duration offset;
  };

  HostClock(EventQueue* queue, const Options& options)
      : queue_(queue), options_(options) {}

  absl::Time now() const { return Shows(queue_->now()); }
  // What it shows at the instant `time`.
  absl::Time Shows(absl::Time time) const;
  // The first instant at which it shows `shown`.
  absl::Time When(absl::Time shown) const;

  // Within what true time a clock that is right enough counts `time`.
  static absl::Duration Shortest(absl::Duration time);
  static absl::Duration Longest(absl::Duration time);

 private:
  EventQueue* const queue_;
  const Options options_;
};

}  // namespace vigil::sim

#endif  // VIGIL_TESTS_SIM_HOST_CLOCK_H_
