// OutcomeJudge: ends the run when a job's row says of its attempts or of its
// end what its programs did not do. Thread-compatible; owns nothing.
//
// What it holds the protocol to:
//  - of attempts in a warm program, one that began is never handed back, nor
//    charged to its process, and one that did not is never charged by its end;
//  - a job ends as its last program really did, or for a reason that exists;
//  - a job is truncated only by its chunk policy, and when something was done.
#ifndef VIGIL_TESTS_SIM_OUTCOME_JUDGE_H_
#define VIGIL_TESTS_SIM_OUTCOME_JUDGE_H_

#include <string>

#include "absl/time/time.h"
#include "base/ids.h"
#include "coordinator/core/job.h"
#include "tests/sim/batch_judge.h"
#include "tests/sim/coverage.h"
#include "tests/sim/event_queue.h"
#include "tests/sim/host_clock.h"
#include "tests/sim/job_truth.h"

namespace vigil::sim {

class OutcomeJudge {
 public:
  struct Parts {
    EventQueue* queue;
    // The coordinator's, in whose time rows are.
    const HostClock* clock;
    Coverage* coverage;
    const BatchJudge* batches;
  };
  explicit OutcomeJudge(const Parts& parts) : parts_(parts) {}

  // `row` is about to be stored.
  void CheckCharges(const coordinator::Job& row, const JobTruth& truth) const;
  // `row` is final and about to be stored.
  void CheckOutcome(const coordinator::Job& row, const JobTruth& truth) const;

 private:
  void Check(bool condition, const JobId& job, const char* what) const;
  // Whether `timeout` may have passed from `begin` to `end`.
  bool MayBeOver(absl::Time begin, absl::Time end,
                 absl::Duration timeout) const;
  void CheckTruncation(const coordinator::Job& row,
                       const JobTruth& truth) const;
  void CheckFailure(const coordinator::Job& row, const JobTruth& truth) const;

  const Parts parts_;
};

}  // namespace vigil::sim

#endif  // VIGIL_TESTS_SIM_OUTCOME_JUDGE_H_
