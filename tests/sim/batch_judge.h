// BatchJudge: knows what clients wanted of every batch and were told of it, and
// ends the run when the store or the processes say that it was not kept.
// Thread-compatible; owns the true history of every batch.
//
// What it holds the protocol to, whenever a commit is durable:
//  - an item that is accepted stays so, becomes at most one job, and has at
//    most one outcome; outcomes are numbered 1, 2, 3...;
//  - what the batch's row counts is what the final rows of its jobs and its
//    refusals say, and what has started has ended or is in flight;
//  - never more than max_in_flight jobs of a batch are not final, and never
//    more process trees of it can execute; the items of a sequential batch
//    begin one after the end of the other;
//  - a batch is stopped only by a cause that exists, and by a stop rule as soon
//    as it holds; one that is stopped starts no item, and nothing goes back;
//  - a batch ends when all that it started has, and nothing of it can execute;
//    unless it was stopped its client closed it and every item has started.
// And at any time:
//  - what was acknowledged is in the store, and a coordinator that is up has
//    the batch until it ended;
//  - a batch is stopped on time, and unless somebody was stopped, killed or cut
//    off, has ended when its jobs had the time to die.
#ifndef VIGIL_TESTS_SIM_BATCH_JUDGE_H_
#define VIGIL_TESTS_SIM_BATCH_JUDGE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "absl/time/time.h"
#include "base/ids.h"
#include "coordinator/core/core.h"
#include "tests/sim/batch_spec.h"
#include "tests/sim/batch_tally.h"
#include "tests/sim/coverage.h"
#include "tests/sim/event_queue.h"
#include "tests/sim/host_clock.h"
#include "tests/sim/job_spec.h"
#include "tests/sim/store.h"
#include "tests/sim/task_run.h"
#include "tests/sim/task_tree.h"

namespace vigil::sim {

class BatchJudge {
 public:
  struct Parts {
    EventQueue* queue;
    // The coordinator's, in whose time rows are.
    const HostClock* clock;
    Coverage* coverage;
    const Store* store;
  };
  explicit BatchJudge(const Parts& parts) : parts_(parts) {}

  void Check(bool condition, const BatchId& batch, const char* what) const;

  // --- what clients want, and are told once it is durable
  void Submitted(BatchSpec spec);
  const BatchSpec& Spec(const BatchId& batch) const { return Find(batch).spec; }
  void MayCancel(const BatchId& batch) { Find(batch).may_cancel = true; }
  void MayClose(const BatchId& batch) { Find(batch).may_close = true; }
  // No stream owns it any more, or one does again.
  void OwnerLost(const BatchId& batch);
  void OwnerBack(const BatchId& batch);
  // It exists, and its first `items` items are accepted.
  void Acknowledged(const BatchId& batch, int64_t items);
  void AcknowledgedClosed(const BatchId& batch) const;
  void AcknowledgedStopped(const BatchId& batch) const;

  // --- a commit becomes durable: these are about to be in the store...
  void Storing(const coordinator::Batch& row);
  void StoringJob(const JobSpec& spec, const coordinator::Job& row);
  void Storing(const coordinator::ItemEnd& end);
  // ...and now they are.
  void Stored();
  // Whether jobs of the batch may end CANCELLED, as the store has it.
  bool Stopped(const BatchId& batch) const;

  // --- attempts
  // A program really began one of an item.
  void Began(const JobSpec& item, std::shared_ptr<const TaskRun> run,
             std::shared_ptr<const TaskTree> tree);

  // --- all
  // Null while the coordinator is down.
  void CheckAcknowledged(const coordinator::Core* core) const;
  // Of those that a coordinator holds that is up and was not stopped.
  // `calm_since`: since when nobody was stopped, killed or cut off.
  void CheckNotLate(const coordinator::Core& core, absl::Time calm_since) const;
  // All have ended in the store.
  void CheckAllOver() const;
  bool AllEnded() const;

 private:
  // One attempt of an item that a program began.
  struct Begun {
    std::shared_ptr<const TaskRun> run;
    std::shared_ptr<const TaskTree> tree;

    bool runnable() const { return !run->over && tree->runnable(); }
  };
  struct Truth {
    BatchSpec spec;
    bool may_cancel = false;
    bool may_close = false;
    // Since when its stream is lost, and whether it once was for too long.
    absl::Time lost_time = absl::InfiniteFuture();
    bool was_lost = false;
    // -1: nothing was acknowledged.
    int64_t acknowledged = -1;
    // Items that have started, with their jobs, in the store.
    absl::btree_map<int64_t, JobId> jobs;
    // Of those, the jobs that are not final.
    absl::btree_set<JobId> live;
    // Of the outcomes in the store.
    BatchTally tally;
    absl::Time stop_time = absl::InfiniteFuture();
    // Those that can execute.
    std::vector<Begun> begun;
  };

  Truth& Find(const BatchId& batch);
  const Truth& Find(const BatchId& batch) const;
  void CheckStop(const coordinator::Batch& row, Truth* truth) const;
  void CheckCounts(const coordinator::Batch& row, const Truth& truth) const;
  void CheckEnd(const coordinator::Batch& row, const Truth& truth) const;
  void CountOutcome(const coordinator::Job* job) const;

  const Parts parts_;
  absl::btree_map<BatchId, Truth> batches_;
  // Of which something is in the commit that becomes durable.
  absl::btree_set<BatchId> touched_;
};

}  // namespace vigil::sim

#endif  // VIGIL_TESTS_SIM_BATCH_JUDGE_H_
