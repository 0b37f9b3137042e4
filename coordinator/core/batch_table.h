// BatchTable: the batches that have not ended, and every decision about them:
// when an item may start, when a batch is stopped and by what, when it has
// ended. It knows jobs by their ids only; the core tells it how they end and
// cancels those of a batch that was stopped. Pure; loop thread only; owns the
// batches.
#ifndef VIGIL_COORDINATOR_CORE_BATCH_TABLE_H_
#define VIGIL_COORDINATOR_CORE_BATCH_TABLE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "base/deadline_heap.h"
#include "base/ids.h"
#include "coordinator/core/batch.h"
#include "coordinator/core/effects.h"
#include "coordinator/core/job.h"

namespace vigil::coordinator {

class BatchTable {
 public:
  using Batches = absl::btree_map<BatchId, std::unique_ptr<Batch>>;

  // Null when no such batch is live.
  Batch* Find(const BatchId& id) const;
  const Batches& batches() const { return batches_; }

  // Takes a new batch, whose id must be new.
  Batch* Create(std::unique_ptr<Batch> batch, absl::Time now, Effects* fx);
  // Takes a batch back from the store, without its jobs...
  void Restore(std::unique_ptr<Batch> batch, absl::Time now);
  // ...and one of those.
  void RestoreJob(const Job& job);
  // Drops a batch that ended. Null: it has not, or was dropped.
  std::unique_ptr<Batch> Forget(const BatchId& id);

  // The batch has `items` more, which do not start yet.
  void Accept(Batch* batch, int64_t items, Effects* fx);
  // The next item is `job`. Precondition: there is room.
  void Start(Batch* batch, const JobId& job, Effects* fx);
  // The next item cannot become a job.
  void Refuse(Batch* batch, absl::Status why, absl::Time now, Effects* fx);
  // A job of a batch ended.
  void JobEnded(const Job& job, absl::Time now, Effects* fx);
  void Close(Batch* batch, absl::Time now, Effects* fx);
  // No item starts any more; what runs is to be cancelled, see TakeStopped.
  // Ignored once it is stopped or has ended.
  void Stop(Batch* batch, StopCause cause, std::string message, Effects* fx);

  // A stream owns the batch from now on, in place of any other. Returns what it
  // is to give to OwnerGone.
  int64_t OwnerBack(Batch* batch);
  void OwnerGone(Batch* batch, int64_t owner, absl::Time now);

  // Nobody could take a batch up for so long.
  void GrantStall(absl::Duration stall);

  // Stops what is due.
  void ApplyDeadlines(absl::Time now, Effects* fx);
  absl::Time NextDeadline() const { return deadlines_.NextDeadline(); }
  // One that was stopped since it was last asked, whose jobs are to be
  // cancelled; null when there is none. EndIfDone follows.
  Batch* TakeStopped();
  void EndIfDone(Batch* batch, absl::Time now, Effects* fx);

  // Ends the process when a batch contradicts itself.
  void CheckInvariants() const;

 private:
  void Save(Batch* batch, Effects* fx);
  void UpdateDeadline(Batch* batch);
  void ItemEnded(Batch* batch, ItemEnd end, bool failed, absl::Time now,
                 Effects* fx);
  // Stops the batch if its stop rule says so.
  void ApplyStopRule(Batch* batch, Effects* fx);

  Batches batches_;
  DeadlineHeap<Batch> deadlines_;
  std::vector<BatchId> stopped_;
  int64_t last_owner_ = 0;
};

}  // namespace vigil::coordinator

#endif  // VIGIL_COORDINATOR_CORE_BATCH_TABLE_H_
