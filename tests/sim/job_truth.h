// JobTruth: what really happened to one job, from its processes rather than
// from what the cores say of them. A value, thread-compatible; shares the runs
// and trees.
#ifndef VIGIL_TESTS_SIM_JOB_TRUTH_H_
#define VIGIL_TESTS_SIM_JOB_TRUTH_H_

#include <memory>
#include <optional>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "absl/time/time.h"
#include "tests/sim/job_spec.h"
#include "tests/sim/task_run.h"
#include "tests/sim/task_tree.h"

namespace vigil::sim {

// One attempt that a program began.
struct BegunAttempt {
  std::shared_ptr<const TaskRun> run;
  std::shared_ptr<const TaskTree> tree;

  // Whether anything of it still executes, or is still there.
  bool runnable() const { return !run->over && tree->runnable(); }
  bool exists() const { return !run->over && tree->exists(); }
};

// The end of an attempt as its worker reported it.
struct ReportedEnd {
  absl::Time report_time;
  // The task's own, for the wait before the next attempt.
  std::optional<absl::Duration> wish;
};

// By number of attempt. Instants are of true time.
struct JobTruth {
  JobSpec spec;
  bool acknowledged = false;
  bool may_cancel = false;
  std::vector<BegunAttempt> begun;
  absl::btree_set<int> started;
  absl::btree_map<int, ReportedEnd> ends;
  // Of those that failed: when the next one may begin at the earliest.
  absl::btree_map<int, absl::Time> retry_times;
  // Its end was reported, but not its death.
  absl::btree_set<int> unconfirmed;
  // Given up with the lease of its worker; rows forget old attempts.
  absl::btree_set<int> lost;
};

}  // namespace vigil::sim

#endif  // VIGIL_TESTS_SIM_JOB_TRUTH_H_
