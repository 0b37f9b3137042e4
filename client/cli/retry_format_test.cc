// Proves what a person reads of a job's retries: that one cured it, or why
// there was none, or no other.
#include "client/cli/retry_format.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"

namespace vigil::cli {
namespace {

v1::Job Parse(const std::string& text) {
  v1::Job job;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &job));
  return job;
}

// A charged attempt; `reason` is empty if it succeeded.
std::string Attempt(int number, const std::string& reason) {
  return absl::StrCat(
      "attempts { number: ", number, " charged: true start_time {} ",
      reason.empty() ? ""
                     : absl::StrCat("failure { reason: REASON_", reason, " }"),
      " } ");
}

// Of a job with these attempts that FAILED for the last one's reason.
std::string Failed(const std::string& attempts, const std::string& reason,
                   const std::string& retry = "maximum_attempts: 4") {
  return RetryText(Parse(absl::StrCat("state: STATE_FAILED ", attempts,
                                      "failure { reason: REASON_", reason,
                                      " } spec { retry { ", retry, " } }")));
}

TEST(RetryText, SaysWhichRetrySucceededAndWhatWasBefore) {
  EXPECT_EQ(RetryText(Parse(absl::StrCat(
                "state: STATE_SUCCEEDED ", Attempt(1, "RESOURCE_EXHAUSTED"),
                Attempt(2, "TASK_ERROR"), Attempt(3, "")))),
            "retry 2 succeeded (attempt 1: RESOURCE_EXHAUSTED, attempt 2: "
            "TASK_ERROR)");
}

TEST(RetryText, ALostAttemptIsATryAndOneHandedBackIsNot) {
  EXPECT_EQ(RetryText(Parse(absl::StrCat(
                "state: STATE_SUCCEEDED attempts { number: 1 failure { reason: "
                "REASON_WORKER_LOST } } attempts { number: 2 start_time {} "
                "failure { reason: REASON_WORKER_LOST } }",
                Attempt(3, "")))),
            "retry 1 succeeded (attempt 2: WORKER_LOST)");
}

TEST(RetryText, HasNothingToSayOfWhatNeedsNoRetry) {
  EXPECT_EQ(RetryText(Parse("state: STATE_SUCCEEDED " + Attempt(1, ""))), "");
  EXPECT_EQ(
      RetryText(Parse("state: STATE_CANCELLED " + Attempt(1, "CANCELLED"))),
      "");
  EXPECT_EQ(RetryText(Parse("state: STATE_RUNNING " + Attempt(1, ""))), "");
  EXPECT_EQ(
      RetryText(Parse("state: STATE_BACKOFF " + Attempt(1, "WORKER_LOST"))),
      "");
  EXPECT_EQ(Failed("", "SCHEDULE_TO_START_TIMEOUT"), "");
}

TEST(RetryText, SaysWhyThereWasNone) {
  EXPECT_EQ(Failed(Attempt(1, "NONZERO_EXIT"), "NONZERO_EXIT"),
            "not retried: NONZERO_EXIT is not in retry_on");
  EXPECT_EQ(
      Failed(Attempt(1, "NONZERO_EXIT"), "NONZERO_EXIT", "maximum_attempts: 1"),
      "not retried: NONZERO_EXIT is not in retry_on");
  EXPECT_EQ(Failed(Attempt(1, "RESOURCE_EXHAUSTED"), "RESOURCE_EXHAUSTED",
                   "maximum_attempts: 1"),
            "not retried: maximum_attempts is 1");
  EXPECT_EQ(Failed(Attempt(1, "RESOURCE_EXHAUSTED"), "RESOURCE_EXHAUSTED",
                   "maximum_attempts: 4 non_retryable_reasons: "
                   "REASON_RESOURCE_EXHAUSTED"),
            "not retried: RESOURCE_EXHAUSTED is in non_retryable_reasons");
  EXPECT_EQ(Failed("attempts { number: 1 charged: true evidence { "
                   "death_unconfirmed: true } }",
                   "INACTIVITY_TIMEOUT"),
            "not retried: its processes could not be proved dead");
}

TEST(RetryText, SaysWhyThereWasNoOther) {
  EXPECT_EQ(
      Failed(Attempt(1, "RESOURCE_EXHAUSTED") + Attempt(2, "NONZERO_EXIT"),
             "NONZERO_EXIT"),
      "attempt 2 was not retried: NONZERO_EXIT is not in retry_on "
      "(attempt 1: RESOURCE_EXHAUSTED, attempt 2: NONZERO_EXIT)");
  EXPECT_EQ(
      Failed(Attempt(1, "RESOURCE_EXHAUSTED"), "SCHEDULE_TO_CLOSE_TIMEOUT"),
      "not retried: SCHEDULE_TO_CLOSE_TIMEOUT ended the job");
}

TEST(RetryText, SaysThatTheyAreUsedUp) {
  EXPECT_EQ(Failed(Attempt(1, "RESOURCE_EXHAUSTED") +
                       Attempt(2, "RESOURCE_EXHAUSTED"),
                   "RESOURCE_EXHAUSTED", "maximum_attempts: 2"),
            "retries used up: 2 attempts (attempt 1: RESOURCE_EXHAUSTED, "
            "attempt 2: RESOURCE_EXHAUSTED)");
  EXPECT_EQ(Failed(Attempt(1, "NONZERO_EXIT") + Attempt(2, "NONZERO_EXIT"),
                   "NONZERO_EXIT",
                   "maximum_attempts: 2 retry_on: REASON_NONZERO_EXIT"),
            "retries used up: 2 attempts (attempt 1: NONZERO_EXIT, attempt 2: "
            "NONZERO_EXIT)");
}

TEST(RetryText, SpeaksOfADegradedJobAsOfAFailedOne) {
  EXPECT_EQ(RetryText(Parse(absl::StrCat(
                "state: STATE_SUCCEEDED degraded: true fallback_failure { "
                "reason: REASON_INVALID_INPUT } spec { retry { "
                "maximum_attempts: 4 } }",
                Attempt(1, "INVALID_INPUT")))),
            "not retried: INVALID_INPUT is not in retry_on");
}

TEST(RetryText, NamesABoundedNumberOfAttempts) {
  std::string attempts;
  for (int i = 1; i <= 100; ++i) attempts += Attempt(i, "WORKER_LOST");
  const std::string text =
      Failed(attempts, "WORKER_LOST", "maximum_attempts: 100");
  EXPECT_EQ(text.substr(0, 30), "retries used up: 100 attempts ");
  EXPECT_LT(text.size(), 300u);
  EXPECT_EQ(text.substr(text.size() - 6), ", ...)");
}

}  // namespace
}  // namespace vigil::cli
