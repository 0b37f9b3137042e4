// Proves what becomes of a warm program: which frames are right and when, which
// clocks judge it, what ends its attempts, when it stays for the next job and
// when it is replaced. Programs are simulated (see warm_fixture.h).
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "worker/core/warm_fixture.h"

namespace vigil::worker {
namespace {

class WarmTest : public WarmFixture {
 protected:
  // Lets the idle program in slot 0 be told to end at `deadline`, not before.
  void ExpectEndAt(absl::Time deadline) {
    RunUntil(deadline - kTick);
    EXPECT_TRUE(Of<EndTask>().empty());
    EXPECT_EQ(core_->slot_state(0), SlotState::kWarm);
    RunUntil(deadline);
    EXPECT_EQ(Of<EndTask>().size(), 1u);
    EXPECT_EQ(core_->slot_state(0), SlotState::kEnding);
  }
};

TEST_F(WarmTest, AProgramTakesOneJobAfterAnother) {
  Start(1);
  const TaskTypeRulesPtr type = Offer(Warm());
  Assign(type, "a");
  EXPECT_EQ(Spawns(), Jobs{"a"});
  Spawned(0);
  EXPECT_TRUE(Starts().empty());
  Hello();
  EXPECT_EQ(Starts(), Jobs{"a"});
  Started("a");
  RunFor(kFirstReportDelay);
  ASSERT_EQ(Of<SendUpdate>().size(), 1u);
  EXPECT_EQ(Of<SendUpdate>()[0].update.phase, Phase::kActive);
  Result("a");
  ASSERT_EQ(Of<InspectTask>().size(), 1u);
  EXPECT_TRUE(Of<InspectTask>()[0].look_for_others);
  EXPECT_TRUE(Of<SendEnd>().empty());
  Inspected();
  EXPECT_EQ(TheEnd().failure, std::nullopt);
  EXPECT_EQ(TheEnd().exit, std::nullopt);
  EXPECT_TRUE(Of<KillTree>().empty());
  Assign(type, "b");
  EXPECT_TRUE(Spawns().empty());
  EXPECT_EQ(Starts(), Jobs{"b"});
  Started("b");
  Finish("b");
  EXPECT_EQ(EndOf("b").failure, std::nullopt);
}

TEST_F(WarmTest, AFrameOutOfOrderIsNamedInEveryState) {
  Start(1);
  const TaskTypeRulesPtr type = Offer(Warm());
  Assign(type, "a");
  Spawned(0);
  const std::vector<FrameKind> of_attempt = {
      FrameKind::kToken,      FrameKind::kProgress, FrameKind::kHeartbeat,
      FrameKind::kCheckpoint, FrameKind::kResult,   FrameKind::kError};
  const auto expect_all = [&](const std::string& job, const char* problem) {
    for (const FrameKind kind : of_attempt) {
      EXPECT_EQ(Problem(kind, job), problem) << static_cast<int>(kind);
    }
  };
  // Loading.
  expect_all("a", "comes before hello");
  EXPECT_EQ(Problem(FrameKind::kStarted, "a"), "comes before hello");
  EXPECT_EQ(Problem(FrameKind::kResetDone), "comes before hello");
  Hello();
  // Handed over.
  EXPECT_EQ(Problem(FrameKind::kHello), "says hello again");
  EXPECT_EQ(Problem(FrameKind::kResetDone),
            "answers a reset that was not asked for");
  expect_all("a", "comes before started");
  expect_all("b", "is for an attempt that this task does not run");
  expect_all("", "is for an attempt that this task does not run");
  EXPECT_EQ(Problem(FrameKind::kStarted, "b"),
            "begins an attempt that is not its next");
  EXPECT_EQ(Problem(FrameKind::kStarted),
            "begins an attempt that is not its next");
  Started("a");
  // Begun.
  expect_all("a", "");
  expect_all("b", "is for an attempt that this task does not run");
  EXPECT_EQ(Problem(FrameKind::kStarted, "a"), "begins its attempt again");
  Result("a");
  // Done, and looked at.
  expect_all("a", "comes after the result");
  EXPECT_EQ(Problem(FrameKind::kStarted, "a"), "begins its attempt again");
  Inspected();
  // Idle.
  expect_all("a", "is for an attempt that this task does not run");
  EXPECT_EQ(Problem(FrameKind::kStarted, "a"),
            "begins an attempt that is not its next");
  EXPECT_EQ(Problem(FrameKind::kHello), "says hello again");
}

TEST_F(WarmTest, ACommandHasNoFrames) {
  Start(1);
  Run("j");
  EXPECT_EQ(Problem(FrameKind::kHello), "comes from a task that is not warm");
  Die();
  EXPECT_EQ(Problem(FrameKind::kHello), "comes from a task that is not warm");
}

TEST_F(WarmTest, ABrokenProtocolKillsAndIsChargedOnlyOnceBegun) {
  Start(1);
  const TaskTypeRulesPtr type = Offer(Warm());
  Assign(type, "a");
  Spawned(0);
  Hello();
  ProtocolBroken();
  EXPECT_EQ(Of<KillTree>().size(), 1u);
  Die();
  EXPECT_EQ(EndReason(), Reason::kProtocolError);
  EXPECT_TRUE(TheEnd().process_failed);
  Begin(type, "b");
  ProtocolBroken();
  EXPECT_EQ(Of<KillTree>().size(), 1u);
  EXPECT_TRUE(Of<SoftStop>().empty());
  Die();
  EXPECT_EQ(EndReason(), Reason::kProtocolError);
  EXPECT_FALSE(TheEnd().process_failed);
}

TEST_F(WarmTest, ABrokenProtocolBetweenJobsKillsTheProgram) {
  Start(1);
  MakeWarm(Offer(Warm()), "a");
  ProtocolBroken();
  EXPECT_EQ(Of<KillTree>().size(), 1u);
  Die();
  EXPECT_TRUE(Of<SendEnd>().empty());
  EXPECT_EQ(core_->slot_state(0), SlotState::kIdle);
}

TEST_F(WarmTest, ACrashWhileLoadingIsReportedAtOnceAndChargedToTheProcess_L7) {
  Start(1);
  const TaskTypeRulesPtr type = Offer(Warm());
  Assign(type, "a");
  Spawned(0);
  EndByItself(3);
  EXPECT_EQ(EndReason(), Reason::kNonzeroExit);
  EXPECT_TRUE(TheEnd().process_failed);
  EXPECT_FALSE(TheEnd().never_started);
}

TEST_F(WarmTest, AnExitWithoutAResultIsNoSuccess) {
  Start(1);
  const TaskTypeRulesPtr type = Offer(Warm());
  Begin(type, "a");
  EndByItself(0);
  EXPECT_EQ(EndReason(), Reason::kProtocolError);
  EXPECT_EQ(TheEnd().failure->message,
            "the program exited with status 0 before it gave a result");
  EXPECT_FALSE(TheEnd().process_failed);
  Assign(type, "b");
  Spawned(0);
  Hello();
  EndByItself(0);
  EXPECT_EQ(EndReason(), Reason::kProtocolError);
  EXPECT_TRUE(TheEnd().process_failed);
}

TEST_F(WarmTest, LoadingHasItsOwnClockWhichALineOnStderrExtends_L7) {
  Start(1);
  const TaskTypeRulesPtr type = Offer(Warm());
  Supervision supervision;
  supervision.timeouts.startup = absl::Seconds(120);
  supervision.timeouts.inactivity = absl::Seconds(45);
  Assign(type, "a", supervision);
  Spawned(0);
  const absl::Time start = now_;
  RunUntil(start + absl::Seconds(100));
  Stderr();
  ExpectQuietBefore(start + absl::Seconds(145));
  EXPECT_EQ(StopCause(), Reason::kStartupTimeout);
  EXPECT_FALSE(Of<SoftStop>()[0].by_frame);
  Die();
  EXPECT_FALSE(TheEnd().process_failed);
}

TEST_F(WarmTest, HelloDoesNotEndTheClockOfLoading_L7) {
  Start(1);
  const TaskTypeRulesPtr type = Offer(Warm());
  Assign(type, "a");
  Spawned(0);
  const absl::Time start = now_;
  Hello();
  ExpectQuietBefore(start + Timeouts().startup);
  EXPECT_EQ(StopCause(), Reason::kStartupTimeout);
}

TEST_F(WarmTest, EveryFrameResetsTheInactivityClock_L1) {
  Start(1);
  const TaskTypeRulesPtr type = Offer(Warm());
  Supervision supervision;
  supervision.timeouts.inactivity = absl::Seconds(45);
  supervision.stderr_is_activity = false;
  Begin(type, "a", 0, supervision);
  for (const FrameKind kind : {FrameKind::kToken, FrameKind::kProgress,
                               FrameKind::kHeartbeat, FrameKind::kCheckpoint}) {
    ExpectQuietBefore(now_ + absl::Seconds(45) - kTick);
    Frame(kind, "a");
  }
  const absl::Time last = now_;
  RunFor(absl::Seconds(30));
  Stderr();  // what it prints is not activity here
  ExpectQuietBefore(last + absl::Seconds(45));
  EXPECT_EQ(StopCause(), Reason::kInactivityTimeout);
  EXPECT_TRUE(Of<SoftStop>()[0].by_frame);
}

TEST_F(WarmTest, ItsWholeTimeCountsFromStarted) {
  Start(1);
  const TaskTypeRulesPtr type = Offer(Warm());
  Supervision supervision;
  supervision.timeouts.start_to_close = absl::Seconds(40);
  supervision.timeouts.startup = absl::Seconds(35);
  Assign(type, "a", supervision);
  Spawned(0);
  RunFor(absl::Seconds(30));
  Hello();
  Started("a");
  ExpectQuietBefore(now_ + absl::Seconds(40));
  EXPECT_EQ(StopCause(), Reason::kStartToCloseTimeout);
}

TEST_F(WarmTest, TokensAndHeartbeatsAreCounted) {
  Start(1);
  Begin(Offer(Warm()), "a");
  Frame(FrameKind::kToken, "a", 0, 7);
  Frame(FrameKind::kToken, "a", 0, 5);
  Frame(FrameKind::kHeartbeat, "a");
  Stdout(0, 3);
  Stderr(0, 2);
  Finish("a");
  const AttemptUpdate& last = TheEnd().last;
  EXPECT_EQ(last.tokens, 2);
  EXPECT_EQ(last.heartbeats, 1);
  EXPECT_EQ(last.stdout_bytes, 12);
  EXPECT_EQ(last.stderr_bytes, 5);
}

TEST_F(WarmTest, AnErrorSaysWhetherAndWhenToTryAgain) {
  Start(1);
  Begin(Offer(Warm()), "a");
  Frame(FrameKind::kError, "a");
  Outcome outcome;
  outcome.failure = Failure{Reason::kTaskError, "no luck", ""};
  outcome.retryable = true;
  outcome.next_retry_delay = absl::Seconds(7);
  Step([&] { core_->Reported(0, outcome, now_, &effects_); });
  Inspected();
  EXPECT_EQ(EndReason(), Reason::kTaskError);
  EXPECT_TRUE(TheEnd().retryable);
  EXPECT_EQ(TheEnd().next_retry_delay, absl::Seconds(7));
  EXPECT_FALSE(TheEnd().process_failed);
  EXPECT_EQ(core_->slot_state(0), SlotState::kWarm);
}

TEST_F(WarmTest, AStopAnsweredByAResultKeepsTheProgram) {
  Start(1);
  const TaskTypeRulesPtr type = Offer(Warm());
  Begin(type, "a");
  Stop("a");
  ASSERT_EQ(Of<SoftStop>().size(), 1u);
  EXPECT_TRUE(Of<SoftStop>()[0].by_frame);
  RunFor(Timeouts().shutdown_grace - kTick);
  EXPECT_TRUE(Of<KillTree>().empty());
  Result("a");
  Inspected();
  EXPECT_EQ(EndReason(), Reason::kCancelled);
  ASSERT_TRUE(TheEnd().evidence.has_value());
  EXPECT_FALSE(TheEnd().evidence->killed);
  EXPECT_FALSE(TheEnd().process_failed);
  Assign(type, "b");
  EXPECT_EQ(Starts(), Jobs{"b"});
}

TEST_F(WarmTest, AStopThatIsIgnoredKillsAfterTheGrace) {
  Start(1);
  Begin(Offer(Warm()), "a");
  Stop("a");
  Frame(FrameKind::kToken, "a");
  const absl::Time deadline = now_ + Timeouts().shutdown_grace;
  ExpectQuietBefore(deadline);
  EXPECT_EQ(Of<KillTree>().size(), 1u);
  Die();
  EXPECT_EQ(EndReason(), Reason::kCancelled);
}

TEST_F(WarmTest, AStopBeforeStartedEndsTheWholeProgram) {
  Start(1);
  const TaskTypeRulesPtr type = Offer(Warm());
  Assign(type, "a");
  Spawned(0);
  Hello();
  Stop("a");
  ASSERT_EQ(Of<SoftStop>().size(), 1u);
  EXPECT_FALSE(Of<SoftStop>()[0].by_frame);
  // It does the job all the same; it was told to end and gets no other one.
  Started("a");
  Finish("a");
  EXPECT_EQ(EndReason(), Reason::kCancelled);
  EXPECT_EQ(core_->slot_state(0), SlotState::kEnding);
  Assign(type, "b");
  EXPECT_TRUE(Starts().empty());
  EndByItself(0);
  EXPECT_EQ(Spawns(), Jobs{"b"});
}

TEST_F(WarmTest, AStopWhileItLoadsSendsNoStart) {
  Start(1);
  Assign(Offer(Warm()), "a");
  Spawned(0);
  Stop("a");
  EXPECT_EQ(StopCause(), Reason::kCancelled);
  Hello();
  EXPECT_TRUE(Starts().empty());
}

TEST_F(WarmTest, WhatAJobLeavesBehindIsKilledBeforeItsEndIsTold) {
  Start(1);
  const TaskTypeRulesPtr type = Offer(Warm());
  Begin(type, "a");
  Result("a");
  Inspected(1);
  EXPECT_EQ(Of<KillTree>().size(), 1u);
  EXPECT_TRUE(Of<SendEnd>().empty());
  Assign(type, "b");
  EXPECT_TRUE(effects_.empty());
  Exited(ExitSignal(9));
  TreeReport report;
  report.leftovers_killed = 1;
  TreeEmpty(report);
  Collected();
  EXPECT_EQ(EndOf("a").failure, std::nullopt);
  EXPECT_EQ(EndOf("a").evidence->leftover_processes_killed, 1);
  EXPECT_EQ(Spawns(), Jobs{"b"});
}

TEST_F(WarmTest, RecyclesAfterMaxJobs_A11) {
  Start(1);
  TaskTypeRules rules = Warm();
  rules.max_jobs = 2;
  const TaskTypeRulesPtr type = Offer(rules);
  MakeWarm(type, "a");
  Assign(type, "b");
  Started("b");
  Finish("b");
  EXPECT_EQ(EndOf("b").failure, std::nullopt);
  EXPECT_EQ(Of<EndTask>().size(), 1u);
  Assign(type, "c");
  EXPECT_TRUE(Starts().empty());
  EndByItself(0);
  EXPECT_TRUE(Of<SendEnd>().empty());
  EXPECT_EQ(Spawns(), Jobs{"c"});
}

TEST_F(WarmTest, RecyclesAboveTheMemoryLimitNotAtIt_A11) {
  Start(1);
  TaskTypeRules rules = Warm();
  rules.recycle_rss_bytes = 1000;
  const TaskTypeRulesPtr type = Offer(rules);
  Begin(type, "a");
  Finish("a", 0, 1000);
  EXPECT_EQ(core_->slot_state(0), SlotState::kWarm);
  Assign(type, "b");
  Started("b");
  Finish("b", 0, 1001);
  EXPECT_EQ(Of<EndTask>().size(), 1u);
}

TEST_F(WarmTest, EndsWhenItWasIdleForItsTime_A11) {
  Start(1);
  TaskTypeRules rules = Warm();
  rules.idle_timeout = absl::Minutes(10);
  const TaskTypeRulesPtr type = Offer(rules);
  MakeWarm(type, "a");
  RunFor(absl::Minutes(10) - kTick);
  Assign(type, "b");  // a job just in time counts as a new beginning
  Started("b");
  Finish("b");
  ExpectEndAt(now_ + absl::Minutes(10));
  EndByItself(0);
  EXPECT_EQ(core_->slot_state(0), SlotState::kIdle);
}

TEST_F(WarmTest, AProgramThatDoesNotEndIsKilledAfterItsGrace) {
  Start(1);
  TaskTypeRules rules = Warm();
  rules.shutdown_grace = absl::Seconds(3);
  MakeWarm(Offer(rules), "a");
  ExpectEndAt(now_ + rules.idle_timeout);
  ExpectQuietBefore(now_ + absl::Seconds(3));
  EXPECT_EQ(Of<KillTree>().size(), 1u);
  Die();
  EXPECT_EQ(core_->slot_state(0), SlotState::kIdle);
}

TEST_F(WarmTest, TheNextJobComesWhenAResetIsAnswered_A11) {
  Start(1);
  TaskTypeRules rules = Warm();
  rules.reset = true;
  const TaskTypeRulesPtr type = Offer(rules);
  Begin(type, "a");
  Finish("a");
  EXPECT_EQ(EndOf("a").failure, std::nullopt);
  EXPECT_EQ(Of<SendReset>().size(), 1u);
  Assign(type, "b");
  EXPECT_TRUE(effects_.empty());
  EXPECT_EQ(Problem(FrameKind::kToken, "a"),
            "is for an attempt that this task does not run");
  Frame(FrameKind::kResetDone);
  EXPECT_EQ(Starts(), Jobs{"b"});
  EXPECT_EQ(Problem(FrameKind::kResetDone),
            "answers a reset that was not asked for");
}

TEST_F(WarmTest, AResetThatIsNotAnsweredKills_A11) {
  Start(1);
  TaskTypeRules rules = Warm();
  rules.reset = true;
  Begin(Offer(rules), "a");
  Finish("a");
  ExpectQuietBefore(now_ + kResetMax);
  EXPECT_EQ(Of<KillTree>().size(), 1u);
}

TEST_F(WarmTest, NothingIsResetThatIsReplaced_A11) {
  Start(1);
  TaskTypeRules rules = Warm();
  rules.reset = true;
  rules.max_jobs = 1;
  Begin(Offer(rules), "a");
  Finish("a");
  EXPECT_TRUE(Of<SendReset>().empty());
  EXPECT_EQ(Of<EndTask>().size(), 1u);
}

TEST_F(WarmTest, AClosedChannelKillsATaskThatDoesNotExit) {
  Start(1);
  Begin(Offer(Warm()), "a");
  RunFor(absl::Seconds(2));
  ChannelClosed();
  ExpectQuietBefore(now_ + kChannelClosedMax);
  EXPECT_EQ(Of<KillTree>().size(), 1u);
  Die();
  EXPECT_EQ(EndReason(), Reason::kProtocolError);
}

TEST_F(WarmTest, TheExitBehindAClosedChannelSaysWhy) {
  Start(1);
  Begin(Offer(Warm()), "a");
  ChannelClosed();
  RunFor(kChannelClosedMax - kTick);
  Exited(ExitSignal(11));
  TreeEmpty();
  Collected();
  EXPECT_EQ(EndReason(), Reason::kSignalled);
}

TEST_F(WarmTest, AnIdleProgramThatClosesItsChannelGetsNoJob) {
  Start(1);
  const TaskTypeRulesPtr type = Offer(Warm());
  MakeWarm(type, "a");
  ChannelClosed();
  Assign(type, "b");
  EXPECT_TRUE(Starts().empty());
  ExpectQuietBefore(now_ + kChannelClosedMax);
  EXPECT_EQ(Of<KillTree>().size(), 1u);
  Die();
  EXPECT_EQ(Spawns(), Jobs{"b"});
}

TEST_F(WarmTest, AChannelThatIsClosedTogetherWithAResultEndsTheProgram) {
  Start(1);
  const TaskTypeRulesPtr type = Offer(Warm());
  Begin(type, "a");
  Result("a");
  ChannelClosed();
  Inspected();
  EXPECT_EQ(EndOf("a").failure, std::nullopt);
  EXPECT_EQ(core_->slot_state(0), SlotState::kEnding);
  Assign(type, "b");
  EXPECT_TRUE(Starts().empty());
}

TEST_F(WarmTest, HelloOfAProgramWhoseSlotNeverSaidThatItStartedIsHarmless) {
  Start(1);
  const TaskTypeRulesPtr type = Offer(Warm());
  Assign(type, "a");
  SlotLost();
  ASSERT_EQ(core_->slot_state(0), SlotState::kCollecting);
  Hello();
  EXPECT_TRUE(Starts().empty());
  Collected();
  EXPECT_EQ(EndReason(), Reason::kWorkerLost);
}

TEST_F(WarmTest, StatusesNameWhatIsWarm) {
  Start(1);
  MakeWarm(Offer(Warm()), "a");
  ASSERT_EQ(core_->TypeStatuses().size(), 1u);
  EXPECT_EQ(core_->TypeStatuses()[0].name, "t");
  EXPECT_EQ(core_->TypeStatuses()[0].warm_processes, 1);
  EXPECT_EQ(core_->TypeStatuses()[0].in_flight, 1);
  const int64_t revision = core_->types_revision();
  EndByItself(0);
  EXPECT_EQ(core_->TypeStatuses()[0].warm_processes, 0);
  EXPECT_GT(core_->types_revision(), revision);
}

}  // namespace
}  // namespace vigil::worker
