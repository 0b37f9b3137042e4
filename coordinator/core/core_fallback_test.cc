// Proves that a job with a fallback never fails for a reason that it covers,
// whatever would have failed it, and never hides a cancel (B4). Clients and
// workers are simulated (see core_fixture.h).
#include <memory>
#include <string>

#include "coordinator/core/core_fixture.h"
#include "gtest/gtest.h"

namespace vigil::coordinator {
namespace {

class FallbackTest : public CoreFixture {
 protected:
  FallbackTest() {
    policy_.retry.jitter = 0;
    policy_.fallback.declared = true;
  }

  void RunJob() { CoreFixture::RunJob(policy_); }
  void ExpectDegraded(Reason reason) {
    EXPECT_EQ(StateOf("j"), JobState::kSucceeded);
    EXPECT_EQ(Get("j").failure, std::nullopt);
    ASSERT_TRUE(Get("j").fallback_failure.has_value());
    EXPECT_EQ(Get("j").fallback_failure->reason, reason);
    EXPECT_EQ(Get("j").end_time, now_);
    EXPECT_EQ(Get("j").result_bytes, std::nullopt);
    EXPECT_EQ(core_->counters().fallbacks, 1);
    EXPECT_EQ(core_->counters().ended[static_cast<int>(JobState::kSucceeded)],
              1);
  }
  void ExpectFailed(Reason reason) {
    EXPECT_EQ(StateOf("j"), JobState::kFailed);
    EXPECT_EQ(ReasonOf("j"), reason);
    EXPECT_EQ(Get("j").fallback_failure, std::nullopt);
    EXPECT_EQ(core_->counters().fallbacks, 0);
  }

  JobPolicy policy_;
};

TEST_F(FallbackTest, B4_AFailedAttemptLeavesTheFallback) {
  RunJob();
  now_ += absl::Seconds(2);
  End(1, EndOf(Id("j"), Reason::kNonzeroExit));
  ExpectDegraded(Reason::kNonzeroExit);
  // The attempt itself failed.
  EXPECT_EQ(Get("j").current().failure->reason, Reason::kNonzeroExit);
}

TEST_F(FallbackTest, B4_RetriesComeFirst) {
  policy_.retry.maximum_attempts = 2;
  policy_.retry.retry_on = {Reason::kNonzeroExit};
  RunJob();
  End(1, EndOf(Id("j"), Reason::kNonzeroExit));
  ASSERT_EQ(StateOf("j"), JobState::kBackoff);
  EXPECT_EQ(Get("j").fallback_failure, std::nullopt);
  now_ = Get("j").retry_time;
  Heartbeat(1);
  Tick();
  End(1, EndOf(Id("j", 2), Reason::kNonzeroExit));
  ExpectDegraded(Reason::kNonzeroExit);
}

TEST_F(FallbackTest, B4_ARetryThatSucceedsNeedsNone) {
  policy_.retry.retry_on = {Reason::kNonzeroExit};
  RunJob();
  End(1, EndOf(Id("j"), Reason::kNonzeroExit));
  now_ = Get("j").retry_time;
  Heartbeat(1);
  Tick();
  End(1, EndOf(Id("j", 2)));
  EXPECT_EQ(StateOf("j"), JobState::kSucceeded);
  EXPECT_EQ(Get("j").fallback_failure, std::nullopt);
  EXPECT_EQ(core_->counters().fallbacks, 0);
}

TEST_F(FallbackTest, B4_ReasonsThatItIsNotForFail) {
  policy_.fallback.reasons = {Reason::kSignalled};
  RunJob();
  End(1, EndOf(Id("j"), Reason::kNonzeroExit));
  ExpectFailed(Reason::kNonzeroExit);
}

TEST_F(FallbackTest, B4_ReasonsThatItIsForDoNot) {
  policy_.fallback.reasons = {Reason::kSignalled, Reason::kInactivityTimeout};
  RunJob();
  End(1, EndOf(Id("j"), Reason::kInactivityTimeout));
  ExpectDegraded(Reason::kInactivityTimeout);
}

TEST_F(FallbackTest, B4_WithoutAWorkerTheClocksOfTheQueueLeaveIt) {
  policy_.schedule_to_start = absl::Seconds(5);
  Submit("j", policy_);
  TickAt(now_ + absl::Seconds(5));
  ExpectDegraded(Reason::kScheduleToStartTimeout);
}

TEST_F(FallbackTest, B4_TheEndOfTheWholeTimeLeavesIt) {
  policy_.schedule_to_close = absl::Seconds(5);
  Submit("j", policy_);
  TickAt(now_ + absl::Seconds(5));
  ExpectDegraded(Reason::kScheduleToCloseTimeout);
}

TEST_F(FallbackTest, B4_AJobThatMayStartOnceHasItWhenItsWorkerIsLost) {
  policy_.retry.maximum_attempts = 1;
  RunJob();
  WorkerDead("w-1");
  ExpectDegraded(Reason::kWorkerLost);
}

TEST_F(FallbackTest, B4_ATreeThatIsNotProvedDeadLeavesIt) {
  RunJob();
  AttemptEnd end = EndOf(Id("j"));
  end.evidence.emplace();
  end.evidence->death_unconfirmed = true;
  End(1, std::move(end));
  ExpectDegraded(Reason::kInternal);
}

TEST_F(FallbackTest, B4_ACancelledJobWhoseDeathIsNotProvedHasNone) {
  RunJob();
  Cancel("j");
  End(1, EndUnconfirmed(Id("j"), Reason::kCancelled));
  ExpectFailed(Reason::kCancelled);
}

TEST_F(FallbackTest, B4_ACancelledJobIsCancelled) {
  RunJob();
  Cancel("j");
  End(1, EndOf(Id("j"), Reason::kCancelled));
  EXPECT_EQ(StateOf("j"), JobState::kCancelled);
  EXPECT_EQ(Get("j").fallback_failure, std::nullopt);
}

TEST_F(FallbackTest, B4_WhatTheFailedAttemptLeftIsNotTheResult) {
  RunJob();
  TakeCheckpoint(1, Id("j"), "state");
  AttemptEnd end = EndOf(Id("j"), Reason::kInactivityTimeout);
  end.result = std::make_shared<const std::string>("partial");
  End(1, std::move(end));
  ExpectDegraded(Reason::kInactivityTimeout);
  EXPECT_EQ(Get("j").checkpoint, std::nullopt);
  // The checkpoint is emptied, and nothing takes its place.
  ASSERT_EQ(fx_.results.size(), 1u);
  EXPECT_EQ(*fx_.results[0].bytes, "");
}

}  // namespace
}  // namespace vigil::coordinator
