#include "coordinator/core/retry.h"

#include <algorithm>

namespace vigil::coordinator {

bool IsRetried(const RetryPolicy& policy, Reason reason,
               bool marked_retryable) {
  const auto contains = [reason](const std::vector<Reason>& reasons) {
    return std::find(reasons.begin(), reasons.end(), reason) != reasons.end();
  };
  if (reason == Reason::kCancelled) return false;
  if (contains(policy.non_retryable_reasons)) return false;
  return marked_retryable || RetriedByDefault(reason) ||
         contains(policy.retry_on);
}

absl::Duration RetryDelay(const RetryPolicy& policy, int retry, double random) {
  absl::Duration delay = policy.initial_interval;
  for (int i = 1; i < retry && delay < policy.maximum_interval; ++i) {
    delay *= policy.backoff_coefficient;
  }
  delay = std::min(delay, policy.maximum_interval);
  return delay * (1 + policy.jitter * random);
}

}  // namespace vigil::coordinator
