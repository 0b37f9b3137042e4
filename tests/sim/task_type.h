// TaskType: a task type as the catalogs of a simulated cluster have it, and
// what its jobs are like. Values, thread-compatible.
#ifndef VIGIL_TESTS_SIM_TASK_TYPE_H_
#define VIGIL_TESTS_SIM_TASK_TYPE_H_

#include <memory>
#include <vector>

#include "tests/sim/random.h"
#include "worker/core/task_type_rules.h"

namespace vigil::sim {

struct TaskType {
  worker::TaskTypeRules rules;
  // Most of its jobs take a few milliseconds, so that some are handed ahead.
  bool quick = false;
  // Most of its programs exit while they load.
  bool brittle = false;
};
using TaskTypes = std::vector<std::shared_ptr<const TaskType>>;

// None to four types: mostly warm, some with a warm-up.
TaskTypes RandomTypes(Random* random);

// The same type with other rules, as after a change of the catalog.
worker::TaskTypeRules ChangedRules(worker::TaskTypeRules rules, Random* random);

}  // namespace vigil::sim

#endif  // VIGIL_TESTS_SIM_TASK_TYPE_H_
