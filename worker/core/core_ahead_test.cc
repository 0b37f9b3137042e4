// Proves what becomes of attempts that are handed to a warm program ahead: when
// they are, that they run in order, and what each of them ends as when the
// program, its slot or the attempt before them comes to an end. What a program
// wrote before it died is read when its tree is empty, as the loop does.
// Programs are simulated (see warm_fixture.h).
#include <vector>

#include "gtest/gtest.h"
#include "worker/core/warm_fixture.h"

namespace vigil::worker {
namespace {

class AheadTest : public WarmFixture {
 protected:
  void SetUp() override {
    Start(1);
    TaskTypeRules rules = Warm();
    rules.max_in_flight = 4;
    type_ = Offer(rules);
  }
  // What a program wrote before it died, which is read while it is collected.
  void ReadLate(FrameKind kind, const std::string& job) {
    Frame(kind, job);
    if (kind == FrameKind::kResult) {
      Step([&] { core_->Reported(0, Outcome(), now_, &effects_); });
    }
    EXPECT_TRUE(effects_.empty());
  }
  // The program is killed; its tree is empty and waits to be collected.
  void DieUnread(bool unconfirmed = false) {
    Exited(ExitSignal(9));
    TreeReport report;
    report.unconfirmed = unconfirmed;
    TreeEmpty(report);
    ASSERT_EQ(Of<CollectOutput>().size(), 1u);
  }

  TaskTypeRulesPtr type_;
};

TEST_F(AheadTest, OnlyJobsMeasuredAsShortAreHandedAhead) {
  Begin(type_, "a");
  Assign(type_, "b");
  EXPECT_TRUE(Starts().empty());
  now_ += kWorkAhead / 2;
  Result("a");
  Inspected();  // "b" is handed over
  EXPECT_EQ(Starts(), Jobs{"b"});
  EXPECT_EQ(core_->TypeStatuses()[0].in_flight, 2);
  Started("b");
  Assign(type_, "c");
  EXPECT_EQ(Starts(), Jobs{"c"});
  Assign(type_, "d");
  EXPECT_TRUE(Starts().empty());
}

TEST_F(AheadTest, TheyBeginInOrderWithClocksOfTheirOwn) {
  BeginWithAhead(type_, "a", {"b", "c"});
  EXPECT_EQ(Problem(FrameKind::kStarted, "b"),
            "begins an attempt that is not its next");
  RunFor(absl::Seconds(40));
  Result("a");
  ASSERT_EQ(Of<InspectTask>().size(), 1u);
  EXPECT_FALSE(Of<InspectTask>()[0].look_for_others);
  EXPECT_EQ(Problem(FrameKind::kStarted, "c"),
            "begins an attempt that is not its next");
  Inspected();
  EXPECT_TRUE(Starts().empty());  // it has them already
  EXPECT_EQ(*core_->attempt_in(0), Id("b"));
  Started("b");
  ExpectQuietBefore(now_ + Timeouts().inactivity);
  EXPECT_EQ(StopCause(), Reason::kInactivityTimeout);
}

TEST_F(AheadTest, OneThatIsNeverBegunHasTheClockOfLoading) {
  BeginWithAhead(type_, "a", {"b"});
  Finish("a");
  ExpectQuietBefore(now_ + Timeouts().startup);
  EXPECT_EQ(StopCause(), Reason::kStartupTimeout);
  EXPECT_FALSE(Of<SoftStop>()[0].by_frame);
}

TEST_F(AheadTest, NoneIsHandedAheadBeyondMaxJobs_A11) {
  TaskTypeRules rules = Warm();
  rules.max_in_flight = 4;
  rules.max_jobs = 3;
  type_ = Offer(rules);
  BeginWithAhead(type_, "a", {"b"});  // the third one, with the measured one
  Assign(type_, "c");
  EXPECT_TRUE(Starts().empty());
  Finish("a");
  Started("b");
  Finish("b");
  EXPECT_EQ(Of<EndTask>().size(), 1u);
}

TEST_F(AheadTest, NoneIsHandedAheadWhereAResetIsDue_A11) {
  TaskTypeRules rules = Warm();
  rules.max_in_flight = 4;
  rules.reset = true;
  type_ = Offer(rules);
  Begin(type_, "a");
  Finish("a");
  Assign(type_, "b");
  Assign(type_, "c");
  Frame(FrameKind::kResetDone);
  EXPECT_EQ(Starts(), Jobs{"b"});
}

TEST_F(AheadTest, OneNotBegunIsTakenBackUnchargedWhenTheHeadDies) {
  BeginWithAhead(type_, "a", {"b", "c"});
  EndByItself(1);
  ASSERT_EQ(Of<SendEnd>().size(), 1u);
  EXPECT_EQ(EndOf("a").failure->reason, Reason::kNonzeroExit);
  EXPECT_FALSE(EndOf("a").process_failed);
  EXPECT_EQ(Spawns(), Jobs{"b"});
  EXPECT_EQ(core_->Running().size(), 2u);
  Spawned(0);
  Hello();
  Started("b");
  Finish("b");
  EXPECT_EQ(EndOf("b").failure, std::nullopt);
  EXPECT_EQ(Starts(), Jobs{"c"});
}

TEST_F(AheadTest, OneNotBegunIsTakenBackWhenTheSlotIsLost) {
  BeginWithAhead(type_, "a", {"b"});
  SlotLost();
  Collected();
  EXPECT_EQ(EndReason(), Reason::kWorkerLost);
  EXPECT_EQ(core_->Running(), std::vector<AttemptId>{Id("b")});
}

TEST_F(AheadTest, AStopOfOneAheadTakesEffectWhenItBegins) {
  BeginWithAhead(type_, "a", {"b"});
  Stop("b");
  EXPECT_TRUE(effects_.empty());
  Finish("a");
  EXPECT_EQ(EndOf("a").failure, std::nullopt);
  EXPECT_TRUE(Of<SoftStop>().empty());
  Started("b");
  EXPECT_EQ(StopCause(), Reason::kCancelled);
  EXPECT_TRUE(Of<SoftStop>()[0].by_frame);
  Result("b");
  Inspected();
  EXPECT_EQ(EndReason(), Reason::kCancelled);
  EXPECT_EQ(core_->slot_state(0), SlotState::kWarm);
}

TEST_F(AheadTest, AStopOfOneThatIsNeverBegunIsItsFirstCause) {
  BeginWithAhead(type_, "a", {"b"});
  Stop("b");
  Finish("a");
  RunFor(Timeouts().startup);
  EXPECT_EQ(StopCause(), Reason::kCancelled);
  Die();
  EXPECT_EQ(EndReason(), Reason::kCancelled);
}

TEST_F(AheadTest, OneThatWasStoppedEndsWithoutATryWhenTheHeadDies) {
  BeginWithAhead(type_, "a", {"b"});
  Stop("b");
  EndByItself(1);
  EXPECT_EQ(EndOf("b").failure->reason, Reason::kCancelled);
  EXPECT_TRUE(EndOf("b").never_started);
  EXPECT_TRUE(Spawns().empty());
}

TEST_F(AheadTest, OneThatIsGivenUpIsKilledBeforeItBegins) {
  BeginWithAhead(type_, "a", {"b"});
  Fence("b");
  EXPECT_TRUE(effects_.empty());
  Finish("a");
  EXPECT_EQ(EndOf("a").failure, std::nullopt);
  EXPECT_EQ(Of<KillTree>().size(), 1u);
  Die();
  EXPECT_EQ(EndReason(), Reason::kWorkerLost);
}

TEST_F(AheadTest, TheEndOfTheLeaseEndsAll) {
  BeginWithAhead(type_, "a", {"b"});
  Step([&] { core_->FenceAll("lost its lease", now_, &effects_); });
  EXPECT_EQ(Of<KillTree>().size(), 1u);
  Die();
  EXPECT_EQ(EndOf("a").failure->reason, Reason::kWorkerLost);
  EXPECT_EQ(EndOf("b").failure->reason, Reason::kWorkerLost);
  EXPECT_TRUE(EndOf("b").never_started);
  EXPECT_TRUE(core_->Quiet());
}

TEST_F(AheadTest, ATreeNotProvedDeadMayStillBeginThem) {
  BeginWithAhead(type_, "a", {"b"});
  Stop("a");
  RunFor(Timeouts().shutdown_grace);
  DieUnread(/*unconfirmed=*/true);
  Collected();
  for (const char* job : {"a", "b"}) {
    EXPECT_TRUE(EndOf(job).evidence->death_unconfirmed) << job;
    EXPECT_FALSE(EndOf(job).never_started) << job;
  }
  EXPECT_EQ(EndOf("b").failure->reason, Reason::kWorkerLost);
  EXPECT_EQ(core_->slot_state(0), SlotState::kStuck);
}

TEST_F(AheadTest, WhatABrokenTaskHasAheadMayHaveBegun) {
  BeginWithAhead(type_, "a", {"b"});
  ProtocolBroken();
  Die();
  EXPECT_EQ(EndOf("a").failure->reason, Reason::kProtocolError);
  EXPECT_EQ(EndOf("b").failure->reason, Reason::kWorkerLost);
  EXPECT_FALSE(EndOf("b").never_started);
  EXPECT_FALSE(EndOf("b").evidence.has_value());
}

TEST_F(AheadTest, OneThatBeganBeforeTheProgramCrashedHasItsExit) {
  BeginWithAhead(type_, "a", {"b", "c"});
  Exited(ExitSignal(11));
  TreeEmpty();
  ReadLate(FrameKind::kResult, "a");
  ReadLate(FrameKind::kStarted, "b");
  Collected();
  EXPECT_EQ(EndOf("a").failure, std::nullopt);
  EXPECT_EQ(EndOf("a").exit, std::nullopt);
  EXPECT_EQ(EndOf("b").failure->reason, Reason::kSignalled);
  EXPECT_EQ(EndOf("b").exit->signal, 11);
  EXPECT_FALSE(EndOf("b").process_failed);
  EXPECT_EQ(Spawns(), Jobs{"c"});
}

TEST_F(AheadTest, OneThatAlsoEndedBeforeTheProgramDidHasItsOwnResult) {
  BeginWithAhead(type_, "a", {"b"});
  Exited(ExitStatus(0));
  TreeEmpty();
  ReadLate(FrameKind::kResult, "a");
  ReadLate(FrameKind::kStarted, "b");
  ReadLate(FrameKind::kResult, "b");
  Collected();
  EXPECT_EQ(EndOf("a").failure, std::nullopt);
  EXPECT_EQ(EndOf("b").failure, std::nullopt);
}

TEST_F(AheadTest, OneThatBeganWhileTheOneBeforeWasKilledIsLost) {
  BeginWithAhead(type_, "a", {"b"});
  RunFor(Timeouts().inactivity);
  EXPECT_EQ(StopCause(), Reason::kInactivityTimeout);
  RunFor(Timeouts().shutdown_grace);
  EXPECT_EQ(Of<KillTree>().size(), 1u);
  DieUnread();
  ReadLate(FrameKind::kResult, "a");
  ReadLate(FrameKind::kStarted, "b");
  Collected();
  EXPECT_EQ(EndOf("a").failure->reason, Reason::kInactivityTimeout);
  EXPECT_EQ(EndOf("b").failure->reason, Reason::kWorkerLost);
  EXPECT_FALSE(EndOf("b").never_started);
}

TEST_F(AheadTest, OneThatAlsoEndedBeforeTheKillHasItsOwnResult) {
  BeginWithAhead(type_, "a", {"b"});
  Stop("a");
  RunFor(Timeouts().shutdown_grace);
  DieUnread();
  ReadLate(FrameKind::kResult, "a");
  ReadLate(FrameKind::kStarted, "b");
  ReadLate(FrameKind::kResult, "b");
  Collected();
  EXPECT_EQ(EndOf("a").failure->reason, Reason::kCancelled);
  EXPECT_EQ(EndOf("b").failure, std::nullopt);
}

TEST_F(AheadTest, OneThatABrokenTaskWasToBeginNextMayHaveBegun) {
  BeginWithAhead(type_, "a", {"b"});
  Finish("a");
  ProtocolBroken();
  Die();
  EXPECT_EQ(EndReason(), Reason::kWorkerLost);
  EXPECT_FALSE(TheEnd().process_failed);
  EXPECT_FALSE(TheEnd().never_started);
}

TEST_F(AheadTest, NoneRunsInAProgramThatWasToldToEnd) {
  MakeWarm(type_, "measured");
  Assign(type_, "a");
  Assign(type_, "b");  // waits: "a" has not begun, but may any moment
  ASSERT_EQ(Starts(), Jobs{"b"});
  Stop("a");
  EXPECT_FALSE(Of<SoftStop>()[0].by_frame);
  Started("a");  // all the same
  Finish("a");
  EXPECT_EQ(Of<KillTree>().size(), 1u);
  Die();
  EXPECT_TRUE(Of<SendEnd>().empty());
  EXPECT_EQ(Spawns(), Jobs{"b"});
}

TEST_F(AheadTest, OneThatBeganInAProgramThatWasToldToEndIsLost) {
  MakeWarm(type_, "measured");
  Assign(type_, "a");
  Assign(type_, "b");
  Stop("a");
  Started("a");
  Finish("a");
  DieUnread();
  ReadLate(FrameKind::kStarted, "b");
  Collected();
  EXPECT_EQ(EndOf("b").failure->reason, Reason::kWorkerLost);
  EXPECT_FALSE(EndOf("b").never_started);
}

TEST_F(AheadTest, ItsTurnCameAndItDidNotBeginSoItIsTakenBack) {
  BeginWithAhead(type_, "a", {"b"});
  Finish("a");
  EndByItself(1);
  EXPECT_TRUE(Of<SendEnd>().empty());
  EXPECT_EQ(Spawns(), Jobs{"b"});
  Spawned(0);
  EndByItself(1);
  EXPECT_TRUE(TheEnd().process_failed);  // this time it was its own process
}

TEST_F(AheadTest, OneThatIsCancelledBeforeItIsTakenBackDoesNotRun) {
  BeginWithAhead(type_, "a", {"b"});
  Finish("a");
  Exited(ExitStatus(1));
  Stop("b");
  TreeEmpty();
  Collected();
  EXPECT_EQ(EndReason(), Reason::kCancelled);
  EXPECT_TRUE(Spawns().empty());
}

TEST_F(AheadTest, OneThatIsGivenUpBeforeItIsTakenBackDoesNotRun) {
  BeginWithAhead(type_, "a", {"b"});
  Finish("a");
  Exited(ExitStatus(1));
  Step([&] { core_->FenceAll("lost its lease", now_, &effects_); });
  TreeEmpty();
  Collected();
  EXPECT_EQ(Of<SendEnd>().size(), 1u);
  EXPECT_TRUE(Spawns().empty());
}

TEST_F(AheadTest, OneThatBreaksTheProtocolItselfIsCharged) {
  BeginWithAhead(type_, "a", {"b"});
  Finish("a");
  Started("b");
  ProtocolBroken();
  Die();
  EXPECT_EQ(EndReason(), Reason::kProtocolError);
}

TEST_F(AheadTest, NoneIsHandedToATaskWhoseChannelIsClosed) {
  BeginWithAhead(type_, "a", {});
  ChannelClosed();
  Assign(type_, "b");
  EXPECT_TRUE(effects_.empty());
}

TEST_F(AheadTest, OneThatBeganInATreeNotProvedDeadSaysSo) {
  BeginWithAhead(type_, "a", {"b"});
  Stop("a");
  RunFor(Timeouts().shutdown_grace);
  DieUnread(/*unconfirmed=*/true);
  ReadLate(FrameKind::kResult, "a");
  ReadLate(FrameKind::kStarted, "b");
  Collected();
  ASSERT_TRUE(EndOf("b").evidence.has_value());
  EXPECT_TRUE(EndOf("b").evidence->death_unconfirmed);
}

TEST_F(AheadTest, AClosedChannelLeavesThemNoTime) {
  BeginWithAhead(type_, "a", {"b"});
  Result("a");
  ChannelClosed();
  Inspected();
  ExpectQuietBefore(now_ + kChannelClosedMax);
  EXPECT_EQ(Of<KillTree>().size(), 1u);
  Die();
  EXPECT_EQ(EndReason(), Reason::kProtocolError);
  EXPECT_TRUE(TheEnd().process_failed);
}

}  // namespace
}  // namespace vigil::worker
