// EndHold: how long the ends of short attempts wait for more of them, so that
// one message tells of several. Pure; thread-compatible.
#ifndef VIGIL_WORKER_LOOP_END_HOLD_H_
#define VIGIL_WORKER_LOOP_END_HOLD_H_

#include <algorithm>

#include "absl/time/time.h"
#include "worker/loop/limits.h"

namespace vigil::worker {

class EndHold {
 public:
  // Whether what is to be told waits. `may_wait`: it is ends alone, and nobody
  // is the worse for it. Never for longer than kEndsHeldMax.
  bool Holds(bool may_wait, absl::Time now) {
    if (may_wait) {
      deadline_ = std::min(deadline_, now + kEndsHeldMax);
      if (now < deadline_) return true;
    }
    deadline_ = absl::InfiniteFuture();
    return false;
  }

  // When Holds is to be asked again.
  absl::Time deadline() const { return deadline_; }

 private:
  absl::Time deadline_ = absl::InfiniteFuture();
};

}  // namespace vigil::worker

#endif  // VIGIL_WORKER_LOOP_END_HOLD_H_
