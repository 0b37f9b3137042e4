// WorkAhead: how many attempts a worker takes beyond its slots. A task that
// lasts a millisecond or two is over before the next one could come from the
// coordinator, so slots would stand idle; and each of them would cost the
// coordinator a commit of its own. Measured, not configured: what programs of
// one attempt take decides. Pure; thread-compatible.
#ifndef VIGIL_WORKER_CORE_WORK_AHEAD_H_
#define VIGIL_WORKER_CORE_WORK_AHEAD_H_

#include <optional>

#include "absl/time/time.h"

namespace vigil::worker {

// The next mean of times, of which `time` is the last; `mean` is absent before
// the first.
absl::Duration NextMean(std::optional<absl::Duration> mean,
                        absl::Duration time);

// How many jobs of that length one slot should hold, so that it has kWorkAhead:
// a power of two, so that it seldom changes, from 1 to `max`.
int DepthFor(absl::Duration mean, int max);

class WorkAhead {
 public:
  // An attempt had a slot of its own for `time`.
  void Ran(absl::Duration time) { mean_ = NextMean(mean_, time); }
  // Attempts waited for longer than kWaitForSlotMax: what runs is long.
  void Waited();

  // Attempts to take beyond the slots, of which `quick` run nothing, or nothing
  // that has run for long; 0 to kAheadMax.
  int For(int quick) const;

 private:
  std::optional<absl::Duration> mean_;
};

}  // namespace vigil::worker

#endif  // VIGIL_WORKER_CORE_WORK_AHEAD_H_
