// Proves how a worker keeps its slots: started, pinged, given up when silent,
// replaced, added and removed; and that its lease ends everything it runs.
// Slots and tasks are simulated (see core_fixture.h).
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "worker/core/core_fixture.h"

namespace vigil::worker {
namespace {

class SlotsTest : public CoreFixture {
 protected:
  void SetSlots(int slots) {
    Step([&] { core_->SetSlots(slots, now_, &effects_); });
  }
  void Ready(int slot) {
    Step([&] { core_->SlotReady(slot, now_, &effects_); });
  }
  template <typename Kind>
  std::vector<int> SlotsOf() const {
    std::vector<int> slots;
    for (const Kind& effect : Of<Kind>()) slots.push_back(effect.slot);
    return slots;
  }
  using Ints = std::vector<int>;
};

TEST_F(SlotsTest, EverySlotIsStartedAndTakesWorkOnlyWhenReady) {
  core_ = std::make_unique<Core>(2, now_, &effects_);
  EXPECT_EQ(SlotsOf<StartSlot>(), (Ints{0, 1}));
  core_->ExtendLease(now_ + absl::Hours(1));
  Assign("j");
  EXPECT_TRUE(effects_.empty());
  Ready(1);
  EXPECT_EQ(SlotsOf<SpawnTask>(), Ints{1});
}

TEST_F(SlotsTest, ASlotThatNeverSpeaksIsKilledAtItsStartDeadline) {
  core_ = std::make_unique<Core>(1, now_, &effects_);
  ExpectQuietBefore(now_ + kSlotStartMax);
  EXPECT_EQ(SlotsOf<KillSlot>(), Ints{0});
  SlotLost();
  EXPECT_EQ(core_->slot_state(0), SlotState::kGone);
}

TEST_F(SlotsTest, ASlotIsPingedEverySecondAndKilledAfterFiveOfSilence) {
  Start(1);
  deaf_.insert(0);
  const absl::Time heard = now_;
  TickAt(heard + kSlotPingInterval - kTick);
  EXPECT_TRUE(effects_.empty());
  TickAt(heard + kSlotPingInterval);
  EXPECT_EQ(SlotsOf<PingSlot>(), Ints{0});
  ExpectQuietBefore(heard + kSlotSilenceMax);
  EXPECT_EQ(SlotsOf<KillSlot>(), Ints{0});
  EXPECT_EQ(core_->slot_state(0), SlotState::kLeaving);
}

TEST_F(SlotsTest, AnAnswerRenewsASlot) {
  Start(1);
  deaf_.insert(0);
  RunFor(absl::Seconds(4));
  Step([&] { core_->SlotHeard(0, now_); });
  ExpectQuietBefore(now_ + kSlotSilenceMax);
  EXPECT_EQ(SlotsOf<KillSlot>(), Ints{0});
}

TEST_F(SlotsTest, AStallIsGrantedToASlot) {
  Start(1);
  deaf_.insert(0);
  const absl::Time heard = now_;
  now_ += absl::Minutes(10);
  Step([&] { core_->GrantStall(absl::Minutes(10)); });
  ExpectQuietBefore(heard + absl::Minutes(10) + kSlotSilenceMax);
  EXPECT_EQ(SlotsOf<KillSlot>(), Ints{0});
}

TEST_F(SlotsTest, ALostIdleSlotIsStartedAgainAfterADelay) {
  Start(1);
  SlotLost();
  EXPECT_TRUE(effects_.empty());
  RunFor(absl::Seconds(1) - kTick);
  EXPECT_TRUE(effects_.empty());
  RunFor(kTick);
  EXPECT_EQ(SlotsOf<StartSlot>(), Ints{0});
  Ready(0);
  EXPECT_EQ(core_->slot_state(0), SlotState::kIdle);
}

TEST_F(SlotsTest, ASilentSlotLosesItsAttemptOnlyOnceItsTreeIsReaped) {
  Start(1);
  Run("j");
  deaf_.insert(0);
  RunFor(kSlotSilenceMax);
  EXPECT_EQ(SlotsOf<KillSlot>(), Ints{0});
  EXPECT_TRUE(Of<SendEnd>().empty());
  RunFor(kTreeDeathMax - kTick);
  EXPECT_TRUE(effects_.empty());
  SlotLost();
  EXPECT_EQ(SlotsOf<CollectOutput>(), Ints{0});
  Collected();
  EXPECT_EQ(EndReason(), Reason::kWorkerLost);
  EXPECT_TRUE(TheEnd().evidence.has_value());
  EXPECT_FALSE(TheEnd().evidence->death_unconfirmed);
  EXPECT_EQ(SlotsOf<StartSlot>(), Ints{0});
}

TEST_F(SlotsTest, ASilentSlotWhoseTreeIsNeverReapedIsStuckAndReplaced) {
  Start(1);
  Run("j");
  deaf_.insert(0);
  RunFor(kSlotSilenceMax);
  ASSERT_EQ(SlotsOf<KillSlot>(), Ints{0});
  const absl::Time deadline = now_ + kTreeDeathMax;
  RunUntil(deadline - kTick);
  EXPECT_TRUE(effects_.empty());
  Assign("next");
  RunUntil(deadline);
  EXPECT_EQ(SlotsOf<CollectOutput>(), Ints{0});
  EXPECT_TRUE(Of<SpawnTask>().empty());
  Collected();
  EXPECT_EQ(EndReason(), Reason::kWorkerLost);
  EXPECT_TRUE(TheEnd().evidence->death_unconfirmed);
  EXPECT_FALSE(TheEnd().retryable);
  EXPECT_EQ(core_->slot_state(0), SlotState::kStuck);
  EXPECT_EQ(core_->StuckSlots(), Ints{0});
  EXPECT_EQ(SlotsOf<StartSlot>(), Ints{1});
  SlotLost(0);
  EXPECT_TRUE(effects_.empty());
  Ready(1);
  EXPECT_EQ(SlotsOf<SpawnTask>(), Ints{1});
}

TEST_F(SlotsTest, ASlotThatDoesNotRetireIsKilledThenGivenUp) {
  Start(2);
  SetSlots(1);
  EXPECT_EQ(SlotsOf<RetireSlot>(), Ints{1});
  const absl::Time killed = now_ + kSlotSilenceMax;
  RunUntil(killed - kTick);
  EXPECT_TRUE(Of<KillSlot>().empty());
  RunUntil(killed);
  EXPECT_EQ(SlotsOf<KillSlot>(), Ints{1});
  RunUntil(killed + kTreeDeathMax - kTick);
  EXPECT_EQ(core_->slot_state(1), SlotState::kLeaving);
  EXPECT_EQ(core_->StuckSlots(), Ints{});
  RunUntil(killed + kTreeDeathMax);
  EXPECT_EQ(core_->slot_state(1), SlotState::kStuck);
  EXPECT_TRUE(Of<StartSlot>().empty());  // one slot is what is wanted
}

TEST_F(SlotsTest, ASlotLostInAnyStateEndsItsAttemptOnce) {
  Start(5);
  Assign("spawning");
  Run("running", {}, 1);
  Run("stopping", {}, 2);
  Run("exited", {}, 3);
  Run("collecting", {}, 4);
  Stop("stopping");
  Exited(ExitStatus(0), 3);
  Exited(ExitStatus(0), 4);
  TreeEmpty({}, 4);
  const Reason expected[] = {Reason::kWorkerLost, Reason::kWorkerLost,
                             Reason::kCancelled, Reason::kUnspecified,
                             Reason::kUnspecified};
  for (int slot = 0; slot < 5; ++slot) {
    SCOPED_TRACE(slot);
    SlotLost(slot);
    EXPECT_EQ(SlotsOf<CollectOutput>(), slot == 4 ? Ints{} : Ints{slot});
    Collected(slot);
    EXPECT_EQ(EndReason(), expected[slot]);
    EXPECT_EQ(SlotsOf<StartSlot>(), Ints{slot});
    Collected(slot);
    EXPECT_TRUE(effects_.empty());
  }
  EXPECT_TRUE(core_->Quiet());
}

TEST_F(SlotsTest, ASlotThatDoesNotReportADeathIsKilledItself) {
  Start(1);
  Run("j");
  Stop("j");
  RunFor(absl::Seconds(5));
  ASSERT_EQ(Of<KillTree>().size(), 1u);
  const absl::Time deadline = now_ + kTreeDeathMax;
  RunUntil(deadline - kTick);
  EXPECT_TRUE(Of<KillSlot>().empty());
  RunUntil(deadline);
  EXPECT_EQ(SlotsOf<KillSlot>(), Ints{0});
  SlotLost();
  Collected();
  EXPECT_EQ(EndReason(), Reason::kCancelled);
  EXPECT_TRUE(TheEnd().evidence->killed);
}

TEST_F(SlotsTest, ASlotThatDoesNotEmptyATreeAfterAnExitIsKilledItself) {
  Start(1);
  Run("j");
  Exited(ExitStatus(0));
  const absl::Time deadline = now_ + kTreeDeathMax;
  ExpectQuietBefore(deadline);
  EXPECT_EQ(SlotsOf<KillSlot>(), Ints{0});
}

// --- how many

TEST_F(SlotsTest, A10_MoreSlotsAreStartedWhileOthersWork) {
  Start(1);
  Run("j");
  Assign("k");
  SetSlots(3);
  EXPECT_EQ(SlotsOf<StartSlot>(), (Ints{1, 2}));
  EXPECT_EQ(core_->slots(), 3);
  Ready(1);
  EXPECT_EQ(SlotsOf<SpawnTask>(), Ints{1});
  SetSlots(3);
  EXPECT_TRUE(effects_.empty());
}

TEST_F(SlotsTest, A10_FewerSlotsRetireIdleOnesAtOnceAndBusyOnesWhenFree) {
  Start(3);
  Run("a", {}, 0);
  Run("b", {}, 1);
  SetSlots(1);
  EXPECT_EQ(SlotsOf<RetireSlot>(), Ints{2});
  SlotLost(2);
  RunFor(absl::Seconds(10));
  EXPECT_TRUE(Of<StartSlot>().empty());
  EXPECT_EQ(core_->slot_state(2), SlotState::kGone);
  EndByItself(0, 1);
  EXPECT_EQ(SlotsOf<RetireSlot>(), Ints{1});
  EndByItself(0, 0);
  EXPECT_TRUE(Of<RetireSlot>().empty());
  EXPECT_EQ(core_->slot_state(0), SlotState::kIdle);
}

TEST_F(SlotsTest, A10_FewerSlotsStillRunWhatWasAssignedBefore) {
  Start(1);
  Run("running");
  SetSlots(2);
  Assign("assigned");
  SetSlots(1);
  Ready(1);
  EXPECT_EQ(SlotsOf<SpawnTask>(), Ints{1});
  Spawned(1);
  EndByItself(0, 1);
  EXPECT_EQ(SlotsOf<RetireSlot>(), Ints{1});
}

TEST_F(SlotsTest, A10_NoSlotsHandsBackWhatWaitsAndRefusesMore) {
  Start(1);
  Run("running");
  Assign("waiting");
  SetSlots(0);
  EXPECT_EQ(TheEnd().attempt, Id("waiting"));
  EXPECT_EQ(EndReason(), Reason::kWorkerLost);
  EXPECT_EQ(core_->slot_state(0), SlotState::kRunning);
  Assign("late");
  EXPECT_EQ(TheEnd().attempt, Id("late"));
  EXPECT_EQ(EndReason(), Reason::kWorkerLost);
  EndByItself(0);
  EXPECT_EQ(SlotsOf<RetireSlot>(), Ints{0});
  SlotLost();
  SetSlots(1);
  EXPECT_EQ(SlotsOf<StartSlot>(), Ints{0});
}

TEST_F(SlotsTest, A10_ASlotThatRetiresWhenWantedAgainComesBack) {
  Start(1);
  SetSlots(0);
  EXPECT_EQ(SlotsOf<RetireSlot>(), Ints{0});
  SetSlots(1);
  EXPECT_TRUE(effects_.empty());
  SlotLost();
  RunFor(absl::Seconds(1));
  EXPECT_EQ(SlotsOf<StartSlot>(), Ints{0});
}

TEST_F(SlotsTest, ASlotNotWantedAnyMoreRetiresAsSoonAsItSpeaks) {
  core_ = std::make_unique<Core>(1, now_, &effects_);
  SetSlots(0);
  EXPECT_TRUE(effects_.empty());
  Ready(0);
  EXPECT_EQ(SlotsOf<RetireSlot>(), Ints{0});
}

TEST_F(SlotsTest, TheNumberOfSlotsIsBounded) {
  core_ = std::make_unique<Core>(0, now_, &effects_);
  SetSlots(-3);
  EXPECT_EQ(core_->slots(), 0);
  SetSlots(kSlotsMax + 1);
  EXPECT_EQ(core_->slots(), kSlotsMax);
  EXPECT_EQ(Of<StartSlot>().size(), static_cast<size_t>(kSlotsMax));
}

// --- the lease

TEST_F(SlotsTest, NothingIsTakenBeforeTheFirstLease) {
  core_ = std::make_unique<Core>(1, now_, &effects_);
  Ready(0);
  Assign("j");
  EXPECT_EQ(EndReason(), Reason::kWorkerLost);
  EXPECT_TRUE(Of<SpawnTask>().empty());
}

TEST_F(SlotsTest, TheEndOfTheLeaseKillsEverythingAndIsReArmedByTheNext) {
  core_ = std::make_unique<Core>(3, now_, &effects_);
  for (int slot = 0; slot < 3; ++slot) Ready(slot);
  const absl::Time lease = now_ + absl::Seconds(30);
  core_->ExtendLease(lease);
  Run("running", {}, 0);
  Run("stopping", {}, 1);
  Assign("spawning");
  RunUntil(lease - absl::Seconds(1));
  Stop("stopping");
  RunUntil(lease - kWaitForSlotMax / 2);
  Assign("waiting");
  ExpectQuietBefore(lease);
  EXPECT_EQ(SlotsOf<KillTree>(), (Ints{0, 1}));
  EXPECT_EQ(TheEnd().attempt, Id("waiting"));
  EXPECT_EQ(EndReason(), Reason::kWorkerLost);
  Die(0);
  EXPECT_EQ(EndReason(), Reason::kWorkerLost);
  Die(1);
  EXPECT_EQ(EndReason(), Reason::kCancelled);
  Spawned(2);
  EXPECT_EQ(SlotsOf<KillTree>(), Ints{2});
  EXPECT_TRUE(Of<SoftStop>().empty());
  Die(2);
  EXPECT_EQ(EndReason(), Reason::kWorkerLost);
  Assign("late");
  EXPECT_EQ(EndReason(), Reason::kWorkerLost);
  // The next lease: works again, and ends again.
  const absl::Time second = now_ + absl::Seconds(30);
  Step([&] { core_->ExtendLease(second); });
  Run("again", {}, 0);
  ExpectQuietBefore(second);
  EXPECT_EQ(SlotsOf<KillTree>(), Ints{0});
}

TEST_F(SlotsTest, ASlotThatDoesNotFollowTheEndOfTheLeaseIsKilledInItsTurn) {
  core_ = std::make_unique<Core>(2, now_, &effects_);
  Ready(0);
  Ready(1);
  const absl::Time lease = now_ + absl::Seconds(3);
  core_->ExtendLease(lease);
  Run("running", {}, 0);
  Assign("spawning");
  RunUntil(lease);
  EXPECT_EQ(SlotsOf<KillTree>(), Ints{0});
  RunUntil(lease + kFencedDeathMax - kTick);
  EXPECT_TRUE(Of<KillSlot>().empty());
  RunUntil(lease + kFencedDeathMax);
  EXPECT_THAT(SlotsOf<KillSlot>(), ::testing::UnorderedElementsAre(0, 1));
}

TEST_F(SlotsTest, ALeaseIsNeverShortenedNorGrantedAStall) {
  core_ = std::make_unique<Core>(1, now_, &effects_);
  Ready(0);
  const absl::Time lease = now_ + absl::Seconds(30);
  core_->ExtendLease(lease);
  core_->ExtendLease(lease - absl::Seconds(10));
  EXPECT_EQ(core_->lease(), lease);
  Run("j");
  Step([&] { core_->GrantStall(absl::Seconds(10)); });
  ExpectQuietBefore(lease);
  EXPECT_EQ(SlotsOf<KillTree>(), Ints{0});
}

TEST_F(SlotsTest, TheEndOfTheLeaseIsADeadlineOnce) {
  core_ = std::make_unique<Core>(1, now_, &effects_);
  Ready(0);
  const absl::Time lease = now_ + absl::Milliseconds(300);  // before any ping
  core_->ExtendLease(lease);
  EXPECT_EQ(core_->NextDeadline(), lease);
  TickAt(lease);
  EXPECT_GT(core_->NextDeadline(), lease);
}

TEST_F(SlotsTest, AnAssignmentAtTheEndOfTheLeaseIsRefused) {
  core_ = std::make_unique<Core>(1, now_, &effects_);
  Ready(0);
  const absl::Time lease = now_ + absl::Seconds(3);
  core_->ExtendLease(lease);
  RunUntil(lease - kTick);
  Assign("in time");
  EXPECT_EQ(SlotsOf<SpawnTask>(), Ints{0});
  now_ = lease;
  Assign("late");
  EXPECT_EQ(EndReason(), Reason::kWorkerLost);
}

TEST_F(SlotsTest, ATreeKilledByItsSlotsOwnLeaseIsWorkerLost) {
  Start(1);
  Run("j");
  Exited(ExitSignal(9));
  TreeReport report;
  report.lease_expired = true;
  report.killed = true;
  TreeEmpty(report);
  Collected();
  EXPECT_EQ(EndReason(), Reason::kWorkerLost);
  EXPECT_TRUE(TheEnd().evidence->killed);
}

TEST_F(SlotsTest, GivingUpTheSessionKillsEverything) {
  Start(1);
  Run("j");
  Assign("waiting");
  Step([&] { core_->FenceAll("told to start anew", now_, &effects_); });
  EXPECT_EQ(SlotsOf<KillTree>(), Ints{0});
  EXPECT_EQ(TheEnd().attempt, Id("waiting"));
  EXPECT_EQ(TheEnd().failure->message, "told to start anew");
}

TEST_F(SlotsTest, AKillAtTheEndOfTheLeaseIsNotTheProgramsOwnEnd) {
  Start(1);
  Run("j");
  // The slot's lease ended an instant before the worker's.
  Exited(ExitSignal(9));
  Step([&] { core_->FenceAll("lost its lease", now_, &effects_); });
  RunFor(kFencedDeathMax);
  EXPECT_EQ(SlotsOf<KillSlot>(), Ints{0});
  SlotLost();
  Collected();
  EXPECT_EQ(EndReason(), Reason::kWorkerLost);
}

}  // namespace
}  // namespace vigil::worker
