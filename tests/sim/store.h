// Store: what is durable. Survives every crash; the judge looks at each row
// before it replaces the one before. Thread-compatible; owns the rows.
#ifndef VIGIL_TESTS_SIM_STORE_H_
#define VIGIL_TESTS_SIM_STORE_H_

#include <cstdint>
#include <utility>

#include "absl/container/btree_map.h"
#include "absl/time/time.h"
#include "base/deadline_heap.h"
#include "base/ids.h"
#include "coordinator/core/batch.h"
#include "coordinator/core/effects.h"
#include "coordinator/core/job.h"

namespace vigil::sim {

class Store {
 public:
  // A row as the real store would hold it: without its place in any heap.
  static coordinator::Job RowOf(const coordinator::Job& job) {
    coordinator::Job row = job;
    static_cast<DeadlineItem&>(row) = DeadlineItem();
    return row;
  }
  // Nor with who is in flight or owns it, which a restart finds out.
  static coordinator::Batch RowOf(const coordinator::Batch& batch) {
    coordinator::Batch row = batch;
    static_cast<DeadlineItem&>(row) = DeadlineItem();
    row.live.clear();
    row.owner = 0;
    row.owner_deadline = absl::InfiniteFuture();
    return row;
  }

  void Put(coordinator::Job row) { rows_[row.id] = std::move(row); }
  void Put(coordinator::Batch row) { batches_[row.id] = std::move(row); }
  void Put(coordinator::ItemEnd end) {
    outcomes_[{end.batch, end.index}] = std::move(end);
  }

  // Null when there is none.
  const coordinator::Job* Find(const JobId& id) const {
    const auto it = rows_.find(id);
    return it == rows_.end() ? nullptr : &it->second;
  }

  const coordinator::Batch* FindBatch(const BatchId& id) const {
    const auto it = batches_.find(id);
    return it == batches_.end() ? nullptr : &it->second;
  }
  const coordinator::ItemEnd* FindOutcome(const BatchId& id,
                                          int64_t index) const {
    const auto it = outcomes_.find({id, index});
    return it == outcomes_.end() ? nullptr : &it->second;
  }

  // In order of submission; the jobs of a batch where that was submitted.
  const absl::btree_map<JobId, coordinator::Job>& rows() const { return rows_; }
  const absl::btree_map<BatchId, coordinator::Batch>& batches() const {
    return batches_;
  }

 private:
  absl::btree_map<JobId, coordinator::Job> rows_;
  absl::btree_map<BatchId, coordinator::Batch> batches_;
  absl::btree_map<std::pair<BatchId, int64_t>, coordinator::ItemEnd> outcomes_;
};

}  // namespace vigil::sim

#endif  // VIGIL_TESTS_SIM_STORE_H_
