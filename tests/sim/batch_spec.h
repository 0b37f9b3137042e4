// BatchSpec: a batch as a simulated client asks for it: its policy, the items
// that the client has, and what each of them really does. A value,
// thread-compatible.
#ifndef VIGIL_TESTS_SIM_BATCH_SPEC_H_
#define VIGIL_TESTS_SIM_BATCH_SPEC_H_

#include <cstdint>
#include <memory>

#include "base/ids.h"
#include "coordinator/core/batch.h"
#include "tests/sim/job_spec.h"
#include "tests/sim/random.h"
#include "tests/sim/task_type.h"

namespace vigil::sim {

struct BatchSpec {
  BatchId id;
  // Its place among all that clients submit.
  int number = 0;
  coordinator::BatchPolicy policy;
  int64_t items = 0;
  // What all items are, but for their ids and scripts.
  JobSpec job;
  // Decides what each item does, and which are refused.
  uint64_t seed = 0;
  double refused_share = 0;

  // Whether item `index` cannot become a job.
  bool Refuses(int64_t index) const;
  // Item `index` as a job. `life` tells the jobs apart that a coordinator
  // makes of it again after a crash, when those before were not durable.
  JobSpec Item(int64_t index, uint64_t life) const;
};

// A batch of jobs of `type`, or of commands if that is null.
BatchSpec RandomBatch(int number, std::shared_ptr<const TaskType> type,
                      Random* random);

}  // namespace vigil::sim

#endif  // VIGIL_TESTS_SIM_BATCH_SPEC_H_
