// Proves that a worker whose attempts end for want of something uses fewer of
// its slots, whichever of them, and all of them again when it is quiet.
#include <errno.h>

#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "worker/core/warm_fixture.h"

namespace vigil::worker {
namespace {

class UsableTest : public WarmFixture {
 protected:
  // The program in `slot` says what programs say when there are no threads.
  void Exhaust(int slot) {
    Exited(ExitStatus(1), slot);
    TreeEmpty({}, slot);
    Collected(slot, Reason::kResourceExhausted);
    ASSERT_EQ(EndReason(), Reason::kResourceExhausted);
  }
  int usable() const { return core_->usable().count(); }
};

TEST_F(UsableTest, ExhaustionHalvesThemAndSaysSo) {
  Start(4);
  Run("a");
  Exhaust(0);
  EXPECT_EQ(Of<UsableSlotsChanged>().size(), 1u);
  EXPECT_EQ(usable(), 2);
  EXPECT_NE(core_->usable().lowered()->cause.find("attempt 1 of job a"),
            std::string::npos);
}

TEST_F(UsableTest, AnotherFailureHalvesNothing) {
  Start(4);
  Run("a");
  EndByItself(1);
  EXPECT_EQ(usable(), 4);
}

TEST_F(UsableTest, AFailedSpawnForWantOfProcessesCounts) {
  Start(4);
  Assign("a");
  Step([&] { core_->SpawnFailed(0, EAGAIN, "fork", now_, &effects_); });
  EXPECT_EQ(EndReason(), Reason::kResourceExhausted);
  EXPECT_EQ(usable(), 2);
  Assign("b");
  Step([&] { core_->SpawnFailed(0, ENOENT, "/no/such", now_, &effects_); });
  EXPECT_EQ(usable(), 2);
}

TEST_F(UsableTest, ATaskAtItsOwnLimitHalvesNothing) {
  Start(4);
  Run("a");
  NestedCall call;
  call.program = "python3";
  call.call = kThreadCall;
  call.count = 1;
  call.outcome = NestedCall::Outcome::kRefused;
  Step([&] { core_->NestedCallSeen(0, call, 256, now_, &effects_); });
  Exhaust(0);
  EXPECT_EQ(TheEnd().failure->exhaustion, Exhaustion::kTask);
  EXPECT_EQ(usable(), 4);
}

TEST_F(UsableTest, WhatRunsGoesOnAndNothingFollowsIt) {
  Start(4);
  for (const int slot : {0, 1, 2, 3}) {
    Run(std::string(1, static_cast<char>('a' + slot)), {}, slot);
  }
  Assign("e");
  EXPECT_EQ(Spawns().size(), 0u);
  Exhaust(0);  // two are usable, three run
  EXPECT_EQ(Spawns().size(), 0u);
  EXPECT_TRUE(Of<KillTree>().empty());
  EXPECT_EQ(core_->waiting(), 1);
  EndByItself(0, 3);
  EXPECT_EQ(Spawns().size(), 0u);
  EndByItself(0, 1);  // one runs: the next one begins, in whichever slot
  EXPECT_EQ(Spawns().size(), 1u);
  Assign("f");
  EXPECT_EQ(Spawns().size(), 0u);
}

TEST_F(UsableTest, WhatRanAtThatMomentDoesNotHalveThemAgain) {
  Start(8);
  for (int slot = 0; slot < 8; ++slot) {
    Run(std::string(1, static_cast<char>('a' + slot)), {}, slot);
  }
  RunFor(absl::Seconds(1));
  for (int slot = 0; slot < 8; ++slot) Exhaust(slot);
  EXPECT_EQ(usable(), 4);
  Run("i");
  RunFor(absl::Seconds(1));
  Exhaust(0);
  EXPECT_EQ(usable(), 2);
}

TEST_F(UsableTest, AQuietMinuteGivesASlotToWhatWaits) {
  Start(2);
  Run("a");
  Run("b", {}, 1);
  const absl::Time exhausted = now_;
  Exhaust(0);
  RunUntil(exhausted + kQuietForSlot - absl::Milliseconds(50));
  Assign("c");
  EXPECT_EQ(Spawns().size(), 0u);
  RunUntil(exhausted + kQuietForSlot - kTick);
  EXPECT_EQ(Spawns().size(), 0u);
  RunUntil(exhausted + kQuietForSlot);
  EXPECT_EQ(Of<UsableSlotsChanged>().size(), 1u);
  EXPECT_EQ(Spawns().size(), 1u);
  EXPECT_EQ(usable(), 2);
}

TEST_F(UsableTest, WhatWaitsForASlotThatIsNotUsableIsHandedBack) {
  Start(2);
  Run("a");
  Run("b", {}, 1);
  Exhaust(0);
  Assign("c");
  const absl::Time assigned = now_;
  RunUntil(assigned + kWaitForSlotMax - kTick);
  EXPECT_TRUE(Of<SendEnd>().empty());
  RunUntil(assigned + kWaitForSlotMax);
  EXPECT_TRUE(TheEnd().never_started);
  EXPECT_EQ(EndReason(), Reason::kWorkerLost);
}

TEST_F(UsableTest, WhatLostItsPlaceIsHandedBackToo) {
  Start(4);
  TaskTypeRules rules = Warm();
  rules.warm_up.emplace();
  const TaskTypeRulesPtr type = Offer(rules);
  Assign(type, "warms");
  ASSERT_EQ(Of<SpawnTask>().size(), 1u);
  ASSERT_EQ(Of<SpawnTask>()[0].purpose, SpawnPurpose::kWarmUp);
  Spawned(0);
  Run("a", {}, 1);
  Run("b", {}, 2);
  Run("c", {}, 3);
  Exhaust(3);  // two are usable, and have what is long
  EndByItself(0, 0);
  Step([&] { core_->CacheReady(0, "", now_, &effects_); });
  const absl::Time waits_since = now_;
  EXPECT_TRUE(Spawns().empty());
  RunUntil(waits_since + kWaitForSlotMax - kTick);
  EXPECT_TRUE(Of<SendEnd>().empty());
  RunUntil(waits_since + kWaitForSlotMax);
  EXPECT_EQ(TheEnd().attempt, Id("warms"));
  EXPECT_TRUE(TheEnd().never_started);
}

TEST_F(UsableTest, WarmProgramsAboveTheNumberStayAndAreUsedAgain) {
  Start(3);
  const TaskTypeRulesPtr type = Offer(Warm());
  Begin(type, "a", 0);
  Begin(type, "b", 1);
  Finish("a", 0);
  Finish("b", 1);
  Run("c", {}, 2);
  Exhaust(2);  // one is usable; both programs are idle
  EXPECT_TRUE(Of<EndTask>().empty());
  Assign(type, "d");
  EXPECT_EQ(Starts(), Jobs{"d"});
  Assign(type, "e");
  EXPECT_TRUE(effects_.empty());
  // Nor does an attempt of another kind cost an idle program its place.
  Assign("f");
  EXPECT_TRUE(effects_.empty());
  EXPECT_EQ(core_->slot_state(1), SlotState::kWarm);
  Started("d", 0);
  Finish("d", 0);
  EXPECT_EQ(Starts(), Jobs{"e"});
}

TEST_F(UsableTest, ABusyProgramAboveTheNumberIsHandedNothingAhead) {
  Start(4);
  TaskTypeRules rules = Warm();
  rules.max_in_flight = 4;
  const TaskTypeRulesPtr type = Offer(rules);
  BeginWithAhead(type, "a", {});
  for (const int slot : {1, 2, 3}) {
    Run("command" + std::to_string(slot), {}, slot);
  }
  Exhaust(1);  // two are usable, three run
  Assign(type, "b");
  EXPECT_TRUE(Starts().empty());
  EndByItself(0, 2);  // as many run as are usable
  EXPECT_EQ(Starts(), Jobs{"b"});
  EXPECT_EQ(*core_->attempt_in(0), Id("a"));
}

TEST_F(UsableTest, NothingIsTakenAheadForSlotsThatAreNotUsable) {
  Start(4);
  for (int job = 0; job < 30; ++job) {
    Run("quick" + std::to_string(job));
    RunFor(absl::Milliseconds(1));
    EndByItself(0);
  }
  const int ahead = core_->Ahead(now_);
  ASSERT_GT(ahead, 0);
  Run("a");
  Exhaust(0);
  EXPECT_EQ(core_->Ahead(now_), ahead / 2);
}

TEST_F(UsableTest, FewerSlotsThanAreUsableMakeAllUsable) {
  Start(4);
  Run("a");
  Exhaust(0);
  Step([&] { core_->SetSlots(2, now_, &effects_); });
  EXPECT_EQ(Of<UsableSlotsChanged>().size(), 1u);
  EXPECT_FALSE(core_->usable().lowered().has_value());
}

}  // namespace
}  // namespace vigil::worker
