// UsableSlots: how many of its slots a worker uses. An attempt that finds its
// host short of threads, processes, memory or files halves them; each quiet
// minute gives one back. Pure: `now` is always given; thread-compatible.
#ifndef VIGIL_WORKER_CORE_USABLE_SLOTS_H_
#define VIGIL_WORKER_CORE_USABLE_SLOTS_H_

#include <optional>
#include <string>

#include "absl/time/time.h"
#include "base/attempt.h"
#include "base/ids.h"

namespace vigil::worker {

// Fewer slots than there are.
struct LoweredSlots {
  // At least 1.
  int slots = 0;
  // Which attempt was the last that halved them, or would have, and what it
  // said; the same text until another one does.
  std::string cause;

  friend bool operator==(const LoweredSlots&, const LoweredSlots&) = default;
};

class UsableSlots {
 public:
  // There are `slots` now. All of them are usable if all were, or if no more
  // were than there are now.
  void SetSlots(int slots);

  // The attempt, which was given its slot at `begin`, ended RESOURCE_EXHAUSTED.
  // If it began before the last halving, its exhaustion is of the same moment:
  // it halves nothing, and the minute begins anew.
  void Exhausted(const AttemptId& attempt, absl::Time begin,
                 const Failure& failure, absl::Time now);

  // Gives back what is due.
  void Tick(absl::Time now);
  // When Tick is next due.
  absl::Time NextDeadline() const { return give_back_time_; }

  int count() const { return lowered_.has_value() ? lowered_->slots : slots_; }
  // Absent: all are usable.
  const std::optional<LoweredSlots>& lowered() const { return lowered_; }

 private:
  void UseAll();

  int slots_ = 0;
  std::optional<LoweredSlots> lowered_;
  absl::Time halving_time_ = absl::InfinitePast();
  absl::Time give_back_time_ = absl::InfiniteFuture();
};

}  // namespace vigil::worker

#endif  // VIGIL_WORKER_CORE_USABLE_SLOTS_H_
