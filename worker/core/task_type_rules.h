// TaskTypeRules: what the core must know of a task type to place its attempts
// and to keep its processes. One object stands for one definition: a catalog
// that is read again makes new ones for the types that changed, and a process
// is used for the definition that it was started by. Values, thread-compatible.
#ifndef VIGIL_WORKER_CORE_TASK_TYPE_RULES_H_
#define VIGIL_WORKER_CORE_TASK_TYPE_RULES_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/time/time.h"

namespace vigil::worker {

// What is done once before the first job of a type. Defaults and bounds are
// those of vigil.v1.WarmUp.
struct WarmUpRules {
  absl::Duration timeout = absl::Seconds(300);
  absl::Duration start_to_close = absl::Hours(1);
  bool optional = false;
};

// Defaults and bounds are those of vigil.v1.TaskType.
struct TaskTypeRules {
  std::string name;
  // Its process takes one job after another, as frames.
  bool warm = false;
  // 0: for ever.
  int64_t max_jobs = 0;
  // 0: never.
  int64_t recycle_rss_bytes = 0;
  absl::Duration idle_timeout = absl::Minutes(10);
  bool reset = false;
  int max_in_flight = 1;
  // 0: all of them.
  int max_slots = 0;
  // What the type itself says of its jobs' clocks, for what it does without a
  // job: its warm-up, and its end.
  absl::Duration inactivity = absl::Seconds(45);
  absl::Duration shutdown_grace = absl::Seconds(5);
  std::optional<WarmUpRules> warm_up;
};

using TaskTypeRulesPtr = std::shared_ptr<const TaskTypeRules>;

}  // namespace vigil::worker

#endif  // VIGIL_WORKER_CORE_TASK_TYPE_RULES_H_
