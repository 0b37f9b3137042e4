// Proves that the worker's core ends an attempt at each of its deadlines, one
// tick after nothing happened and not before; that what counts as activity
// moves them; and that silence is decided only on output that was read. Slots
// and tasks are simulated (see core_fixture.h).
#include <vector>

#include "absl/strings/match.h"
#include "gtest/gtest.h"
#include "worker/core/core_fixture.h"

namespace vigil::worker {
namespace {

class DeadlinesTest : public CoreFixture {
 protected:
  // Runs job "j" and makes it ACTIVE at once.
  void RunActive(const Supervision& supervision = {}) {
    Start(1);
    Run("j", supervision);
    Stdout();
    start_ = now_;
  }
  void RunStarting(const Supervision& supervision = {}) {
    Start(1);
    Run("j", supervision);
    start_ = now_;
  }
  absl::Time At(double seconds) const {
    return start_ + absl::Seconds(seconds);
  }

  absl::Time start_;
};

TEST_F(DeadlinesTest, L7_StartupEndsAtItsDeadlineAndNotATickBefore) {
  RunStarting();
  ExpectQuietBefore(At(120));
  EXPECT_EQ(StopCause(), Reason::kStartupTimeout);
}

TEST_F(DeadlinesTest, L7_StderrFeedsStartingAndDoesNotEndIt) {
  RunStarting();
  RunUntil(At(100));
  Stderr();
  EXPECT_TRUE(Of<SendUpdate>().empty());  // no change of phase
  ExpectQuietBefore(At(145));
  EXPECT_EQ(StopCause(), Reason::kStartupTimeout);
}

TEST_F(DeadlinesTest, L7_AnEarlyLineOnStderrDoesNotShortenTheGrace) {
  RunStarting();
  Stderr();
  ExpectQuietBefore(At(120));
  EXPECT_EQ(StopCause(), Reason::kStartupTimeout);
}

TEST_F(DeadlinesTest, L7_TheFirstByteOnStdoutEndsStarting) {
  RunStarting();
  RunUntil(At(119));
  Stdout();
  ASSERT_EQ(Of<SendUpdate>().size(), 1u);
  EXPECT_EQ(Of<SendUpdate>()[0].update.phase, Phase::kActive);
  ExpectQuietBefore(At(119 + 45));
  EXPECT_EQ(StopCause(), Reason::kInactivityTimeout);
}

TEST_F(DeadlinesTest, L7_WithAReadyPatternOnlyItsMatchEndsStarting) {
  Supervision supervision;
  supervision.waits_for_ready = true;
  RunStarting(supervision);
  RunUntil(At(100));
  Stdout();
  ExpectQuietBefore(At(145) - kTick);
  Step([&] { core_->Ready(0, now_, &effects_); });
  ASSERT_EQ(Of<SendUpdate>().size(), 1u);
  EXPECT_EQ(Of<SendUpdate>()[0].update.phase, Phase::kActive);
  ExpectQuietBefore(now_ + absl::Seconds(45));
  EXPECT_EQ(StopCause(), Reason::kInactivityTimeout);
}

TEST_F(DeadlinesTest, L7_ACrashWhileLoadingIsReportedAtOnce) {
  RunStarting();
  RunUntil(At(3));
  EndByItself(1);
  EXPECT_EQ(EndReason(), Reason::kNonzeroExit);
  EXPECT_EQ(TheEnd().time_to_active, std::nullopt);
  EXPECT_EQ(TheEnd().last.age, absl::Seconds(3));
}

TEST_F(DeadlinesTest, L1_InactivityResetByEveryToken) {
  RunActive();
  for (int i = 1; i <= 8; ++i) {
    ExpectQuietBefore(At(i * 45) - kTick);
    Stdout();
    // The next deadline is one tick earlier than a multiple of 45 s.
    start_ -= kTick;
  }
  ExpectQuietBefore(now_ + absl::Seconds(45));
  EXPECT_EQ(StopCause(), Reason::kInactivityTimeout);
}

TEST_F(DeadlinesTest, L1_StderrResetsInactivityToo) {
  RunActive();
  RunUntil(At(44));
  Stderr();
  ExpectQuietBefore(At(89));
  EXPECT_EQ(StopCause(), Reason::kInactivityTimeout);
}

TEST_F(DeadlinesTest, OnlyChosenStreamsAreActivity) {
  Supervision supervision;
  supervision.stderr_is_activity = false;
  RunActive(supervision);
  RunUntil(At(44));
  Stderr();
  ExpectQuietBefore(At(45));
  EXPECT_EQ(StopCause(), Reason::kInactivityTimeout);
}

TEST_F(DeadlinesTest, StdoutThatIsNoActivityStillEndsStarting) {
  Supervision supervision;
  supervision.stdout_is_activity = false;
  RunActive(supervision);
  RunUntil(At(44));
  Stdout();
  ExpectQuietBefore(At(45));
  EXPECT_EQ(StopCause(), Reason::kInactivityTimeout);
}

TEST_F(DeadlinesTest, ProgressThatDoesNotGrowEndsATalkingTask) {
  Supervision supervision;
  supervision.timeouts.progress = absl::Seconds(60);
  RunActive(supervision);
  Progressed(1);
  for (int t = 10; t < 60; t += 10) {
    RunUntil(At(t));
    Stdout();
    if (t == 30) Progressed(2);
    if (t == 50) Progressed(2);
  }
  RunUntil(At(80));
  Stdout();
  ExpectQuietBefore(At(90));
  EXPECT_EQ(StopCause(), Reason::kProgressTimeout);
}

TEST_F(DeadlinesTest, L2_StartToCloseEndsATaskThatTalksAllTheTime) {
  RunActive();
  for (int t = 1; t < 600; ++t) {
    RunUntil(At(t));
    Stdout();
    EXPECT_TRUE(Of<SoftStop>().empty());
  }
  ExpectQuietBefore(At(600));
  EXPECT_EQ(StopCause(), Reason::kStartToCloseTimeout);
}

TEST_F(DeadlinesTest, L3_ASilentTaskHasOneDeadline) {
  Supervision supervision;
  supervision.silent = true;
  supervision.timeouts.start_to_close = absl::Seconds(300);
  RunStarting(supervision);
  ExpectQuietBefore(At(300));
  EXPECT_EQ(StopCause(), Reason::kStartToCloseTimeout);
}

TEST_F(DeadlinesTest, L5_ShorterRequestsHoldWhateverTheDefaults) {
  Supervision supervision;
  supervision.timeouts.inactivity = absl::Milliseconds(50);
  RunActive(supervision);
  ExpectQuietBefore(At(0.05));
  EXPECT_EQ(StopCause(), Reason::kInactivityTimeout);
}

TEST_F(DeadlinesTest, L6_SlowLoadThenTokensSucceeds) {
  RunStarting();
  RunUntil(At(35));
  for (int t = 35; t < 60; ++t) {
    RunUntil(At(t));
    EXPECT_TRUE(Of<SoftStop>().empty());
    Stdout();
  }
  EndByItself(0);
  EXPECT_EQ(TheEnd().failure, std::nullopt);
  EXPECT_EQ(TheEnd().time_to_active, absl::Seconds(35));
  EXPECT_EQ(TheEnd().last.tokens, 25);
  EXPECT_EQ(TheEnd().last.longest_silence, absl::Seconds(35));
}

TEST_F(DeadlinesTest, L6_LongRunOfTokensSucceedsAndAHangEndsAfterTheLast) {
  RunActive();
  for (int t = 1; t <= 180; ++t) {
    RunUntil(At(t));
    EXPECT_TRUE(Of<SoftStop>().empty());
    Stdout();
  }
  ExpectQuietBefore(At(225));
  EXPECT_EQ(StopCause(), Reason::kInactivityTimeout);
  Die();
  EXPECT_TRUE(absl::StrContains(TheEnd().failure->message, "silent for 45s"));
  EXPECT_EQ(TheEnd().evidence->silence, absl::Seconds(45));
  EXPECT_EQ(TheEnd().evidence->age, absl::Seconds(225));
}

TEST_F(DeadlinesTest, ScheduleToCloseEndsTheAttemptOfAJobWhoseTimeIsOver) {
  Start(1);
  Assign("j", {}, absl::Seconds(20));
  RunFor(absl::Seconds(2));  // being spawned counts
  Spawned(0);
  ExpectQuietBefore(now_ + absl::Seconds(18));
  EXPECT_EQ(StopCause(), Reason::kScheduleToCloseTimeout);
}

TEST_F(DeadlinesTest, ScheduleToCloseCountsTheWaitForASlot) {
  Start(1);
  const absl::Time begin = now_;
  Run("first");
  Assign("j", {}, absl::Seconds(20));
  RunFor(kWaitForSlotMax / 2);
  EndByItself(0);
  ASSERT_EQ(Of<SpawnTask>().size(), 1u);
  Spawned(0);
  ExpectQuietBefore(begin + absl::Seconds(20));
  EXPECT_EQ(StopCause(), Reason::kScheduleToCloseTimeout);
}

TEST_F(DeadlinesTest, ScheduleToCloseEndsAnAttemptThatStillWaitsForASlot) {
  Start(1);
  const absl::Time begin = now_;
  const absl::Duration left = kWaitForSlotMax / 2;
  Run("first");
  Assign("j", {}, left);
  RunUntil(begin + left - kTick);
  EXPECT_TRUE(Of<SendEnd>().empty());
  EXPECT_EQ(core_->NextDeadline(), begin + left);
  RunUntil(begin + left);
  EXPECT_EQ(TheEnd().attempt, Id("j"));
  EXPECT_EQ(EndReason(), Reason::kScheduleToCloseTimeout);
  EXPECT_EQ(core_->Running(), std::vector<AttemptId>{Id("first")});
}

TEST_F(DeadlinesTest, SilenceRestsWhileReadingIsPausedAndTotalsDoNot) {
  RunActive();
  RunUntil(At(40));
  Step([&] { core_->ReadingPaused(0, now_); });
  RunUntil(At(140));
  EXPECT_TRUE(Of<SoftStop>().empty());
  Step([&] { core_->ReadingResumed(0, now_); });
  RunUntil(At(144));
  Step([&] { core_->ReadingPaused(0, now_); });
  ExpectQuietBefore(At(600));
  EXPECT_EQ(StopCause(), Reason::kStartToCloseTimeout);
}

TEST_F(DeadlinesTest, SilenceAfterAPauseEndsAtWhatWasLeftOfIt) {
  RunActive();
  RunUntil(At(40));
  Step([&] { core_->ReadingPaused(0, now_); });
  RunUntil(At(140));
  Step([&] { core_->ReadingResumed(0, now_); });
  ExpectQuietBefore(At(145));
  EXPECT_EQ(StopCause(), Reason::kInactivityTimeout);
}

TEST_F(DeadlinesTest, AStallIsGrantedToSilence) {
  RunActive();
  RunUntil(At(40));
  now_ = At(140);
  Step([&] { core_->GrantStall(absl::Seconds(100)); });
  ExpectQuietBefore(At(145));
  EXPECT_EQ(StopCause(), Reason::kInactivityTimeout);
}

TEST_F(DeadlinesTest, AStallIsNotGrantedToTotals) {
  RunActive();
  RunUntil(At(40));
  now_ = At(599);
  Step([&] { core_->GrantStall(absl::Seconds(559)); });
  ExpectQuietBefore(At(600));
  EXPECT_EQ(StopCause(), Reason::kStartToCloseTimeout);
}

TEST_F(DeadlinesTest, SilenceIsDecidedOnlyAfterOutputWasChecked) {
  RunActive();
  unread_.insert(0);
  RunUntil(At(45));
  EXPECT_EQ(Of<CheckOutput>().size(), 1u);
  EXPECT_TRUE(Of<SoftStop>().empty());
  TickAt(now_);  // asked once
  EXPECT_TRUE(Of<CheckOutput>().empty());
  Step([&] { core_->OutputChecked(0, now_, &effects_); });
  EXPECT_EQ(StopCause(), Reason::kInactivityTimeout);
}

TEST_F(DeadlinesTest, OutputFoundByTheCheckSavesTheTask) {
  RunActive();
  unread_.insert(0);
  RunUntil(At(45));
  ASSERT_EQ(Of<CheckOutput>().size(), 1u);
  Stdout();
  Step([&] { core_->OutputChecked(0, now_, &effects_); });
  EXPECT_TRUE(Of<SoftStop>().empty());
  unread_.clear();
  ExpectQuietBefore(At(90));
  EXPECT_EQ(StopCause(), Reason::kInactivityTimeout);
}

TEST_F(DeadlinesTest, TotalsNeedNoCheck) {
  Supervision supervision;
  supervision.timeouts.start_to_close = absl::Seconds(5);
  RunActive(supervision);
  unread_.insert(0);
  ExpectQuietBefore(At(5));
  EXPECT_TRUE(Of<CheckOutput>().empty());
  EXPECT_EQ(StopCause(), Reason::kStartToCloseTimeout);
}

TEST_F(DeadlinesTest, ATotalHoldsWhileACheckIsNotAnswered) {
  Supervision supervision;
  supervision.timeouts.start_to_close = absl::Seconds(46);
  RunActive(supervision);
  unread_.insert(0);
  RunUntil(At(45));
  ASSERT_EQ(Of<CheckOutput>().size(), 1u);
  RunUntil(At(47));  // the next ping, at the latest
  EXPECT_EQ(StopCause(), Reason::kStartToCloseTimeout);
}

TEST_F(DeadlinesTest, ObserveReportsOncePerSilenceAndKillsNothing) {
  Supervision supervision;
  supervision.observe = true;
  RunActive(supervision);
  RunUntil(At(45) - kTick);
  EXPECT_TRUE(Observed().empty());
  RunUntil(At(500));
  ASSERT_EQ(Observed().size(), 1u);
  EXPECT_EQ(Observed()[0].reason, Reason::kInactivityTimeout);
  Stdout();
  RunUntil(At(545));
  ASSERT_EQ(Observed().size(), 1u);
  RunUntil(At(5000));
  ASSERT_EQ(Observed().size(), 1u);
  EXPECT_EQ(Observed()[0].reason, Reason::kStartToCloseTimeout);
  EXPECT_TRUE(Of<SoftStop>().empty());
  EXPECT_TRUE(Of<KillTree>().empty());
  EXPECT_EQ(core_->slot_state(0), SlotState::kRunning);
  EndByItself(0);
  EXPECT_EQ(TheEnd().failure, std::nullopt);
}

TEST_F(DeadlinesTest, ObserveReportsStartupAndProgressToo) {
  Supervision supervision;
  supervision.observe = true;
  supervision.timeouts.progress = absl::Seconds(10);
  RunStarting(supervision);
  RunUntil(At(130));
  ASSERT_EQ(Observed().size(), 1u);
  EXPECT_EQ(Observed()[0].reason, Reason::kStartupTimeout);
  Stdout();
  RunUntil(At(150));
  ASSERT_EQ(Observed().size(), 1u);
  EXPECT_EQ(Observed()[0].reason, Reason::kProgressTimeout);
  Progressed(1);
  RunUntil(At(165));
  ASSERT_EQ(Observed().size(), 1u);
  EXPECT_EQ(Observed()[0].reason, Reason::kProgressTimeout);
}

}  // namespace
}  // namespace vigil::worker
