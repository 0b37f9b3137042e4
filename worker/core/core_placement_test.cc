// Proves which slot a job goes to: a warm program before a new one, a new one
// before a place behind another job, and which idle program makes room; and
// what becomes of programs when their task type, their cache or the number of
// slots changes. Programs are simulated (see warm_fixture.h).
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "worker/core/warm_fixture.h"

namespace vigil::worker {
namespace {

class PlacementTest : public WarmFixture {
 protected:
  // Slots whose programs were told to end.
  std::vector<int> Ended() const {
    std::vector<int> slots;
    for (const EndTask& end : Of<EndTask>()) slots.push_back(end.slot);
    return slots;
  }
  bool ClearCache(const std::string& type) {
    bool done = false;
    Step([&] { done = core_->ClearCache(type, now_, &effects_); });
    return done;
  }
  using Ints = std::vector<int>;
};

TEST_F(PlacementTest, AWarmProgramIsPreferredToANewOne) {
  Start(2);
  const TaskTypeRulesPtr type = Offer(Warm());
  MakeWarm(type, "a");
  Assign(type, "b");
  EXPECT_TRUE(Spawns().empty());
  ASSERT_EQ(Starts(), Jobs{"b"});
  EXPECT_EQ(Of<SendStart>()[0].slot, 0);
  Assign(type, "c");
  EXPECT_EQ(Spawns(), Jobs{"c"});
}

TEST_F(PlacementTest, TheProgramUsedLastIsUsedNext) {
  Start(2);
  const TaskTypeRulesPtr type = Offer(Warm());
  Begin(type, "a", 0);
  Begin(type, "b", 1);
  Finish("b", 1);
  RunFor(absl::Seconds(1));
  Finish("a", 0);
  Assign(type, "c");
  ASSERT_EQ(Of<SendStart>().size(), 1u);
  EXPECT_EQ(Of<SendStart>()[0].slot, 0);
}

TEST_F(PlacementTest, AProgramServesOnlyItsOwnType) {
  Start(2);
  const std::vector<TaskTypeRulesPtr> types = Offer({Warm("a"), Warm("b")});
  MakeWarm(types[0], "j");
  Assign(types[1], "k");
  EXPECT_TRUE(Starts().empty());
  EXPECT_EQ(Spawns(), Jobs{"k"});
}

TEST_F(PlacementTest, ANewProgramIsPreferredToAPlaceBehindAJob) {
  Start(2);
  TaskTypeRules rules = Warm();
  rules.max_in_flight = 4;
  const TaskTypeRulesPtr type = Offer(rules);
  BeginWithAhead(type, "a", {});
  Assign(type, "b");
  EXPECT_EQ(Spawns(), Jobs{"b"});
  Assign(type, "c");
  EXPECT_TRUE(Spawns().empty());
  EXPECT_EQ(Starts(), Jobs{"c"});
}

TEST_F(PlacementTest, ThePlaceBehindTheFewestJobsIsTaken) {
  Start(2);
  TaskTypeRules rules = Warm();
  rules.max_in_flight = 4;
  const TaskTypeRulesPtr type = Offer(rules);
  BeginWithAhead(type, "a", {});
  Begin(type, "b", 1);
  const std::vector<int> expected = {0, 1, 0, 1};
  for (size_t i = 0; i < expected.size(); ++i) {
    Assign(type, absl::StrCat("ahead-", i));
    ASSERT_EQ(Of<SendStart>().size(), 1u);
    EXPECT_EQ(Of<SendStart>()[0].slot, expected[i]);
  }
}

TEST_F(PlacementTest, AJobThatWaitsForASlotIsNotOvertakenByJobsHandedAhead) {
  Start(1);
  TaskTypeRules rules = Warm();
  rules.max_in_flight = 4;
  const TaskTypeRulesPtr type = Offer(rules);
  BeginWithAhead(type, "a", {"b"});
  Assign("command");
  Assign(type, "c");
  EXPECT_TRUE(effects_.empty());
  Finish("a");
  Started("b");
  EXPECT_TRUE(Starts().empty());
  Finish("b");
  EXPECT_EQ(Ended(), Ints{0});
  EndByItself(0);
  EXPECT_EQ(Spawns(), Jobs{"command"});
}

TEST_F(PlacementTest, TheProgramIdleLongestMakesRoom) {
  Start(3);
  const std::vector<TaskTypeRulesPtr> types = Offer({Warm("a"), Warm("b")});
  Begin(types[0], "j0", 0);
  Begin(types[0], "j1", 1);
  Begin(types[0], "j2", 2);
  for (const int slot : {1, 2, 0}) {
    Finish(absl::StrCat("j", slot), slot);
    now_ += absl::Seconds(1);
  }
  Assign(types[1], "k");
  EXPECT_EQ(Ended(), Ints{1});
  Assign("command");
  EXPECT_EQ(Ended(), Ints{2});
  EndByItself(0, 1);
  EXPECT_EQ(Spawns(), Jobs{"k"});
  EndByItself(0, 2);
  EXPECT_EQ(Spawns(), Jobs{"command"});
  EXPECT_EQ(core_->slot_state(0), SlotState::kWarm);
}

TEST_F(PlacementTest, NoMoreProgramsMakeRoomThanJobsWait) {
  Start(2);
  const std::vector<TaskTypeRulesPtr> types = Offer({Warm("a"), Warm("b")});
  Begin(types[0], "j0", 0);
  Begin(types[0], "j1", 1);
  Finish("j0", 0);
  Finish("j1", 1);
  Assign(types[1], "k");
  EXPECT_EQ(Ended(), Ints{0});
  EndByItself(0, 0);
  EXPECT_EQ(Spawns(), Jobs{"k"});
  EXPECT_TRUE(Ended().empty());
  EXPECT_EQ(core_->slot_state(1), SlotState::kWarm);
}

TEST_F(PlacementTest, ASlotThatIsNotWantedAnyMoreMakesNoRoom) {
  Start(2);
  const std::vector<TaskTypeRulesPtr> types = Offer({Warm("a"), Warm("b")});
  MakeWarm(types[0], "j");
  SetSlots(1);
  EXPECT_EQ(Of<RetireSlot>().size(), 1u);
  SlotLost(1);
  ASSERT_EQ(core_->slot_state(1), SlotState::kGone);
  Assign(types[1], "k");
  EXPECT_EQ(Ended(), Ints{0});
}

TEST_F(PlacementTest, ATypeHasNoMoreSlotsThanItMay) {
  Start(3);
  TaskTypeRules rules = Warm();
  rules.max_slots = 1;
  const TaskTypeRulesPtr type = Offer(rules);
  Begin(type, "a");
  Assign(type, "b");
  EXPECT_TRUE(effects_.empty());
  Assign("command");  // is not held up by it
  EXPECT_EQ(Spawns(), Jobs{"command"});
  EndByItself(0);
  EXPECT_EQ(Spawns(), Jobs{"b"});
}

TEST_F(PlacementTest, ATypeAtItsSlotsEvictsNobody) {
  Start(2);
  TaskTypeRules rules = Warm("a");
  rules.max_slots = 1;
  const std::vector<TaskTypeRulesPtr> types = Offer({rules, Warm("b")});
  Begin(types[0], "j", 0);
  MakeWarm(types[1], "k", 1);
  Assign(types[0], "l");
  EXPECT_TRUE(effects_.empty());
}

TEST_F(PlacementTest, AnIdleProgramOfAChangedTypeEndsAtOnce) {
  Start(2);
  const std::vector<TaskTypeRulesPtr> types = Offer({Warm("a"), Warm("b")});
  MakeWarm(types[0], "j", 0);
  MakeWarm(types[1], "k", 1);
  Step([&] {
    core_->SetTypes(
        {{std::make_shared<const TaskTypeRules>(Warm("a"))}, {types[1]}}, now_,
        &effects_);
  });
  EXPECT_EQ(Ended(), Ints{0});
}

TEST_F(PlacementTest, ABusyProgramOfAChangedTypeEndsItsJobFirst) {
  Start(1);
  const TaskTypeRulesPtr old = Offer(Warm());
  Begin(old, "a");
  const TaskTypeRulesPtr anew = Offer(Warm());
  EXPECT_TRUE(effects_.empty());
  Assign(anew, "b");
  EXPECT_TRUE(Starts().empty());
  Finish("a");
  EXPECT_EQ(EndOf("a").failure, std::nullopt);
  EXPECT_EQ(Ended(), Ints{0});
  EndByItself(0);
  EXPECT_EQ(Spawns(), Jobs{"b"});
}

TEST_F(PlacementTest, AProgramThatIsResetWhileItsTypeChangesEndsAfterwards) {
  Start(1);
  TaskTypeRules rules = Warm();
  rules.reset = true;
  const TaskTypeRulesPtr type = Offer(rules);
  Begin(type, "a");
  Finish("a");
  Offer(rules);
  EXPECT_TRUE(Ended().empty());
  Frame(FrameKind::kResetDone);
  EXPECT_EQ(Ended(), Ints{0});
}

TEST_F(PlacementTest, AJobThatWaitsWithAnOldDefinitionIsHandedBack) {
  Start(1);
  const TaskTypeRulesPtr old = Offer(Warm());
  Run("command");
  Assign(old, "a");
  Offer(Warm());
  EXPECT_EQ(EndReason(), Reason::kWorkerLost);
  EXPECT_TRUE(TheEnd().never_started);
}

TEST_F(PlacementTest, AnIdleProgramInASlotThatIsNotWantedEnds) {
  Start(1);
  MakeWarm(Offer(Warm()), "a");
  SetSlots(0);
  EXPECT_EQ(Ended(), Ints{0});
  EndByItself(0);
  EXPECT_EQ(Of<RetireSlot>().size(), 1u);
}

TEST_F(PlacementTest, ClearingACacheEndsTheIdleProgramsOfItsType_A4) {
  Start(3);
  const std::vector<TaskTypeRulesPtr> types = Offer({Warm("a"), Warm("b")});
  MakeWarm(types[0], "j", 0);
  MakeWarm(types[1], "k", 1);
  EXPECT_TRUE(ClearCache("a"));
  EXPECT_EQ(Ended(), Ints{0});
  EXPECT_EQ(core_->slot_state(1), SlotState::kWarm);
}

TEST_F(PlacementTest, ACacheIsNotClearedWhileAJobRunsOrWaits_A4) {
  Start(1);
  const TaskTypeRulesPtr type = Offer(Warm());
  Run("command");
  Assign(type, "a");
  EXPECT_FALSE(ClearCache("t"));  // it waits
  EndByItself(0);
  EXPECT_FALSE(ClearCache("t"));  // its program starts
  Spawned(0);
  Hello();
  Started("a");
  EXPECT_FALSE(ClearCache("t"));
  EXPECT_TRUE(effects_.empty());
  Finish("a");
  EXPECT_TRUE(ClearCache("t"));
}

TEST_F(PlacementTest, AProgramThatIsResetWhileItsCacheIsClearedEnds_A4) {
  Start(1);
  TaskTypeRules rules = Warm();
  rules.reset = true;
  const TaskTypeRulesPtr type = Offer(rules);
  Begin(type, "a");
  Finish("a");
  EXPECT_TRUE(ClearCache("t"));
  Assign(type, "b");
  Frame(FrameKind::kResetDone);
  EXPECT_TRUE(Starts().empty());
  EXPECT_EQ(Ended(), Ints{0});
}

}  // namespace
}  // namespace vigil::worker
