// Proves what a batch counts, lists and writes as JSON.
#include "client/cli/batch_summary.h"

#include "absl/strings/str_cat.h"
#include "client/cli/limits.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vigil::cli {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

ItemResult Result(int64_t index, v1::Job::State state,
                  v1::Failure::Reason reason = v1::Failure::REASON_UNSPECIFIED,
                  int attempts = 1) {
  ItemResult result;
  result.item = {.index = index, .text = absl::StrCat("i", index)};
  result.has_job = true;
  result.job.set_job_id(absl::StrCat("j", index));
  result.job.set_state(state);
  if (reason != v1::Failure::REASON_UNSPECIFIED) {
    result.job.mutable_failure()->set_reason(reason);
    result.job.mutable_failure()->set_message("why");
  }
  for (int i = 0; i < attempts; ++i) {
    result.job.add_attempts()->set_charged(true);
  }
  return result;
}

TEST(BatchSummary, TablesByStateAndReasonWithRetriesAndRate) {
  BatchSummary summary({v1::Failure::REASON_INVALID_INPUT});
  summary.Add(Result(1, v1::Job::STATE_SUCCEEDED));
  summary.Add(
      Result(2, v1::Job::STATE_SUCCEEDED, v1::Failure::REASON_UNSPECIFIED, 3));
  summary.Add(
      Result(3, v1::Job::STATE_FAILED, v1::Failure::REASON_INVALID_INPUT));
  summary.Add(
      Result(4, v1::Job::STATE_FAILED, v1::Failure::REASON_NONZERO_EXIT, 2));
  EXPECT_EQ(summary.Table(absl::Seconds(2)),
            "  STATE      REASON             JOBS\n"
            "  FAILED     INVALID_INPUT         1  as expected\n"
            "  FAILED     NONZERO_EXIT          1\n"
            "  SUCCEEDED                        2\n"
            "4 jobs in 2s, 2.0 jobs/s; 3 retries of 2 jobs\n");
  EXPECT_EQ(summary.done(), 4);
  EXPECT_EQ(summary.failed(), 1);
}

TEST(BatchSummary, B4_DegradedJobsSucceededAndSayWhy) {
  ItemResult result =
      Result(1, v1::Job::STATE_SUCCEEDED, v1::Failure::REASON_SIGNALLED);
  result.job.set_degraded(true);
  result.job.mutable_fallback_failure()->Swap(result.job.mutable_failure());
  result.job.clear_failure();
  result.job.set_result("instead");
  BatchSummary summary({});
  summary.Add(result);
  EXPECT_EQ(summary.failed(), 0);
  EXPECT_THAT(summary.Table(absl::Seconds(2)),
              HasSubstr("SUCCEEDED  SIGNALLED         1  degraded\n"));
  EXPECT_THAT(ItemJson(result),
              HasSubstr("\"state\":\"SUCCEEDED\",\"reason\":\"SIGNALLED\","
                        "\"degraded\":true,\"message\":\"why\""));
}

TEST(BatchSummary, C3_TruncatedJobsSucceededAndSayWhy) {
  ItemResult result =
      Result(1, v1::Job::STATE_SUCCEEDED, v1::Failure::REASON_SLOW_CHUNKS);
  result.job.set_truncated(true);
  result.job.mutable_truncation()->mutable_failure()->Swap(
      result.job.mutable_failure());
  result.job.clear_failure();
  BatchSummary summary({});
  summary.Add(result);
  EXPECT_EQ(summary.failed(), 0);
  EXPECT_THAT(summary.Table(absl::Seconds(2)),
              HasSubstr("SUCCEEDED  SLOW_CHUNKS         1  truncated\n"));
  EXPECT_THAT(ItemJson(result),
              HasSubstr("\"state\":\"SUCCEEDED\",\"reason\":\"SLOW_CHUNKS\","
                        "\"truncated\":true,\"message\":\"why\""));
  // Where it did nothing at all, its fallback is a row of its own.
  result.job.clear_truncated();
  result.job.set_degraded(true);
  result.job.mutable_fallback_failure()->set_reason(
      v1::Failure::REASON_SLOW_CHUNKS);
  summary.Add(result);
  EXPECT_THAT(summary.Table(absl::Seconds(2)),
              HasSubstr("SUCCEEDED  SLOW_CHUNKS         1  degraded\n"
                        "  SUCCEEDED  SLOW_CHUNKS         1  truncated\n"));
}

TEST(BatchSummary, AnAttemptHandedBackBeforeItBeganIsNoRetry) {
  ItemResult result = Result(1, v1::Job::STATE_SUCCEEDED);
  result.job.add_attempts();
  BatchSummary summary({});
  summary.Add(result);
  EXPECT_THAT(summary.Table(absl::Seconds(2)), HasSubstr("; 0 retries of 0"));
  EXPECT_THAT(ItemJson(result), HasSubstr("\"attempts\":1"));
  // One that was lost with its worker is.
  result.job.mutable_attempts(1)->mutable_start_time()->set_seconds(1);
  summary.Add(result);
  EXPECT_THAT(summary.Table(absl::Seconds(2)), HasSubstr("; 1 retries of 1"));
}

TEST(BatchSummary, NamesFailuresThatWereNotExpected) {
  BatchSummary summary({v1::Failure::REASON_INVALID_INPUT});
  summary.Add(
      Result(3, v1::Job::STATE_FAILED, v1::Failure::REASON_INVALID_INPUT));
  EXPECT_EQ(summary.Failures(), "");
  summary.Add(
      Result(4, v1::Job::STATE_FAILED, v1::Failure::REASON_NONZERO_EXIT));
  EXPECT_EQ(summary.Failures(),
            "vigil: item 4 `i4`: job j4 FAILED: NONZERO_EXIT: why\n");
}

TEST(BatchSummary, ExpectedReasonDoesNotExcuseACancelledJob) {
  BatchSummary summary({v1::Failure::REASON_CANCELLED});
  summary.Add(
      Result(1, v1::Job::STATE_CANCELLED, v1::Failure::REASON_CANCELLED));
  EXPECT_EQ(summary.failed(), 1);
}

TEST(BatchSummary, CapsItsList) {
  BatchSummary summary({});
  for (size_t i = 1; i <= kFailuresListedMax; ++i) {
    summary.Add(Result(static_cast<int64_t>(i), v1::Job::STATE_FAILED,
                       v1::Failure::REASON_SIGNALLED));
  }
  EXPECT_THAT(summary.Failures(), Not(HasSubstr("more")));
  summary.Add(Result(99, v1::Job::STATE_FAILED, v1::Failure::REASON_SIGNALLED));
  EXPECT_THAT(summary.Failures(), HasSubstr("and 1 more"));
  EXPECT_THAT(summary.Failures(), Not(HasSubstr("item 99")));
}

TEST(BatchSummary, CountsWithoutNamingWhereTheUserAskedForIt) {
  BatchSummary summary({});
  summary.Add(Result(1, v1::Job::STATE_CANCELLED),
              BatchSummary::Listing::kCountedOnly);
  EXPECT_EQ(summary.failed(), 1);
  EXPECT_EQ(summary.Failures(), "");
}

TEST(ItemJson, HoldsHowTheJobEnded) {
  ItemResult result =
      Result(2, v1::Job::STATE_FAILED, v1::Failure::REASON_NONZERO_EXIT, 2);
  result.item.text = "a\"b";
  result.job.mutable_exit()->set_status(3);
  result.job.mutable_start_time()->set_seconds(10);
  result.job.mutable_end_time()->set_seconds(11);
  result.job.mutable_end_time()->set_nanos(500000000);
  EXPECT_EQ(ItemJson(result),
            "{\"index\":2,\"item\":\"a\\\"b\",\"job_id\":\"j2\","
            "\"state\":\"FAILED\",\"reason\":\"NONZERO_EXIT\","
            "\"message\":\"why\",\"attempts\":2,\"retries\":\"retries used up: "
            "2 attempts\",\"exit_status\":3,"
            "\"duration_seconds\":1.500000}\n");
}

TEST(ItemJson, HoldsTheResultAsTextOrInBase64) {
  ItemResult result = Result(1, v1::Job::STATE_SUCCEEDED);
  EXPECT_THAT(ItemJson(result), Not(HasSubstr("result")));
  result.job.set_result("{\"a\": \"\xc3\xa4\"}\n");
  EXPECT_THAT(ItemJson(result),
              EndsWith(",\"result\":\"{\\\"a\\\": \\\"\xc3\xa4\\\"}\\n\"}\n"));
  result.job.set_result("");
  EXPECT_THAT(ItemJson(result), EndsWith(",\"result\":\"\"}\n"));
  result.job.set_result("\xff\xfe");
  EXPECT_THAT(ItemJson(result), EndsWith(",\"result_base64\":\"//4=\"}\n"));
  EXPECT_THAT(ItemJson(result), Not(HasSubstr("\"result\"")));
}

TEST(ItemJson, HoldsWhyAnItemBecameNoJob) {
  ItemResult result;
  result.item = {.index = 1, .text = "\xff"};
  result.state = "REFUSED";
  result.reason = "INVALID_ARGUMENT";
  result.message = "not text";
  EXPECT_EQ(ItemJson(result),
            "{\"index\":1,\"item\":\"\\\\xff\",\"job_id\":\"\","
            "\"state\":\"REFUSED\",\"reason\":\"INVALID_ARGUMENT\","
            "\"message\":\"not text\",\"attempts\":0}\n");
}

}  // namespace
}  // namespace vigil::cli
