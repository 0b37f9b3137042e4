// Clock: the only source of time outside tests. Instants are wall-clock times
// as they were when the process started, advanced by CLOCK_BOOTTIME: they read
// as dates, keep counting while the machine sleeps, and no step of the wall
// clock moves a deadline. Thread-safe.
#ifndef VIGIL_BASE_CLOCK_H_
#define VIGIL_BASE_CLOCK_H_

#include "absl/time/time.h"

namespace vigil {

class Clock {
 public:
  // Anchors the timeline to the wall clock now. `not_before` is the last
  // instant recorded by an earlier process on the same state: the timeline does
  // not start before it, so restored deadlines never lie in a future that a
  // wall clock set back invented.
  explicit Clock(absl::Time not_before = absl::InfinitePast());

  absl::Time Now() const;

  // The instant as CLOCK_BOOTTIME since boot: what processes of one machine
  // agree on.
  absl::Duration ToBoottime(absl::Time time) const { return time - anchor_; }
  absl::Time FromBoottime(absl::Duration since_boot) const {
    return anchor_ + since_boot;
  }

 private:
  // The instant at which CLOCK_BOOTTIME was zero.
  absl::Time anchor_;
};

// CLOCK_BOOTTIME now.
absl::Duration BoottimeNow();

}  // namespace vigil

#endif  // VIGIL_BASE_CLOCK_H_
