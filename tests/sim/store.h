// Store: what is durable. Survives every crash; the judge looks at each row
// before it replaces the one before. Thread-compatible; owns the rows.
#ifndef VIGIL_TESTS_SIM_STORE_H_
#define VIGIL_TESTS_SIM_STORE_H_

#include <utility>

#include "absl/container/btree_map.h"
#include "base/deadline_heap.h"
#include "base/ids.h"
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

  void Put(coordinator::Job row) { rows_[row.id] = std::move(row); }

  // Null when there is none.
  const coordinator::Job* Find(const JobId& id) const {
    const auto it = rows_.find(id);
    return it == rows_.end() ? nullptr : &it->second;
  }

  // In order of submission.
  const absl::btree_map<JobId, coordinator::Job>& rows() const { return rows_; }

 private:
  absl::btree_map<JobId, coordinator::Job> rows_;
};

}  // namespace vigil::sim

#endif  // VIGIL_TESTS_SIM_STORE_H_
