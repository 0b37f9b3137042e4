// When a failed attempt is tried again, and after which wait. Pure functions;
// thread-safe.
#ifndef VIGIL_COORDINATOR_CORE_RETRY_H_
#define VIGIL_COORDINATOR_CORE_RETRY_H_

#include "absl/time/time.h"
#include "base/policy.h"
#include "base/reason.h"

namespace vigil::coordinator {

// Whether `policy` retries `reason` at all. `marked_retryable` is the worker's
// word that this very failure may be tried again. non_retryable_reasons wins;
// CANCELLED is never retried.
bool IsRetried(const RetryPolicy& policy, Reason reason, bool marked_retryable);

// The wait before retry `retry` (1, 2, ...): initial_interval times
// backoff_coefficient to the power of retry - 1, at most maximum_interval,
// times 1 + jitter * `random`, with `random` in [-1, 1].
absl::Duration RetryDelay(const RetryPolicy& policy, int retry, double random);

}  // namespace vigil::coordinator

#endif  // VIGIL_COORDINATOR_CORE_RETRY_H_
