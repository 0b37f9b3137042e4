#include "tests/sim/batch_spec.h"

#include <utility>

#include "absl/strings/str_format.h"
#include "coordinator/core/limits.h"

namespace vigil::sim {
namespace {

// Apart, so that the items of one batch do not repeat each other's attempts.
constexpr uint64_t kSeedsPerItem = 1000;

coordinator::BatchPolicy RandomPolicy(Random* random) {
  coordinator::BatchPolicy policy;
  const double in_flight = random->Fraction();
  policy.max_in_flight = in_flight < 0.4   ? 1
                         : in_flight < 0.8 ? static_cast<int>(random->Int(2, 4))
                                           : coordinator::kBatchInFlightDefault;
  if (random->Chance(0.3)) {
    policy.schedule_to_close =
        random->Between(absl::Seconds(2), absl::Seconds(60));
  }
  const double rule = random->Fraction();
  if (rule < 0.2) {
    policy.stop_rule.failures = random->Int(1, 4);
  } else if (rule < 0.4) {
    policy.stop_rule.consecutive_failures = random->Int(2, 3);
  }
  policy.streamed = random->Chance(0.4);
  return policy;
}

}  // namespace

bool BatchSpec::Refuses(int64_t index) const {
  Random random(seed + static_cast<uint64_t>(index));
  return random.Chance(refused_share);
}

JobSpec BatchSpec::Item(int64_t index, uint64_t life) const {
  JobSpec item = job;
  item.id = JobId(absl::StrFormat("job-%06d-%03d-%d", number, index, life));
  item.script_seed = seed + static_cast<uint64_t>(index) * kSeedsPerItem;
  item.batch = id;
  item.batch_index = index;
  return item;
}

BatchSpec RandomBatch(int number, std::shared_ptr<const TaskType> type,
                      Random* random) {
  BatchSpec batch;
  batch.id = BatchId(absl::StrFormat("batch-%06d", number));
  batch.number = number;
  batch.policy = RandomPolicy(random);
  const bool sequential = batch.policy.max_in_flight == 1;
  batch.items = random->Int(0, sequential ? 6 : 12);
  // Enough for a rule that says nothing of a few.
  if (!sequential && type != nullptr && type->quick && random->Chance(0.5)) {
    batch.items = coordinator::kStopRatioItemsMin + random->Int(4, 10);
    batch.policy.stop_rule = {};
    batch.policy.stop_rule.failure_ratio = 0.05;
  }
  batch.job = RandomJob(JobId(), std::move(type), random);
  coordinator::JobPolicy policy = *batch.job.policy;
  // The stream that counts is the batch's.
  policy.cancel_on_disconnect = false;
  batch.job.policy =
      std::make_shared<const coordinator::JobPolicy>(std::move(policy));
  batch.seed = random->Next();
  batch.refused_share = random->Chance(0.3) ? 0.15 : 0;
  return batch;
}

}  // namespace vigil::sim
