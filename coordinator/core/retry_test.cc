// Proves which failures are tried again, and how long each retry waits.
#include "coordinator/core/retry.h"

#include "gtest/gtest.h"

namespace vigil::coordinator {
namespace {

bool Retried(const RetryPolicy& policy, Reason reason) {
  return IsRetried(policy, reason, false);
}

TEST(RetryTest, B3_ByDefaultOnlyTransientReasonsAreRetried) {
  const RetryPolicy policy;
  for (int number = 0; number <= 30; ++number) {
    const Reason reason = static_cast<Reason>(number);
    EXPECT_EQ(Retried(policy, reason),
              reason == Reason::kWorkerLost || reason == Reason::kDrained ||
                  reason == Reason::kResourceExhausted ||
                  reason == Reason::kServerUnavailable)
        << ReasonName(reason);
  }
}

TEST(RetryTest, TheWorkersWordMakesAFailureRetryable) {
  EXPECT_TRUE(IsRetried({}, Reason::kTaskError, true));
  EXPECT_FALSE(IsRetried({}, Reason::kTaskError, false));
}

TEST(RetryTest, RetryOnAddsReasons) {
  RetryPolicy policy;
  policy.retry_on = {Reason::kNonzeroExit};
  EXPECT_TRUE(Retried(policy, Reason::kNonzeroExit));
  EXPECT_TRUE(Retried(policy, Reason::kResourceExhausted));
  EXPECT_FALSE(Retried(policy, Reason::kSignalled));
}

TEST(RetryTest, NonRetryableWinsOverEverything) {
  RetryPolicy policy;
  policy.retry_on = {Reason::kTaskError};
  policy.non_retryable_reasons = {Reason::kTaskError, Reason::kWorkerLost};
  EXPECT_FALSE(IsRetried(policy, Reason::kTaskError, true));
  EXPECT_FALSE(Retried(policy, Reason::kWorkerLost));
}

TEST(RetryTest, CancelledIsNeverRetried) {
  RetryPolicy policy;
  policy.retry_on = {Reason::kCancelled};
  EXPECT_FALSE(IsRetried(policy, Reason::kCancelled, true));
}

TEST(RetryTest, B3_WaitsDoubleFromATenthOfASecond) {
  const RetryPolicy policy;
  EXPECT_EQ(RetryDelay(policy, 1, 0), absl::Milliseconds(100));
  EXPECT_EQ(RetryDelay(policy, 2, 0), absl::Milliseconds(200));
  EXPECT_EQ(RetryDelay(policy, 3, 0), absl::Milliseconds(400));
}

TEST(RetryTest, JitterStaysWithinItsBounds) {
  const RetryPolicy policy;
  EXPECT_EQ(RetryDelay(policy, 1, -1), absl::Milliseconds(80));
  EXPECT_EQ(RetryDelay(policy, 1, 1), absl::Milliseconds(120));
  RetryPolicy without;
  without.jitter = 0;
  EXPECT_EQ(RetryDelay(without, 2, 1), absl::Milliseconds(200));
}

TEST(RetryTest, C8_WaitsFollowTheirSettings) {
  RetryPolicy policy;
  policy.initial_interval = absl::Seconds(1);
  policy.backoff_coefficient = 3;
  EXPECT_EQ(RetryDelay(policy, 3, 0), absl::Seconds(9));
  policy.backoff_coefficient = 1;
  EXPECT_EQ(RetryDelay(policy, 50, 0), absl::Seconds(1));
}

TEST(RetryTest, TheMaximumHoldsForAnyNumberOfRetries) {
  const RetryPolicy policy;
  EXPECT_EQ(RetryDelay(policy, 10, 0), absl::Milliseconds(51'200));
  EXPECT_EQ(RetryDelay(policy, 11, 0), absl::Seconds(60));
  EXPECT_EQ(RetryDelay(policy, 1'000'000, 0), absl::Seconds(60));
}

}  // namespace
}  // namespace vigil::coordinator
