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
//    where it hands in how it ended; one that began is never handed back, nor
//    charged to its process, and one that did not is never charged by its end;
//  - an attempt starts only when its assignment is durable, each number once,
//    and never after the job's end or its cancellation are durable;
//  - maximum_attempts: 1 starts at most once; charged attempts keep to theirs;
//  - a final row never changes; numbers and revisions never go back;
//  - an end is reported only of a tree that is gone, or as unconfirmed, with
//    all its output counted;
//  - a job ends as its last program really did, or for a reason that exists;
//  - a job is truncated only by its chunk policy, and when something was done;
//  - a clock fires neither before its time nor, unless somebody was stopped,
//    more than kLateMax after it;
//  - batches are as BatchJudge says.
#ifndef VIGIL_TESTS_SIM_JUDGE_H_
#define VIGIL_TESTS_SIM_JUDGE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "base/attempt.h"
#include "base/ids.h"
#include "coordinator/core/core.h"
#include "coordinator/core/job.h"
#include "tests/sim/batch_judge.h"
#include "tests/sim/coverage.h"
#include "tests/sim/event_queue.h"
#include "tests/sim/job_spec.h"
#include "tests/sim/store.h"
#include "tests/sim/task_run.h"
#include "tests/sim/task_tree.h"
#include "tests/sim/trace.h"

namespace vigil::sim {

class Judge {
 public:
  // How late a clock may fire when nothing was stopped: a few turns of the
  // loops.
  static constexpr absl::Duration kLateMax = absl::Milliseconds(20);

  struct Parts {
    EventQueue* queue;
    Trace* trace;
    Coverage* coverage;
    const Store* store;
  };
  explicit Judge(const Parts& parts)
      : parts_(parts), batches_({parts.queue, parts.coverage, parts.store}) {}

  // Ends the process, after saying what must not be.
  [[noreturn]] void Violation(const std::string& what) const;
  void Check(bool condition, const JobId& job, const char* what) const {
    if (!condition) Violation(job.value() + ": " + what);
  }

  BatchJudge& batches() { return batches_; }
  const BatchJudge& batches() const { return batches_; }

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
  // One attempt that a program began.
  struct Begun {
    std::shared_ptr<const TaskRun> run;
    std::shared_ptr<const TaskTree> tree;

    // Whether anything of it still executes, or is still there.
    bool runnable() const { return !run->over && tree->runnable(); }
    bool exists() const { return !run->over && tree->exists(); }
  };
  struct Truth {
    JobSpec spec;
    bool acknowledged = false;
    bool may_cancel = false;
    std::vector<Begun> begun;
    absl::btree_set<int> started;
    absl::btree_set<int> end_reported;
    // Its end was reported, but not its death.
    absl::btree_set<int> unconfirmed;
    // Given up with the lease of its worker; rows forget old attempts.
    absl::btree_set<int> lost;
  };

  Truth& Find(const JobId& job);
  const Truth& Find(const JobId& job) const;
  // Null if it never began.
  const Begun* FindBegun(const AttemptId& attempt) const;
  void CheckTruncation(const coordinator::Job& row, const Truth& truth) const;
  void CheckCharges(const coordinator::Job& row, const Truth& truth) const;
  void CheckOutcome(const coordinator::Job& row, const Truth& truth) const;

  const Parts parts_;
  BatchJudge batches_;
  absl::btree_map<JobId, Truth> jobs_;
};

}  // namespace vigil::sim

#endif  // VIGIL_TESTS_SIM_JUDGE_H_
