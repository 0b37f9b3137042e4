// Proves what telemetry counts, for how long, and when it says that somebody
// should look or act: in simulated time, one attempt and one tick either side
// of each bound.
#include "coordinator/telemetry/telemetry.h"

#include <string>

#include "gtest/gtest.h"

namespace vigil::coordinator {
namespace {

constexpr absl::Duration kTick = absl::Nanoseconds(1);

class TelemetryTest : public testing::Test {
 protected:
  void Succeed(int attempts, const std::string& type = "t") {
    for (int i = 0; i < attempts; ++i) {
      telemetry_.AttemptEnded(type, JobId("j"), std::nullopt, now_);
    }
  }
  void FailSome(int attempts, Reason reason = Reason::kInactivityTimeout,
                const std::string& type = "t") {
    for (int i = 0; i < attempts; ++i) {
      telemetry_.AttemptEnded(type, JobId("j"), Failure{reason, "a message"},
                              now_);
    }
  }
  HealthState health() const { return telemetry_.Judge().state; }
  std::string cause() const {
    const Judgement health = telemetry_.Judge();
    return health.causes.empty() ? "" : health.causes[0];
  }

  // The start of a bucket.
  absl::Time now_ = absl::FromUnixSeconds(600'000);
  Telemetry telemetry_{TelemetryOptions()};
};

TEST_F(TelemetryTest, CountsAttemptsByTypeAndReasonMostFrequentFirst) {
  Succeed(8);
  FailSome(2);
  FailSome(5, Reason::kNonzeroExit, "");
  const auto reasons = telemetry_.Reasons();
  ASSERT_EQ(reasons.size(), 3u);
  EXPECT_EQ(reasons[0].task_type, "t");
  EXPECT_EQ(reasons[0].reason, Reason::kUnspecified);
  EXPECT_EQ(reasons[0].attempts, 8);
  EXPECT_DOUBLE_EQ(reasons[0].rate, 0.8);
  EXPECT_EQ(reasons[1].task_type, "");
  EXPECT_DOUBLE_EQ(reasons[1].rate, 1);
  EXPECT_EQ(reasons[2].reason, Reason::kInactivityTimeout);
  EXPECT_DOUBLE_EQ(reasons[2].rate, 0.2);
  EXPECT_EQ(telemetry_.attempts(), 15);
}

TEST_F(TelemetryTest, CountsHowJobsAndBatchesEnded) {
  telemetry_.JobEnded({}, now_);
  telemetry_.JobEnded({.failed = true}, now_);
  telemetry_.JobEnded({.retry_cured = true, .truncated = true}, now_);
  telemetry_.JobEnded({.fallback = true}, now_);
  telemetry_.PartialBatchEnded(now_);
  EXPECT_EQ(telemetry_.jobs().ended, 4);
  EXPECT_EQ(telemetry_.jobs().failed, 1);
  EXPECT_EQ(telemetry_.jobs().retries_cured, 1);
  EXPECT_EQ(telemetry_.jobs().fallbacks, 1);
  EXPECT_EQ(telemetry_.jobs().truncations, 1);
  EXPECT_EQ(telemetry_.jobs().partial_batches, 1);
}

TEST_F(TelemetryTest, EverythingLeavesWithTheWindow) {
  FailSome(1);
  telemetry_.JobEnded({.failed = true, .retry_cured = true}, now_);
  telemetry_.PartialBatchEnded(now_);
  telemetry_.Advance(now_ + kTelemetryWindow - kTick);
  EXPECT_EQ(telemetry_.attempts(), 1);
  EXPECT_EQ(telemetry_.jobs().ended, 1);
  telemetry_.Advance(now_ + kTelemetryWindow);
  EXPECT_EQ(telemetry_.attempts(), 0);
  EXPECT_TRUE(telemetry_.Reasons().empty());
  EXPECT_EQ(telemetry_.messages().size(), 0u);
  EXPECT_EQ(telemetry_.jobs().ended, 0);
  EXPECT_EQ(telemetry_.jobs().failed, 0);
  EXPECT_EQ(telemetry_.jobs().retries_cured, 0);
  EXPECT_EQ(telemetry_.jobs().partial_batches, 0);
}

TEST_F(TelemetryTest, WhatEndedLaterStaysLonger) {
  Succeed(1);
  now_ += absl::Minutes(4);
  Succeed(2);
  telemetry_.Advance(now_ + absl::Minutes(6) - kTick);
  EXPECT_EQ(telemetry_.attempts(), 3);
  telemetry_.Advance(now_ + absl::Minutes(6));
  EXPECT_EQ(telemetry_.attempts(), 2);
  telemetry_.Advance(now_ + absl::Hours(1000));
  EXPECT_EQ(telemetry_.attempts(), 0);
  Succeed(0);
  now_ += absl::Hours(1000);
  Succeed(1);
  EXPECT_EQ(telemetry_.attempts(), 1);
}

TEST_F(TelemetryTest, WarnsAboveFivePercentAndNotAtIt) {
  Succeed(95);
  FailSome(5);
  EXPECT_EQ(health(), HealthState::kOk);
  EXPECT_EQ(cause(), "");
  FailSome(1);
  EXPECT_EQ(health(), HealthState::kWarning);
  EXPECT_EQ(cause(),
            "task type t: 5.9 % of 101 attempts in the last 10 min ended "
            "INACTIVITY_TIMEOUT (warning above 5 %)");
}

TEST_F(TelemetryTest, WantsActionAboveTenPercentAndNotAtIt) {
  Succeed(90);
  FailSome(10);
  EXPECT_EQ(health(), HealthState::kWarning);
  FailSome(1);
  EXPECT_EQ(health(), HealthState::kAction);
  EXPECT_EQ(cause(),
            "task type t: 10.9 % of 101 attempts in the last 10 min ended "
            "INACTIVITY_TIMEOUT (action above 10 %)");
}

TEST_F(TelemetryTest, SaysNothingOfTooFewAttempts) {
  FailSome(kRateAttemptsMin - 1);
  EXPECT_EQ(health(), HealthState::kOk);
  FailSome(1);
  EXPECT_EQ(health(), HealthState::kAction);
}

TEST_F(TelemetryTest, IsWellAgainWhenTheFailuresAreOutOfTheWindow) {
  FailSome(20);
  telemetry_.Advance(now_ + kTelemetryWindow - kTick);
  EXPECT_EQ(health(), HealthState::kAction);
  telemetry_.Advance(now_ + kTelemetryWindow);
  EXPECT_EQ(health(), HealthState::kOk);
}

TEST_F(TelemetryTest, ReasonsOfOneTypeAddUp) {
  Succeed(92);
  FailSome(4, Reason::kNonzeroExit);
  FailSome(3, Reason::kSignalled);
  FailSome(1, Reason::kTaskError);
  EXPECT_EQ(cause(),
            "task type t: 8.0 % of 100 attempts in the last 10 min failed: 4.0 "
            "% NONZERO_EXIT, 3.0 % SIGNALLED, 1.0 % TASK_ERROR (warning above "
            "5 %)");
  FailSome(1, Reason::kOutOfMemory);
  EXPECT_NE(cause().find(", others (warning"), std::string::npos) << cause();
}

TEST_F(TelemetryTest, TypesAreJudgedApartTheWorstFirst) {
  Succeed(1000, "good");
  Succeed(92, "bad");
  FailSome(8, Reason::kNonzeroExit, "bad");
  FailSome(30, Reason::kSignalled, "");
  const Judgement health = telemetry_.Judge();
  EXPECT_EQ(health.state, HealthState::kAction);
  ASSERT_EQ(health.causes.size(), 2u);
  EXPECT_EQ(health.causes[0].substr(0, 17), "commands: 100.0 %");
  EXPECT_EQ(health.causes[1].substr(0, 14), "task type bad:");
}

TEST_F(TelemetryTest, WhatSomebodyWantedToEndDoesNotCount) {
  Succeed(19);
  FailSome(50, Reason::kCancelled);
  FailSome(50, Reason::kDrained);
  EXPECT_EQ(health(), HealthState::kOk);
  EXPECT_EQ(telemetry_.messages().size(), 0u);
  EXPECT_EQ(telemetry_.attempts(), 119);
  // Nor does it hide what else failed.
  FailSome(3);
  EXPECT_EQ(health(), HealthState::kAction);
}

TEST_F(TelemetryTest, ThresholdsAndWindowAreSettings) {
  TelemetryOptions options;
  options.window = absl::Minutes(90);
  options.warning_rate_percent = 0.5;
  options.action_rate_percent = 50;
  Telemetry telemetry(options);
  for (int i = 0; i < 100; ++i) {
    telemetry.AttemptEnded(
        "t", JobId("j"),
        i < 1 ? std::optional<Failure>(Failure{Reason::kNonzeroExit, ""})
              : std::nullopt,
        now_);
  }
  telemetry.Advance(now_ + absl::Minutes(88));
  ASSERT_EQ(telemetry.Judge().causes.size(), 1u);
  EXPECT_EQ(telemetry.Judge().causes[0],
            "task type t: 1.0 % of 100 attempts in the last 90 min ended "
            "NONZERO_EXIT (warning above 0.5 %)");
}

TEST_F(TelemetryTest, TypesBeyondTheBoundAreCountedTogether) {
  for (size_t i = 0; i < kTelemetryTypesMax + 10; ++i) {
    Succeed(1, "type" + std::to_string(i));
  }
  Succeed(1, "type0");
  const auto reasons = telemetry_.Reasons();
  EXPECT_EQ(reasons[0].task_type, kOtherTypes);
  EXPECT_EQ(reasons[0].attempts, 10);
  EXPECT_EQ(reasons[1].task_type, "type0");
  EXPECT_EQ(reasons[1].attempts, 2);
  EXPECT_EQ(reasons.size(), kReasonsShownMax);
  // There is room again when the others have left the window.
  now_ += kTelemetryWindow;
  Succeed(1, "type260");
  EXPECT_EQ(telemetry_.Reasons()[0].task_type, "type260");
}

TEST_F(TelemetryTest, ReasonsThatAreNotKnownAreNotToldApart) {
  for (int i = 100; i < 1000; ++i) FailSome(1, static_cast<Reason>(i));
  ASSERT_EQ(telemetry_.Reasons().size(), 1u);
  EXPECT_EQ(telemetry_.Reasons()[0].reason, Reason::kInternal);
}

TEST_F(TelemetryTest, CausesAreBounded) {
  for (int type = 0; type < 100; ++type) {
    FailSome(20, Reason::kNonzeroExit, "type" + std::to_string(type));
  }
  EXPECT_EQ(telemetry_.Judge().causes.size(), kCausesShownMax);
}

}  // namespace
}  // namespace vigil::coordinator
