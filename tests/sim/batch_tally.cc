#include "tests/sim/batch_tally.h"

#include "coordinator/core/limits.h"

namespace vigil::sim {

using coordinator::JobState;

void BatchTally::Count(const coordinator::Job* job,
                       const coordinator::StopRule& rule) {
  ++ended;
  bool has_failed = false;
  if (job == nullptr) {
    ++refused;
    has_failed = true;
  } else if (job->state == JobState::kFailed) {
    ++failed;
    ++reasons[job->failure->reason];
    has_failed = true;
  } else if (job->state == JobState::kCancelled) {
    ++cancelled;
  } else {
    ++succeeded;
    if (job->fallback_failure.has_value()) {
      ++degraded;
      ++reasons[job->fallback_failure->reason];
    } else if (job->truncation.has_value()) {
      ++truncated;
    } else if (job->charged_attempts > 1) {
      ++retried;
    }
  }
  consecutive_failures = has_failed ? consecutive_failures + 1 : 0;
  const int64_t failures = failed + refused;
  rule_held |=
      (rule.failures > 0 && failures >= rule.failures) ||
      (rule.consecutive_failures > 0 &&
       consecutive_failures >= rule.consecutive_failures) ||
      (rule.failure_ratio > 0 && ended >= coordinator::kStopRatioItemsMin &&
       static_cast<double>(failures) >
           rule.failure_ratio * static_cast<double>(ended));
}

bool BatchTally::Agrees(const coordinator::Batch& row) const {
  return row.succeeded == succeeded && row.degraded == degraded &&
         row.truncated == truncated && row.retried == retried &&
         row.failed == failed && row.cancelled == cancelled &&
         row.refused == refused &&
         row.consecutive_failures == consecutive_failures &&
         row.reasons == reasons;
}

}  // namespace vigil::sim
