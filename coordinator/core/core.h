// Core: every decision of the coordinator and nothing else. It is told what
// happened and the time, changes its state by the transition table, and says in
// Effects what must be stored, sent or shown; it does no I/O and reads no
// clock, so whole clusters run in a simulation. Loop thread only; owns all jobs
// that have not ended and all workers.
//
// The caller applies all events of a turn, then calls Tick once, then hands
// Effects::save to the store. A job that ended stays until Forget, which the
// caller sends once its last row is durable.
#ifndef VIGIL_COORDINATOR_CORE_CORE_H_
#define VIGIL_COORDINATOR_CORE_CORE_H_

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/attempt.h"
#include "base/deadline_heap.h"
#include "base/host.h"
#include "base/ids.h"
#include "base/task_token.h"
#include "coordinator/core/batch_table.h"
#include "coordinator/core/effects.h"
#include "coordinator/core/job.h"
#include "coordinator/core/job_queues.h"
#include "coordinator/core/limits.h"
#include "coordinator/core/worker_record.h"

namespace vigil::coordinator {

struct CoreOptions {
  absl::Duration lease = kLease;
  absl::Duration lease_margin = kLeaseMargin;
  // The lease that workers of an earlier epoch were given; the longer of the
  // two is waited for after a restart.
  absl::Duration previous_lease = absl::ZeroDuration();
  // Nothing is given to workers before: where what is remembered is older than
  // what they may run, when their leases are over.
  absl::Time dispatch_time = absl::InfinitePast();
  // Names what is remembered; sessions of another history are fenced.
  std::string history;
  int64_t live_jobs_max = kLiveJobsMax;
  // Seeds the jitter of retries.
  uint64_t seed = 1;
};

// A submission, checked and resolved by the caller.
struct NewJob {
  JobId id;
  std::string namespace_;
  std::string request_id;
  uint64_t request_hash = 0;
  std::string task_type;
  int priority = 0;
  std::shared_ptr<const JobPolicy> policy;
};

// A batch, checked and resolved by the caller.
struct NewBatch {
  BatchId id;
  std::string namespace_;
  std::string request_id;
  uint64_t request_hash = 0;
  BatchPolicy policy;
};

// What the coordinator tells a worker that attached.
struct AttachVerdict {
  // Of the attempts it runs, those that it must kill.
  std::vector<AttemptId> kill;
};

// Counts since this coordinator started.
struct Counters {
  std::array<int64_t, kJobStates> ended = {};
  int64_t attempts_lost = 0;
  int64_t fenced = 0;
  // Attempts whose trees could not be proved dead.
  int64_t deaths_unconfirmed = 0;
  // Processes and threads that attempts which ended were not to have, and pools
  // that ran in sequence.
  int64_t nested_calls = 0;
  int64_t sequential_pools = 0;
  // Jobs that tasks submitted.
  int64_t nested_dispatches = 0;
  // Jobs that SUCCEEDED by their fallback.
  int64_t fallbacks = 0;
  // Jobs that SUCCEEDED with a part of their chunks.
  int64_t truncations = 0;
};

class Core {
 public:
  explicit Core(const CoreOptions& options);
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;
  ~Core();

  // Takes a job back from the store, in order of submission. Attempts that ran
  // are waited for until the lease of their worker is over.
  void Restore(std::unique_ptr<Job> job, absl::Time now);

  // Accepts a job. RESOURCE_EXHAUSTED: too many live jobs; try again after
  // kAdmissionRetryDelay. The id must be new.
  absl::StatusOr<const Job*> Submit(NewJob job, absl::Time now, Effects* fx);

  // OK, or the error that Submit would return for want of room.
  absl::Status CanAdmit() const;

  // Records the wish to end a job. False when no such job is live.
  bool Cancel(const JobId& id, absl::Time now, Effects* fx);

  // A stream owns the job from now on, in place of any other. Returns what it
  // is to give to OwnerGone.
  int64_t OwnerBack(const JobId& id);
  // A stream that owned it broke. Ignored if another has taken over, which may
  // be heard of first.
  void OwnerGone(const JobId& id, int64_t owner, absl::Time now);

  // A task submitted `jobs` jobs and was refused; `token` is absent if it is
  // damaged. Counts it with the task's attempt too, if that still runs, whose
  // failure for a reason of its own then becomes NESTED_DISPATCH.
  void CountNestedDispatch(const std::optional<TaskToken>& token, int jobs,
                           absl::Time now, Effects* fx);

  // Drops an ended job whose last row is durable. Returns it, or null when
  // the job has not ended or was dropped.
  std::unique_ptr<Job> Forget(const JobId& id);

  // --- batches. None of these does anything to a batch that is not live, or
  // that is past what is asked for. Takes a batch back from the store; its jobs
  // follow by Restore.
  void RestoreBatch(std::unique_ptr<Batch> batch, absl::Time now);
  // Makes a batch. RESOURCE_EXHAUSTED: too many live batches; try again after
  // kAdmissionRetryDelay. The id must be new.
  absl::StatusOr<const Batch*> CreateBatch(NewBatch batch, absl::Time now,
                                           Effects* fx);
  // The batch has `items` more, which the caller holds until it starts them.
  void AcceptItems(const BatchId& id, int64_t items, Effects* fx);
  // Makes the next item a job. Errors as Submit, the item is still the next
  // then. Precondition: Batch::room() and an item that has not started.
  absl::StatusOr<const Job*> StartItem(const BatchId& id, NewJob job,
                                       absl::Time now, Effects* fx);
  // The next item cannot become a job: it has failed.
  void RefuseItem(const BatchId& id, absl::Status why, absl::Time now,
                  Effects* fx);
  // There are no more items.
  void CloseBatch(const BatchId& id, absl::Time now, Effects* fx);
  void CancelBatch(const BatchId& id, Effects* fx);
  // As OwnerBack and OwnerGone, of a streamed batch.
  int64_t BatchOwnerBack(const BatchId& id);
  void BatchOwnerGone(const BatchId& id, int64_t owner, absl::Time now);
  // Drops an ended batch whose last row is durable. Null: it has not ended.
  std::unique_ptr<Batch> ForgetBatch(const BatchId& id);
  // Null when the batch is not live.
  const Batch* FindBatch(const BatchId& id) const { return batches_.Find(id); }
  const BatchTable::Batches& batches() const { return batches_.batches(); }

  // A worker opened `stream`. ABORTED: the session was fenced, or is another
  // worker's; the worker kills what it runs and starts a new session. With
  // `predecessors_dead` the other sessions of this worker that are known now
  // are dead, as by WorkerDead, at the first Heartbeat on this stream: an
  // Attach may be read after its sender has died and been succeeded, a
  // heartbeat answers what was sent after it.
  absl::StatusOr<AttachVerdict> Attach(StreamId stream, WorkerHello hello,
                                       absl::Time now, Effects* fx);
  // The stream ended, for whatever reason. Ends no attempt.
  void StreamLost(StreamId stream);
  // `stuck_slots` are those whose trees the worker could not kill.
  void Heartbeat(StreamId stream, int64_t number, HostLoad host,
                 std::set<int> stuck_slots, absl::Time now, Effects* fx);
  void Update(StreamId stream, AttemptUpdate update, absl::Time now,
              Effects* fx);
  void End(StreamId stream, AttemptEnd end, absl::Time now, Effects* fx);
  // The attempt left a state to go on from; takes the place of the last one.
  void TakeCheckpoint(StreamId stream, AttemptCheckpoint checkpoint,
                      absl::Time now, Effects* fx);
  // What the worker offers from now on, as in WorkerHello.
  void Announce(StreamId stream, std::set<std::string> task_types,
                std::map<std::string, int> max_slots);
  // How one of its task types is doing.
  void SetTaskTypeStatus(StreamId stream, TaskTypeStatus status);
  // The worker takes that many attempts beyond its slots, 0 to kAheadMax.
  void SetAhead(StreamId stream, int attempts);
  // The worker uses no more than `slots` of its slots, at least 1, for `cause`;
  // without a cause, all of them.
  void SetUsableSlots(StreamId stream, int slots, std::string cause,
                      Effects* fx);
  // What an assigned attempt runs could not be read, for `why`, so it was never
  // sent. Its job is tried again where that may pass, and FAILED where not.
  void NotSent(const AttemptId& attempt, const absl::Status& why,
               absl::Time now, Effects* fx);
  // The worker, its slots and all their trees are proved dead.
  void WorkerDead(const SessionId& session, absl::Time now, Effects* fx);
  // The worker says that it takes nothing new, and will leave.
  void SetDraining(StreamId stream);
  // The worker has left: what was assigned to it and has not ended never
  // started.
  void Left(StreamId stream, absl::Time now, Effects* fx);
  // Gives a worker no more work, or gives it work again. Null: no such worker.
  const WorkerRecord* Pause(const WorkerId& id);
  const WorkerRecord* Resume(const WorkerId& id);
  // Has a worker finish what it runs within `grace`, by default as long as it
  // says itself, and leave. NOT_FOUND: no such worker. FAILED_PRECONDITION: it
  // is not connected, or is this coordinator's own.
  absl::StatusOr<const WorkerRecord*> Drain(const WorkerId& id,
                                            std::optional<absl::Duration> grace,
                                            Effects* fx);
  // FAILED_PRECONDITION: not connected. NOT_FOUND: no such worker.
  absl::StatusOr<const WorkerRecord*> SetSlots(const WorkerId& id, int slots,
                                               Effects* fx);

  // Gives nothing to workers any more: the coordinator is about to end.
  void StopDispatch() { dispatches_ = false; }

  // Ends a turn: applies due deadlines and gives work to free slots.
  void Tick(absl::Time now, Effects* fx);
  // When Tick is next due without any event.
  absl::Time NextDeadline() const;
  // The loop itself stood still for `stall`: leases are extended by it, and the
  // time to take a broken stream up.
  void GrantStall(absl::Duration stall);

  // Null when the job is not live.
  const Job* FindJob(const JobId& id) const;
  // Whether the worker of `stream` runs this attempt, as far as it said.
  bool Holds(StreamId stream, const AttemptId& attempt) const;
  // The latest session of a worker; null when there is none.
  const WorkerRecord* FindWorker(const WorkerId& id) const;
  // Every session, in order of session id.
  std::vector<const WorkerRecord*> Workers() const;
  // What a job that is QUEUED or in BACKOFF waits for.
  WaitingReason WaitingReasonOf(const Job& job) const;
  const JobQueues& queues() const { return queues_; }
  int64_t live_jobs() const { return static_cast<int64_t>(jobs_.size()); }
  // Live jobs in `state`.
  int64_t live_in(JobState state) const {
    return live_in_[static_cast<int>(state)];
  }
  // Running jobs by task type; none is zero.
  const absl::btree_map<std::string, int64_t>& running_by_type() const {
    return running_by_type_;
  }
  const Counters& counters() const { return counters_; }

  // Ends the process when the state contradicts itself. Walks every job.
  void CheckInvariants() const;

 private:
  // core_jobs.cc
  // `batch` is null for a job of none.
  absl::StatusOr<Job*> Admit(NewJob submission, const Batch* batch,
                             absl::Time now, Effects* fx);
  void SetState(Job* job, JobState state, absl::Time now, Effects* fx);
  void Save(Job* job, Effects* fx);
  void UpdateDeadline(Job* job);
  void Enqueue(Job* job, absl::Time now, Effects* fx);
  void Finish(Job* job, JobState state, absl::Time now, Effects* fx);
  void Fail(Job* job, Failure failure, absl::Time now, Effects* fx);
  // Ends a job whose chunks were slow with what there is of its result. False:
  // there is nothing.
  bool Truncate(Job* job, const AttemptEnd& end, absl::Time now, Effects* fx);
  // Waits before retry `retry` (1, 2...), as the job's policy says unless there
  // is a wish.
  void BackOff(Job* job, int retry, std::optional<absl::Duration> wish,
               absl::Time now, Effects* fx);
  void RequestCancel(Job* job, absl::Time now, Effects* fx);
  void ApplyDueDeadline(Job* job, absl::Time now, Effects* fx);
  void Decide(Job* job, const AttemptEnd& end, absl::Time now, Effects* fx);
  // Goes on after a process that ended before it took the job, which was
  // counted.
  void RetryProcess(Job* job, const AttemptEnd& end, absl::Time now,
                    Effects* fx);
  void FinishCancelled(Job* job, const Failure& failure, absl::Time now,
                       Effects* fx);
  // Ends an attempt that was never started, at nobody's charge. True: the job
  // goes on from there; false: it was cancelled meanwhile, and has ended.
  bool TakeBack(Job* job, const std::string& why, absl::Time now, Effects* fx);
  void LoseAttempt(Job* job, const std::string& how, absl::Time now,
                   Effects* fx);
  // The current attempt ended because its worker went, which is counted apart.
  static void Uncharge(Job* job);
  // Goes on after such an attempt.
  void RetryElsewhere(Job* job, Failure failure, absl::Time now, Effects* fx);
  Job* FindMutable(const JobId& id);

  // core_batches.cc
  // Cancels the jobs of batches that were stopped.
  void StopBatches(absl::Time now, Effects* fx);

  // core_attempts.cc
  // The job whose current attempt `attempt` is and runs on `worker`; null, and
  // counted as fenced, when it is not.
  Job* FindCurrent(const WorkerRecord& worker, const AttemptId& attempt);
  void CountEnd(const AttemptEnd& end);
  void TakeReport(Job* job, const AttemptUpdate& update, absl::Time now);
  // Stores what an attempt handed in, if it was the job's last.
  void KeepResult(Job* job, std::shared_ptr<const std::string> result,
                  Effects* fx);

  // core_workers.cc
  WorkerRecord* FindStream(StreamId stream);
  // Takes back what was assigned to `worker` and is not among `listed`.
  void RequeueNeverStarted(WorkerRecord* worker,
                           const std::set<AttemptId>& listed, absl::Time now,
                           Effects* fx);
  // As FindWorker.
  WorkerRecord* FindLatest(const WorkerId& id) const;
  // NOT_FOUND, FAILED_PRECONDITION: there is no such worker, or no stream of
  // it.
  absl::StatusOr<WorkerRecord*> FindConnected(const WorkerId& id);
  // The other sessions of this worker that are not lost.
  std::vector<SessionId> OthersOf(const WorkerRecord& worker) const;
  void Fence(WorkerRecord* worker, const std::string& how, absl::Time now,
             Effects* fx);
  // Hears no more from a worker; its stream, if it has one, ends with `status`.
  void Dismiss(WorkerRecord* worker, absl::Status status, absl::Time now,
               Effects* fx);
  void DropOldLostWorkers(absl::Time now);

  // core_nested_dispatch.cc
  // After a report of the job's attempt: counts what was submitted from its
  // slot.
  static void ClaimNestedDispatches(WorkerRecord* worker, Job* job);
  // Says of a failure that came after a nested dispatch that it did.
  static void BlameNestedDispatch(const Job& job, AttemptEnd* end);

  // core_dispatch.cc
  void Dispatch(absl::Time now, Effects* fx);
  // The job that `worker` is to run next; null when there is none for it now.
  Job* BestJobFor(const WorkerRecord& worker) const;
  void Assign(Job* job, WorkerRecord* worker, absl::Time now, Effects* fx);

  const CoreOptions options_;
  std::mt19937_64 random_;
  bool dispatches_ = true;
  // Nothing is given to workers before; in the past, it is past.
  absl::Time dispatch_time_;
  uint64_t last_sequence_ = 0;
  int64_t last_owner_ = 0;
  absl::flat_hash_map<JobId, std::unique_ptr<Job>> jobs_;
  JobQueues queues_;
  DeadlineHeap<Job> job_deadlines_;
  BatchTable batches_;
  std::array<int64_t, kJobStates> live_in_ = {};
  absl::btree_map<std::string, int64_t> running_by_type_;

  absl::btree_map<SessionId, std::unique_ptr<WorkerRecord>> workers_;
  absl::flat_hash_map<StreamId, WorkerRecord*> streams_;
  absl::flat_hash_map<WorkerId, WorkerRecord*> latest_session_;
  DeadlineHeap<WorkerRecord> lease_deadlines_;
  Counters counters_;
};

}  // namespace vigil::coordinator

#endif  // VIGIL_COORDINATOR_CORE_CORE_H_
