// JobSpec: a job as a simulated client asks for it: the policies that the cores
// see, and what its program really does, which they do not. A value,
// thread-compatible.
#ifndef VIGIL_TESTS_SIM_JOB_SPEC_H_
#define VIGIL_TESTS_SIM_JOB_SPEC_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/ids.h"
#include "base/policy.h"
#include "base/reason.h"
#include "coordinator/core/job.h"
#include "tests/sim/random.h"
#include "tests/sim/task_script.h"
#include "tests/sim/task_type.h"

namespace vigil::sim {

struct JobSpec {
  JobId id;
  // Empty: of none.
  BatchId batch;
  int64_t batch_index = 0;
  // The name of `type`, if that is set.
  std::string task_type;
  // Null for a command, and for types of which nothing is to be known.
  std::shared_ptr<const TaskType> type;
  int priority = 0;
  std::shared_ptr<const coordinator::JobPolicy> policy;
  Supervision supervision;
  std::map<int, Reason> exit_reasons;
  // Decides what each attempt does...
  uint64_t script_seed = 0;
  // ...unless this does.
  std::optional<TaskScript> script;

  bool warm() const { return type != nullptr && type->rules.warm; }
  // What attempt `number` does.
  TaskScript ScriptFor(int number) const;
};

// What the process of a warm program is like, and the program of a warm-up.
TaskScript RandomProcess(Random* random);
TaskScript RandomWarmUp(Random* random);

// A job such as clients ask for: mostly well-behaved, sometimes not.
// Of `type`, unless that is null.
JobSpec RandomJob(JobId id, std::shared_ptr<const TaskType> type,
                  Random* random);

}  // namespace vigil::sim

#endif  // VIGIL_TESTS_SIM_JOB_SPEC_H_
