// Proves what `vigil top` says of how work has ended lately: little when all
// is well, the causes when it is not.
#include "client/cli/telemetry_format.h"

#include <string>

#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"

namespace vigil::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string Shown(const std::string& text) {
  v1::Telemetry telemetry;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &telemetry));
  return FormatTelemetry(telemetry, Style(Style::Colour::kNone));
}

TEST(FormatTelemetry, IsEmptyWhenNothingEnded) {
  EXPECT_EQ(Shown("window { seconds: 600 } health: HEALTH_OK"), "");
}

TEST(FormatTelemetry, IsOneLineWhenAllIsWell) {
  EXPECT_EQ(Shown(R"pb(
              window { seconds: 600 }
              attempts: 1
              reasons { task_type: "t" attempts: 1 rate: 1 }
              jobs: 1
              health: HEALTH_OK
            )pb"),
            "health: OK; 1 attempt in the last 10m00s: 1 succeeded\n");
}

TEST(FormatTelemetry, SaysWhatIsWrong) {
  EXPECT_EQ(
      Shown(R"pb(
        window { seconds: 600 }
        attempts: 110
        reasons { task_type: "t" attempts: 90 rate: 0.9 }
        reasons { task_type: "t" reason: REASON_TASK_ERROR attempts: 7 }
        reasons { task_type: "u" attempts: 5 rate: 0.5 }
        reasons { task_type: "u" reason: REASON_TASK_ERROR attempts: 3 }
        reasons { task_type: "u" reason: REASON_NONZERO_EXIT attempts: 5 }
        jobs: 100
        jobs_failed: 3
        retries_cured: 4
        fallbacks: 2
        truncations: 1
        partial_batches: 1
        messages {
          reason: REASON_TASK_ERROR
          message: "no\nway"
          attempts: 10
          job_id: "j1"
        }
        messages { reason: REASON_NONZERO_EXIT message: "b" job_id: "j2" }
        messages { reason: REASON_NONZERO_EXIT message: "c" job_id: "j3" }
        messages { reason: REASON_NONZERO_EXIT message: "d" job_id: "j4" }
        health: HEALTH_ACTION
        causes: "task type u: too many"
      )pb"),
      "health: ACTION; 110 attempts in the last 10m00s: 95 succeeded, 10 "
      "TASK_ERROR, 5 NONZERO_EXIT\n"
      "  task type u: too many\n"
      "  of 100 jobs 3 failed, 4 succeeded after a retry, 2 succeeded by their "
      "fallback, 1 truncated\n"
      "  batches that ended partial: 1\n"
      "  10 x TASK_ERROR: no\\nway  job j1\n"
      "  0 x NONZERO_EXIT: b  job j2\n"
      "  0 x NONZERO_EXIT: c  job j3\n");
}

TEST(FormatTelemetry, TellsJobsThatNeverBeganFromThoseThatDid) {
  EXPECT_EQ(Shown("window { seconds: 60 } jobs: 2 jobs_failed: 2 health: "
                  "HEALTH_WARNING"),
            "health: WARNING; 0 attempts in the last 1m00s\n"
            "  of 2 jobs 2 failed\n");
}

TEST(FormatTelemetry, TakesValuesThatItDoesNotKnow) {
  EXPECT_THAT(Shown("jobs: 1"), HasSubstr("health: unknown"));
  EXPECT_THAT(Shown("attempts: 1 reasons { reason: 99 attempts: 1 }"),
              HasSubstr("1 REASON_99"));
}

}  // namespace
}  // namespace vigil::cli
