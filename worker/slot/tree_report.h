// TreeReport: what one look at a task's process tree found. A plain value,
// thread-compatible. Owns nothing outside itself.
#ifndef VIGIL_WORKER_SLOT_TREE_REPORT_H_
#define VIGIL_WORKER_SLOT_TREE_REPORT_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/time/time.h"
#include "worker/slot/slot_event.h"

namespace vigil::slot {

struct TreeReport {
  // Set in the one report that reaped the task process.
  std::optional<Exited> exited;
  // Nothing is left of the tree: the slot has no child (ECHILD).
  bool empty = false;
  // Totals since the task was started; see TreeEmpty.
  int leftovers_killed = 0;
  absl::Duration user_time;
  absl::Duration system_time;
  int64_t max_rss_bytes = 0;
  std::vector<Leftover> leftovers = {};
};

}  // namespace vigil::slot

#endif  // VIGIL_WORKER_SLOT_TREE_REPORT_H_
