#include "tests/sim/task_type.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

namespace vigil::sim {

worker::TaskTypeRules ChangedRules(worker::TaskTypeRules rules,
                                   Random* random) {
  rules.max_jobs = random->Chance(0.5) ? 0 : random->Int(1, 6);
  rules.recycle_rss_bytes = random->Chance(0.3) ? 100 : 0;
  rules.max_slots =
      random->Chance(0.3) ? static_cast<int>(random->Int(1, 2)) : 0;
  // Some for so long that only making room for others ends them.
  rules.idle_timeout =
      random->Chance(0.4)
          ? absl::Hours(24)
          : random->Between(absl::Milliseconds(100), absl::Seconds(60));
  rules.inactivity = random->Between(absl::Seconds(2), absl::Seconds(10));
  rules.shutdown_grace =
      random->Between(absl::ZeroDuration(), absl::Seconds(3));
  return rules;
}

TaskTypes RandomTypes(Random* random) {
  TaskTypes types;
  const int64_t count = random->Int(0, 4);
  for (int64_t i = 0; i < count; ++i) {
    auto type = std::make_shared<TaskType>();
    worker::TaskTypeRules rules;
    rules.name = absl::StrCat("type-", i);
    rules.warm = random->Chance(0.85);
    rules.reset = rules.warm && random->Chance(0.2);
    constexpr int kInFlight[] = {1, 2, 4, 8};
    rules.max_in_flight = kInFlight[random->Index(std::size(kInFlight))];
    if (!rules.warm || random->Chance(0.4)) {
      rules.warm_up.emplace();
      rules.warm_up->timeout =
          random->Between(absl::Seconds(1), absl::Seconds(20));
      rules.warm_up->start_to_close =
          random->Between(absl::Seconds(5), absl::Seconds(60));
      rules.warm_up->optional = random->Chance(0.5);
    }
    type->rules = ChangedRules(std::move(rules), random);
    type->quick = random->Chance(0.6);
    type->brittle = random->Chance(0.08);
    types.push_back(std::move(type));
  }
  return types;
}

}  // namespace vigil::sim
