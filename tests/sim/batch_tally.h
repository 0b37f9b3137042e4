// BatchTally: what the outcomes of a batch add up to, counted from the final
// rows of its jobs and from its refusals. A value, thread-compatible.
#ifndef VIGIL_TESTS_SIM_BATCH_TALLY_H_
#define VIGIL_TESTS_SIM_BATCH_TALLY_H_

#include <cstdint>

#include "absl/container/btree_map.h"
#include "base/reason.h"
#include "coordinator/core/batch.h"
#include "coordinator/core/job.h"

namespace vigil::sim {

struct BatchTally {
  int64_t ended = 0;
  int64_t succeeded = 0;
  int64_t degraded = 0;
  int64_t truncated = 0;
  int64_t retried = 0;
  int64_t failed = 0;
  int64_t cancelled = 0;
  int64_t refused = 0;
  int64_t consecutive_failures = 0;
  absl::btree_map<Reason, int64_t> reasons;
  // The stop rule that it was counted by has held once.
  bool rule_held = false;

  // The next outcome, of which `job` is the final row; null: it was refused.
  void Count(const coordinator::Job* job, const coordinator::StopRule& rule);
  // Whether the batch's row says the same.
  bool Agrees(const coordinator::Batch& row) const;
};

}  // namespace vigil::sim

#endif  // VIGIL_TESTS_SIM_BATCH_TALLY_H_
