// Judge: knows what really happened, from the task processes and the store
// rather than from what the cores say, and ends the run at the first thing that
// must not be. Thread-compatible; owns the true history of every job.
//
// What it holds the protocol to:
//  - an acknowledged job has a row for good, and unless that row is final the
//    coordinator that is up has the job;
//  - a job has at most one process tree that can execute at any instant, and no
//    attempt starts beside an older tree at all, unless that one was given up
//    with its worker's lease and the kernel does not let go of it;
//  - of an attempt in a warm program, executing is from where that begins it to
//    where it hands in how it ended;
//  - an attempt starts only when its assignment is durable, each number once,
//    and never after the job's end or its cancellation are durable;
//  - maximum_attempts: 1 starts at most once; charged attempts keep to theirs;
//  - a final row never changes; numbers and revisions never go back;
//  - an end is reported only of a tree that is gone, or as unconfirmed, with
//    all its output counted;
//  - a clock fires neither before its time nor, unless somebody was stopped,
//    more than kLateMax after it;
//  - charges and outcomes are as OutcomeJudge says, backoffs as RetryJudge,
//    batches as BatchJudge, and what becomes of workers that leave as
//    DrainJudge do.
// It measures in true time, which no node knows, and grants to clocks that they
// run as wrong as HostClock says, and nothing else.
#ifndef VIGIL_TESTS_SIM_JUDGE_H_
#define VIGIL_TESTS_SIM_JUDGE_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/container/btree_map.h"
#include "absl/time/time.h"
#include "base/attempt.h"
#include "base/ids.h"
#include "coordinator/core/core.h"
#include "coordinator/core/job.h"
#include "tests/sim/batch_judge.h"
#include "tests/sim/clock_judge.h"
#include "tests/sim/coverage.h"
#include "tests/sim/drain_judge.h"
#include "tests/sim/event_queue.h"
#include "tests/sim/host_clock.h"
#include "tests/sim/job_spec.h"
#include "tests/sim/job_truth.h"
#include "tests/sim/outcome_judge.h"
#include "tests/sim/retry_judge.h"
#include "tests/sim/store.h"
#include "tests/sim/task_run.h"
#include "tests/sim/task_tree.h"
#include "tests/sim/trace.h"

namespace vigil::sim {

class Judge {
 public:
  static constexpr absl::Duration kLateMax = ClockJudge::kLateMax;

  struct Parts {
    EventQueue* queue;
    // The coordinator's, in whose time rows are.
    const HostClock* clock;
    Trace* trace;
    Coverage* coverage;
    const Store* store;
  };
  explicit Judge(const Parts& parts)
      : parts_(parts),
        batches_({parts.queue, parts.clock, parts.coverage, parts.store}),
        outcomes_({parts.queue, parts.clock, parts.coverage, &batches_}),
        retries_(parts.queue, parts.clock),
        clocks_(parts.queue),
        drains_(parts.queue, parts.coverage) {}

  // Ends the process, after saying what must not be.
  [[noreturn]] void Violation(const std::string& what) const;
  void Check(bool condition, const JobId& job, const char* what) const {
    if (!condition) Violation(job.value() + ": " + what);
  }

  BatchJudge& batches() { return batches_; }
  const BatchJudge& batches() const { return batches_; }
  DrainJudge& drains() { return drains_; }

  // --- jobs
  void Submitted(JobSpec spec);
  const JobSpec& Spec(const JobId& job) const;
  // The client was told that the job is accepted.
  void Acknowledged(const JobId& job);
  // From now on the job may end CANCELLED.
  void MayCancel(const JobId& job);
  bool acknowledged(const JobId& job) const;
  // The row is about to replace the job's row in the store.
  void Storing(const coordinator::Job& row);

  // --- attempts
  // A program really began one.
  void Began(std::shared_ptr<const TaskRun> run,
             std::shared_ptr<const TaskTree> tree);
  // A clock decided to end `attempt`. `quiet_since`: since when neither its
  // worker nor its slot were stopped, nor output left unread.
  void ClockFired(const AttemptId& attempt, Reason reason,
                  absl::Time quiet_since) const;
  // It is running, and nothing was decided against it.
  void StillRunning(const AttemptId& attempt, absl::Time quiet_since) const;
  // Its worker reports the end, and has read all of its output or not.
  enum class Output { kRead, kCutOff };
  void EndReported(const AttemptEnd& end, Output output);

  // --- all
  // Null while the coordinator is down.
  void CheckAcknowledged(const coordinator::Core* core) const;
  // Of the jobs a coordinator that is up and was not stopped holds.
  // `calm_since`: since when nobody was stopped, killed or cut off.
  void CheckNotLate(const coordinator::Core& core, absl::Time calm_since) const;
  // No tree of any job can execute; all jobs are final in the store, and all
  // batches ENDED.
  void CheckAllOver() const;
  bool AllFinal() const;

 private:
  JobTruth& Find(const JobId& job);
  const JobTruth& Find(const JobId& job) const;
  // Null if it never began.
  const BegunAttempt* FindBegun(const AttemptId& attempt) const;

  const Parts parts_;
  BatchJudge batches_;
  const OutcomeJudge outcomes_;
  const RetryJudge retries_;
  const ClockJudge clocks_;
  DrainJudge drains_;
  absl::btree_map<JobId, JobTruth> jobs_;
};

}  // namespace vigil::sim

#endif  // VIGIL_TESTS_SIM_JUDGE_H_
