// ClockJudge: ends the run when a clock ends an attempt before its time or does
// not end it when that is over, by what its program really did.
// Thread-compatible; owns nothing.
#ifndef VIGIL_TESTS_SIM_CLOCK_JUDGE_H_
#define VIGIL_TESTS_SIM_CLOCK_JUDGE_H_

#include "absl/time/time.h"
#include "base/ids.h"
#include "base/policy.h"
#include "base/reason.h"
#include "tests/sim/event_queue.h"
#include "tests/sim/job_truth.h"

namespace vigil::sim {

class ClockJudge {
 public:
  // How late a clock may fire when nothing was stopped: a few turns of the
  // loops.
  static constexpr absl::Duration kLateMax = absl::Milliseconds(20);

  explicit ClockJudge(EventQueue* queue) : queue_(queue) {}

  // A clock decided to end an attempt of `job`; `begun` is null if no program
  // began it. `quiet_since`: since when neither its worker nor its slot were
  // stopped, nor output left unread.
  void Fired(const JobSpec& job, const BegunAttempt* begun, Reason reason,
             absl::Time quiet_since) const;
  // It is running, and nothing was decided against it.
  void StillRunning(const JobSpec& job, const BegunAttempt& begun,
                    absl::Time quiet_since) const;

 private:
  void Check(bool condition, const JobId& job, const char* what) const;

  EventQueue* const queue_;
};

}  // namespace vigil::sim

#endif  // VIGIL_TESTS_SIM_CLOCK_JUDGE_H_
