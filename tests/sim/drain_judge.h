// DrainJudge: ends the run when a worker leaves in another way than it was told
// to, or jobs fare otherwise for it than they should. Thread-compatible; owns
// what it noted.
//
// What it holds the protocol to:
//  - an attempt is stopped as DRAINED only by a worker that somebody told to
//    leave, and not before its grace is over;
//  - it is not charged for that; its job is tried again, unless it may start
//    only once and did, or was lost too often;
//  - a worker that leaves is assigned nothing new, and nobody by a coordinator
//    that does;
//  - when a worker has left, no job is waited for there, and none is ever given
//    up for its lease.
#ifndef VIGIL_TESTS_SIM_DRAIN_JUDGE_H_
#define VIGIL_TESTS_SIM_DRAIN_JUDGE_H_

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "absl/time/time.h"
#include "base/attempt.h"
#include "base/ids.h"
#include "coordinator/core/core.h"
#include "coordinator/core/effects.h"
#include "coordinator/core/job.h"
#include "tests/sim/coverage.h"
#include "tests/sim/event_queue.h"
#include "tests/sim/job_truth.h"

namespace vigil::sim {

class DrainJudge {
 public:
  DrainJudge(EventQueue* queue, Coverage* coverage)
      : queue_(queue), coverage_(coverage) {}

  // --- the worker
  // Somebody tells the worker of `session` to leave, and to stop in `grace`
  // what it still runs.
  void Asked(const SessionId& session, absl::Duration grace);
  // A session of a worker that leaves was given up; `session` takes its place.
  void Continues(const SessionId& before, const SessionId& session);
  // It stops `attempt` as DRAINED.
  void Stopped(const SessionId& session, const AttemptId& attempt) const;

  // --- the coordinator
  // It knows from now on that the worker of `session` leaves.
  void Leaves(const SessionId& session) { leaving_.insert(session); }
  // It heard that the worker has left, and `core` has acted on that.
  void Left(const SessionId& session, const coordinator::Core& core);
  // It is to end, and assigns nothing from now on.
  void CoordinatorLeaves() { coordinator_leaves_ = true; }
  // `effects` are those of a turn, and of `core`.
  void CheckAssigned(const coordinator::Effects& effects,
                     const coordinator::Core& core) const;
  // Its process ended, and the next one knows only what is durable.
  void Forgotten();
  // `row` is about to be stored.
  void Storing(const coordinator::Job& row, const JobTruth& truth) const;

 private:
  void Check(bool condition, const JobId& job, const char* what) const;
  // The attempt has failed, and its job has not ended by that.
  void CheckAttempt(const coordinator::Job& row,
                    const coordinator::AttemptRecord& attempt,
                    const JobTruth& truth) const;
  void CheckFailed(const coordinator::Job& row, const JobTruth& truth) const;

  EventQueue* const queue_;
  Coverage* const coverage_;
  // From when on an attempt of the session may be stopped, in true time.
  absl::btree_map<SessionId, absl::Time> stop_times_;
  absl::btree_set<SessionId> leaving_;
  absl::btree_set<SessionId> left_;
  bool coordinator_leaves_ = false;
};

}  // namespace vigil::sim

#endif  // VIGIL_TESTS_SIM_DRAIN_JUDGE_H_
