// Proves how much a worker takes beyond its slots: as much as is over in a
// moment, nothing where what runs is long, and that what waits for too long all
// the same is handed back. Programs are simulated (see warm_fixture.h).
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "worker/core/warm_fixture.h"
#include "worker/core/work_ahead.h"

namespace vigil::worker {
namespace {

constexpr absl::Duration kQuick = absl::Milliseconds(2);

class WorkAheadTest : public WarmFixture {
 protected:
  // Runs commands of that length in the slot, one after another.
  void RunMany(int count, absl::Duration length, int slot = 0) {
    for (int i = 0; i < count; ++i) {
      Assign(absl::StrCat("job", ++jobs_));
      ASSERT_EQ(Of<SpawnTask>().size(), 1u);
      Spawned(slot);
      RunFor(length);
      EndByItself(0, slot);
    }
  }
  int Ahead() const { return core_->Ahead(now_); }
  Jobs HandedBack() const {
    Jobs jobs;
    for (const SendEnd& sent : Of<SendEnd>()) {
      EXPECT_TRUE(sent.end.never_started);
      EXPECT_EQ(sent.end.failure->reason, Reason::kWorkerLost);
      jobs.push_back(sent.end.attempt.job_id.value());
    }
    return jobs;
  }

  int jobs_ = 0;
};

TEST(WorkAhead, TakesAPowerOfTwoForEachSlotByTheMean) {
  WorkAhead ahead;
  EXPECT_EQ(ahead.For(4), 0);
  ahead.Ran(kWorkAhead);
  EXPECT_EQ(ahead.For(4), 0);
  for (int i = 0; i < 100; ++i) ahead.Ran(kWorkAhead / 3);
  EXPECT_EQ(ahead.For(1), 3);
  EXPECT_EQ(ahead.For(4), 12);
  EXPECT_EQ(ahead.For(0), 0);
}

TEST(WorkAhead, IsBoundedForASlotAndForAll) {
  WorkAhead ahead;
  ahead.Ran(absl::Nanoseconds(1));
  EXPECT_EQ(ahead.For(1), kAheadPerSlotMax - 1);
  EXPECT_EQ(ahead.For(1'000'000), kAheadMax);
}

TEST(WorkAhead, TakesNothingAfterAttemptsHadToWait) {
  WorkAhead ahead;
  for (int i = 0; i < 100; ++i) ahead.Ran(kQuick);
  EXPECT_GT(ahead.For(1), 0);
  ahead.Waited();
  EXPECT_EQ(ahead.For(1), 0);
  for (int i = 0; i < 100; ++i) ahead.Ran(kQuick);
  EXPECT_GT(ahead.For(1), 0);
}

TEST_F(WorkAheadTest, NothingIsTakenAheadBeforeAnythingRan) {
  Start(2);
  EXPECT_EQ(Ahead(), 0);
}

TEST_F(WorkAheadTest, QuickCommandsAreTakenAheadAndLongOnesAreNot) {
  Start(1);
  RunMany(20, kQuick);
  EXPECT_EQ(Ahead(), kAheadPerSlotMax - 1);
  RunMany(20, absl::Seconds(2));
  EXPECT_EQ(Ahead(), 0);
}

TEST_F(WorkAheadTest, ASlotThatRunsSomethingLongTakesNothingAhead) {
  Start(2);
  RunMany(20, kQuick);
  const int both = Ahead();
  Run("long");
  EXPECT_EQ(Ahead(), both);
  RunFor(kFirstReportDelay - kTick);
  EXPECT_EQ(Ahead(), both);
  RunFor(kTick);
  EXPECT_EQ(Ahead(), both / 2);
  EndByItself(0);
  EXPECT_LT(Ahead(), both);
}

TEST_F(WorkAheadTest, ASlotThatIsNotWantedTakesNothingAhead) {
  Start(2);
  RunMany(20, kQuick);
  const int both = Ahead();
  SetSlots(1);
  EXPECT_EQ(Ahead(), both / 2);
  SetSlots(0);
  EXPECT_EQ(Ahead(), 0);
}

TEST_F(WorkAheadTest, TheLifeOfAWarmProgramSaysNothingOfCommands) {
  Start(1);
  RunMany(20, kQuick);
  const int before = Ahead();
  MakeWarm(Offer(Warm()), "first");
  RunFor(absl::Seconds(10));
  ChannelClosed();
  EndByItself(0);
  ASSERT_EQ(core_->slot_state(0), SlotState::kIdle);
  EXPECT_EQ(Ahead(), before);
}

TEST_F(WorkAheadTest, ProgramsLikeQuickOnesAreExpectedToBeBrief) {
  Start(1);
  Assign("first");
  EXPECT_FALSE(Of<SpawnTask>()[0].brief);
  Spawned(0);
  EndByItself(0);
  RunMany(20, kQuick);
  Assign("brief");
  EXPECT_TRUE(Of<SpawnTask>()[0].brief);
  Spawned(0);
  EndByItself(0);
  RunMany(20, absl::Seconds(1));
  Assign("long");
  EXPECT_FALSE(Of<SpawnTask>()[0].brief);
}

TEST_F(WorkAheadTest, OneMoreIsTakenForEachTreeThatIsBeingKilled) {
  Start(2);
  Run("a");
  RunFor(absl::Seconds(1));
  EXPECT_EQ(Ahead(), 0);
  Step([&] { core_->Fence(Id("a"), now_, &effects_); });
  ASSERT_EQ(core_->slot_state(0), SlotState::kKilling);
  EXPECT_EQ(Ahead(), 1);
  // One that does not die is not waited for.
  RunFor(kWaitForSlotMax - kTick);
  EXPECT_EQ(Ahead(), 1);
  RunFor(kTick);
  EXPECT_EQ(Ahead(), 0);
  Die(0);
  EXPECT_EQ(Ahead(), 0);
}

TEST_F(WorkAheadTest, WhatWaitsBeginsInOrderAsSlotsBecomeFree) {
  Start(1);
  Run("a");
  Assign("b");
  Assign("c");
  EXPECT_EQ(core_->waiting(), 2);
  EndByItself(0);
  ASSERT_EQ(Of<SpawnTask>().size(), 1u);
  EXPECT_EQ(Of<SpawnTask>()[0].attempt, Id("b"));
  Spawned(0);
  EndByItself(0);
  ASSERT_EQ(Of<SpawnTask>().size(), 1u);
  EXPECT_EQ(Of<SpawnTask>()[0].attempt, Id("c"));
  EXPECT_EQ(core_->waiting(), 0);
}

TEST_F(WorkAheadTest, WhatWaitsForTooLongIsHandedBackAndNoMoreIsTaken) {
  Start(1);
  RunMany(20, kQuick);
  EXPECT_GT(Ahead(), 0);
  Run("long");
  Assign("b");
  const absl::Time b = now_;
  RunFor(kWaitForSlotMax / 2);
  Assign("c");
  RunUntil(b + kWaitForSlotMax - kTick);
  EXPECT_TRUE(HandedBack().empty());
  RunUntil(b + kWaitForSlotMax);
  EXPECT_EQ(HandedBack(), Jobs{"b"});
  RunFor(kWaitForSlotMax);
  EXPECT_EQ(HandedBack(), Jobs{"c"});
  EXPECT_EQ(core_->waiting(), 0);
  EXPECT_EQ(Ahead(), 0);
  EXPECT_EQ(core_->Running(), std::vector<AttemptId>{Id("long")});
}

TEST_F(WorkAheadTest, NoMoreIsTakenForAQuickSlotEither) {
  Start(2);
  RunMany(20, kQuick);
  Run("long");
  Assign("quick");
  Assign("b");
  RunFor(kWaitForSlotMax - kQuick);
  Spawned(1);
  EXPECT_GT(Ahead(), 0);
  RunFor(kQuick);
  EXPECT_EQ(HandedBack(), Jobs{"b"});
  EXPECT_EQ(Ahead(), 0);
}

TEST_F(WorkAheadTest, AsManyWaitForAWarmUpAsThereAreSlots) {
  Start(1);
  RunMany(20, kQuick);
  TaskTypeRules rules = Warm();
  rules.warm_up.emplace();
  rules.warm_up->timeout = absl::Seconds(300);
  rules.warm_up->start_to_close = absl::Seconds(300);
  const TaskTypeRulesPtr type = Offer(rules);
  Assign(type, "a");
  Spawned(0);
  for (const std::string job : {"b", "c"}) Assign(type, job);
  RunFor(kWaitForSlotMax * 2);
  EXPECT_EQ(HandedBack(), Jobs{"c"});
  // Once it is done they wait for a slot like others.
  EndByItself(0);
  Step([&] { core_->CacheReady(0, "", now_, &effects_); });
  ASSERT_EQ(Spawns(), Jobs{"a"});
  Spawned(0);
  RunFor(kWaitForSlotMax * 2);
  EXPECT_EQ(HandedBack(), Jobs{"b"});
}

TEST_F(WorkAheadTest, WhatASlotComesForIsKept) {
  Start(2);
  Run("long");
  Run("lost", {}, 1);
  SlotLost(1);
  Collected(1);  // and is started again
  Assign("b");
  Assign("c");
  RunFor(kWaitForSlotMax * 3);
  EXPECT_EQ(HandedBack(), Jobs{"c"});
  EXPECT_EQ(core_->waiting(), 1);
  Step([&] { core_->SlotReady(1, now_, &effects_); });
  EXPECT_EQ(Of<SpawnTask>().size(), 1u);
}

}  // namespace
}  // namespace vigil::worker
