// RetryJudge: ends the run when an attempt begins before the backoff of the one
// before it is over. Thread-compatible; owns nothing.
//
// What it holds the protocol to: from the end of an attempt, as its row has it,
// to the begin of the next one it takes at least what the job's policy says
// with all jitter subtracted, or what the task itself asked for; also when the
// coordinator was started anew in between. Only an assignment that never
// reached its worker is made again at once, and one that was handed back after
// kHandedBackDelay. What the wait should be is worked out here from the policy
// and the worker's reports, not taken from the core.
#ifndef VIGIL_TESTS_SIM_RETRY_JUDGE_H_
#define VIGIL_TESTS_SIM_RETRY_JUDGE_H_

#include "absl/time/time.h"
#include "coordinator/core/job.h"
#include "tests/sim/event_queue.h"
#include "tests/sim/host_clock.h"
#include "tests/sim/job_truth.h"

namespace vigil::sim {

class RetryJudge {
 public:
  // `clock` is the coordinator's.
  RetryJudge(EventQueue* queue, const HostClock* clock)
      : queue_(queue), clock_(clock) {}

  // `row` is about to be stored: notes which of its attempts have ended.
  void Storing(const coordinator::Job& row, JobTruth* truth) const;
  // A program begins attempt `number`.
  void Began(int number, const JobTruth& truth) const;

 private:
  absl::Duration Wait(const coordinator::Job& row,
                      const coordinator::AttemptRecord& attempt,
                      const JobTruth& truth) const;

  EventQueue* const queue_;
  const HostClock* const clock_;
};

}  // namespace vigil::sim

#endif  // VIGIL_TESTS_SIM_RETRY_JUDGE_H_
