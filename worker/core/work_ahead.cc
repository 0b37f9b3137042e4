#include "worker/core/work_ahead.h"

#include <algorithm>

#include "worker/core/limits.h"

namespace vigil::worker {

absl::Duration NextMean(std::optional<absl::Duration> mean,
                        absl::Duration time) {
  const absl::Duration before = mean.value_or(time);
  return before + (time - before) * kRunTimeWeight;
}

int DepthFor(absl::Duration mean, int max) {
  int depth = 1;
  while (depth * 2 <= max && depth * mean < kWorkAhead) depth *= 2;
  return depth;
}

void WorkAhead::Waited() {
  mean_ = std::max(mean_.value_or(kWorkAhead), kWorkAhead);
}

int WorkAhead::For(int quick) const {
  if (!mean_.has_value()) return 0;
  return std::min(quick * (DepthFor(*mean_, kAheadPerSlotMax) - 1), kAheadMax);
}

}  // namespace vigil::worker
