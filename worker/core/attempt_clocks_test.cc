// Proves when each clock of an attempt fires, one tick before and at its
// deadline, and what moves it: by telling AttemptClocks what happened at
// simulated instants.
#include "worker/core/attempt_clocks.h"

#include <optional>

#include "gtest/gtest.h"

namespace vigil::worker {
namespace {

constexpr absl::Duration kTick = absl::Nanoseconds(1);
const absl::Time kStart = absl::FromUnixSeconds(1000);

absl::Time At(double seconds) { return kStart + absl::Seconds(seconds); }

AttemptClocks Make(const Supervision& supervision,
                   absl::Time close = absl::InfiniteFuture()) {
  return AttemptClocks(supervision, kStart, close);
}

// `kind` is the first to fire, exactly at `deadline`.
void ExpectFires(const AttemptClocks& clocks, ClockKind kind,
                 absl::Time deadline) {
  EXPECT_EQ(clocks.NextDeadline(), deadline);
  EXPECT_EQ(clocks.Fired(deadline - kTick), std::nullopt);
  EXPECT_EQ(clocks.Fired(deadline), kind);
  EXPECT_EQ(clocks.Fired(deadline + kTick), kind);
}

TEST(AttemptClocksTest, A5_DefaultsAreThoseOfTheApi) {
  const Timeouts timeouts;
  EXPECT_EQ(timeouts.startup, absl::Seconds(120));
  EXPECT_EQ(timeouts.inactivity, absl::Seconds(45));
  EXPECT_EQ(timeouts.progress, absl::InfiniteDuration());
  EXPECT_EQ(timeouts.start_to_close, absl::Seconds(600));
  EXPECT_EQ(timeouts.schedule_to_start, absl::InfiniteDuration());
  EXPECT_EQ(timeouts.schedule_to_close, absl::Hours(24));
  EXPECT_EQ(timeouts.shutdown_grace, absl::Seconds(5));
}

TEST(AttemptClocksTest, C8_EveryClockFollowsItsSetting) {
  Supervision supervision;
  supervision.timeouts.startup = absl::Seconds(7);
  supervision.timeouts.inactivity = absl::Seconds(3);
  supervision.timeouts.progress = absl::Seconds(2);
  supervision.timeouts.start_to_close = absl::Seconds(11);
  AttemptClocks starting = Make(supervision);
  ExpectFires(starting, ClockKind::kStartup, At(7));
  AttemptClocks active = Make(supervision);
  active.Active(At(1));
  ExpectFires(active, ClockKind::kProgress, At(3));
  active.Progress(1, 0, At(2.5));
  ExpectFires(active, ClockKind::kInactivity, At(4));
  for (double t = 3; t <= 11; ++t) {
    active.Activity(At(t));
    active.Progress(static_cast<int64_t>(t), 0, At(t));
  }
  ExpectFires(active, ClockKind::kStartToClose, At(11));
  ExpectFires(Make(supervision, At(5)), ClockKind::kScheduleToClose, At(5));
}

TEST(AttemptClocksTest, L7_StartupHasAGraceOfItsOwn) {
  // Longer than inactivity: loading in silence is not hanging.
  ExpectFires(Make({}), ClockKind::kStartup, At(120));
}

TEST(AttemptClocksTest, L7_ActivityWhileLoadingExtendsTheGraceOnlyPastItsEnd) {
  AttemptClocks clocks = Make({});
  clocks.Activity(At(10));  // 10 + 45 lies within the grace
  ExpectFires(clocks, ClockKind::kStartup, At(120));
  clocks.Activity(At(75));  // 75 + 45 is its very end
  ExpectFires(clocks, ClockKind::kStartup, At(120));
  clocks.Activity(At(75) + kTick);
  ExpectFires(clocks, ClockKind::kStartup, At(120) + kTick);
  clocks.Activity(At(100));
  ExpectFires(clocks, ClockKind::kStartup, At(145));
}

TEST(AttemptClocksTest, L7_TheWholeTimeOfAWarmTaskCountsFromStarted) {
  Supervision supervision;
  supervision.timeouts.startup = absl::Seconds(60);
  supervision.timeouts.start_to_close = absl::Seconds(2);
  AttemptClocks clocks = Make(supervision);
  clocks.AwaitStarted();
  // A slow load is not cut short, and one that talks for ever ends.
  ExpectFires(clocks, ClockKind::kStartup, At(60));
  clocks.Activity(At(59));
  ExpectFires(clocks, ClockKind::kStartToClose, At(62));
  clocks.Started(At(59.5));
  ExpectFires(clocks, ClockKind::kStartToClose, At(61.5));
}

TEST(AttemptClocksTest, L7_ActivityInTheInstantOfTheStartCounts) {
  Supervision supervision;
  supervision.timeouts.startup = absl::Seconds(10);
  AttemptClocks clocks = Make(supervision);
  ExpectFires(clocks, ClockKind::kStartup, At(10));
  clocks.Activity(At(0));
  ExpectFires(clocks, ClockKind::kStartup, At(45));
  clocks.GrantStall(absl::Seconds(5));
  ExpectFires(clocks, ClockKind::kStartup, At(50));
}

TEST(AttemptClocksTest, L1_InactivityResetByEveryToken) {
  AttemptClocks clocks = Make({});
  clocks.Active(At(1));
  ExpectFires(clocks, ClockKind::kInactivity, At(46));
  for (double t = 2; t < 500; t += 44) {
    clocks.Activity(At(t));
    ExpectFires(clocks, ClockKind::kInactivity, At(t + 45));
  }
}

TEST(AttemptClocksTest, ActiveEndsStartupAndBeginsInactivityAndProgress) {
  Supervision supervision;
  supervision.timeouts.progress = absl::Seconds(20);
  AttemptClocks clocks = Make(supervision);
  EXPECT_FALSE(clocks.active());
  clocks.Active(At(100));
  EXPECT_TRUE(clocks.active());
  ExpectFires(clocks, ClockKind::kProgress, At(120));
  clocks.Active(At(110));  // only the first counts
  ExpectFires(clocks, ClockKind::kProgress, At(120));
  EXPECT_EQ(clocks.last_activity(), At(100));
}

TEST(AttemptClocksTest, L2_StartToCloseHoldsWhateverTheActivity) {
  AttemptClocks clocks = Make({});
  clocks.Active(At(1));
  for (double t = 1; t <= 600; ++t) clocks.Activity(At(t));
  EXPECT_EQ(clocks.Fired(At(600) - kTick), std::nullopt);
  EXPECT_EQ(clocks.Fired(At(600)), ClockKind::kStartToClose);
}

TEST(AttemptClocksTest, TotalsAreNamedBeforeSilence) {
  Supervision supervision;
  supervision.timeouts.start_to_close = absl::Seconds(45);
  AttemptClocks clocks = Make(supervision);
  clocks.Active(At(0));
  ExpectFires(clocks, ClockKind::kStartToClose, At(45));
  AttemptClocks closing = Make(supervision, At(45));
  closing.Active(At(0));
  ExpectFires(closing, ClockKind::kScheduleToClose, At(45));
}

TEST(AttemptClocksTest, OnlyAGrowingDoneIsProgress) {
  Supervision supervision;
  supervision.timeouts.progress = absl::Seconds(10);
  AttemptClocks clocks = Make(supervision);
  clocks.Active(At(0));
  EXPECT_TRUE(clocks.Progress(0, 0, At(1)));  // the first report
  ExpectFires(clocks, ClockKind::kProgress, At(11));
  EXPECT_FALSE(clocks.Progress(0, 0, At(2)));
  EXPECT_TRUE(clocks.Progress(5, 0, At(3)));
  EXPECT_FALSE(clocks.Progress(4, 0, At(4)));
  EXPECT_FALSE(clocks.Progress(5, 0, At(5)));
  clocks.Activity(At(12));
  ExpectFires(clocks, ClockKind::kProgress, At(13));
}

TEST(AttemptClocksTest, L3_SilentHasOneDeadline) {
  Supervision supervision;
  supervision.silent = true;
  supervision.timeouts.start_to_close = absl::Seconds(300);
  AttemptClocks clocks = Make(supervision);
  ExpectFires(clocks, ClockKind::kStartToClose, At(300));
  clocks.Activity(At(1));
  clocks.Active(At(1));
  ExpectFires(clocks, ClockKind::kStartToClose, At(300));
}

TEST(AttemptClocksTest, SilenceRestsWhileReadingIsPaused) {
  Supervision supervision;
  supervision.timeouts.progress = absl::Seconds(50);
  AttemptClocks clocks = Make(supervision);
  clocks.Active(At(0));
  clocks.Pause(At(10));
  EXPECT_TRUE(clocks.paused());
  clocks.Pause(At(15));  // the first counts
  ExpectFires(clocks, ClockKind::kStartToClose, At(600));
  clocks.Resume(At(110));
  clocks.Resume(At(120));
  ExpectFires(clocks, ClockKind::kInactivity, At(145));
  clocks.Activity(At(111));
  ExpectFires(clocks, ClockKind::kProgress, At(150));
}

TEST(AttemptClocksTest, StartupRestsWhileReadingIsPaused) {
  AttemptClocks clocks = Make({});
  clocks.Pause(At(20));
  clocks.Resume(At(50));
  ExpectFires(clocks, ClockKind::kStartup, At(150));
}

TEST(AttemptClocksTest, StallsAreGrantedToSilenceAndNotToTotals) {
  Supervision supervision;
  supervision.timeouts.progress = absl::Seconds(40);
  AttemptClocks starting = Make(supervision);
  starting.GrantStall(absl::Seconds(10));
  ExpectFires(starting, ClockKind::kStartup, At(130));
  AttemptClocks clocks = Make(supervision, At(120));
  clocks.Active(At(0));
  clocks.GrantStall(absl::Seconds(10));
  ExpectFires(clocks, ClockKind::kProgress, At(50));
  clocks.Progress(1, 0, At(49));
  ExpectFires(clocks, ClockKind::kInactivity, At(55));
  clocks.GrantStall(absl::Seconds(100));
  ExpectFires(clocks, ClockKind::kScheduleToClose, At(120));
}

TEST(AttemptClocksTest, AStallWithinAPauseIsGrantedOnce) {
  AttemptClocks clocks = Make({});
  clocks.Active(At(0));
  clocks.Pause(At(1));
  clocks.GrantStall(absl::Seconds(10));
  clocks.Resume(At(12));
  EXPECT_EQ(clocks.last_activity(), At(11));
  ExpectFires(clocks, ClockKind::kInactivity, At(56));
}

TEST(AttemptClocksTest, AReportedSilenceIsMutedUntilTheNextActivity) {
  AttemptClocks clocks = Make({});
  clocks.Active(At(0));
  clocks.Silence(ClockKind::kInactivity);
  ExpectFires(clocks, ClockKind::kStartToClose, At(600));
  clocks.Activity(At(100));
  ExpectFires(clocks, ClockKind::kInactivity, At(145));
  clocks.Silence(ClockKind::kStartToClose);
  clocks.Silence(ClockKind::kInactivity);
  clocks.Activity(At(590));
  ExpectFires(clocks, ClockKind::kInactivity, At(635));
}

TEST(AttemptClocksTest, AReportedStallOfProgressIsMutedUntilItGrows) {
  Supervision supervision;
  supervision.timeouts.progress = absl::Seconds(10);
  AttemptClocks clocks = Make(supervision);
  clocks.Active(At(0));
  clocks.Silence(ClockKind::kProgress);
  clocks.Activity(At(5));
  ExpectFires(clocks, ClockKind::kInactivity, At(50));
  clocks.Progress(1, 0, At(6));
  ExpectFires(clocks, ClockKind::kProgress, At(16));
}

TEST(AttemptClocksTest, LongestSilenceIsKeptOrStillGrowing) {
  AttemptClocks clocks = Make({});
  clocks.Activity(At(20));
  clocks.Activity(At(25));
  EXPECT_EQ(clocks.LongestSilence(At(26)), absl::Seconds(20));
  EXPECT_EQ(clocks.LongestSilence(At(55)), absl::Seconds(30));
}

TEST(AttemptClocksTest, OnlyClocksOfSilenceWaitForOutput) {
  EXPECT_TRUE(IsSilenceClock(ClockKind::kStartup));
  EXPECT_TRUE(IsSilenceClock(ClockKind::kInactivity));
  EXPECT_TRUE(IsSilenceClock(ClockKind::kProgress));
  EXPECT_FALSE(IsSilenceClock(ClockKind::kStartToClose));
  EXPECT_FALSE(IsSilenceClock(ClockKind::kScheduleToClose));
}

}  // namespace
}  // namespace vigil::worker
