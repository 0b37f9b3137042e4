// Proves requirement A4: the warm-up of a task type runs once, before the first
// job of the type and by clocks of its own; what becomes of the jobs that wait
// for it when it succeeds, fails, hangs or is not wanted any more. Programs are
// simulated (see warm_fixture.h).
#include <errno.h>

#include <string>

#include "gtest/gtest.h"
#include "worker/core/warm_fixture.h"

namespace vigil::worker {
namespace {

class WarmUpTest : public WarmFixture {
 protected:
  static TaskTypeRules Rules() {
    TaskTypeRules rules = Warm();
    rules.inactivity = absl::Seconds(45);
    rules.warm_up.emplace();
    return rules;
  }
  static TaskTypeRules OptionalRules() {
    TaskTypeRules rules = Rules();
    rules.warm_up->optional = true;
    return rules;
  }
  // Assigns `job`, whose type is to be warmed up in slot 0, and starts that.
  void BeginWarmUp(const TaskTypeRulesPtr& type, const std::string& job) {
    Assign(type, job);
    ASSERT_EQ(Of<SpawnTask>().size(), 1u);
    ASSERT_EQ(Of<SpawnTask>()[0].purpose, SpawnPurpose::kWarmUp);
    Spawned(0);
  }
  // The program of the warm-up exits, and its tree is empty.
  void ExitWarmUp(int status) {
    EndByItself(status);
    ASSERT_EQ(Of<FinishCache>().size(), 1u);
    EXPECT_EQ(Of<FinishCache>()[0].succeeded, status == 0);
    EXPECT_TRUE(Of<SendEnd>().empty());
  }
  void CacheReady(const std::string& error = "") {
    Step([&] { core_->CacheReady(0, error, now_, &effects_); });
  }
  std::string Degraded() const { return core_->TypeStatuses()[0].degraded; }
};

TEST_F(WarmUpTest, RunsOnceBeforeTheFirstJobWhileOthersWait_A4) {
  Start(2);
  const TaskTypeRulesPtr type = Offer(Rules());
  BeginWarmUp(type, "a");
  ASSERT_EQ(Of<SendUpdate>().size(), 1u);
  EXPECT_EQ(Of<SendUpdate>()[0].update.phase, Phase::kWarming);
  Assign(type, "b");
  EXPECT_TRUE(Spawns().empty());
  ASSERT_EQ(Of<SendUpdate>().size(), 1u);
  EXPECT_EQ(Of<SendUpdate>()[0].update.attempt, Id("b"));
  EXPECT_EQ(Of<SendUpdate>()[0].update.phase, Phase::kWarming);
  Assign("command");  // does not wait
  EXPECT_EQ(Spawns(), Jobs{"command"});
  Spawned(1);
  ExitWarmUp(0);
  EXPECT_TRUE(Spawns().empty());
  CacheReady();
  EXPECT_TRUE(Of<SendEnd>().empty());
  EXPECT_EQ(Spawns(), Jobs{"a"});
  EXPECT_EQ(Of<SpawnTask>()[0].purpose, SpawnPurpose::kRun);
  EXPECT_EQ(core_->cache(type), CacheState::kReady);
  EndByItself(0, 1);
  EXPECT_EQ(Spawns(), Jobs{"b"});
  EXPECT_EQ(Of<SpawnTask>()[0].purpose, SpawnPurpose::kRun);
}

TEST_F(WarmUpTest, ACacheThatWasFoundIsNotMadeAgain_A4) {
  Start(1);
  const auto type = std::make_shared<const TaskTypeRules>(Rules());
  Step([&] { core_->SetTypes({{type, true}}, now_, &effects_); });
  Assign(type, "a");
  EXPECT_EQ(Of<SpawnTask>()[0].purpose, SpawnPurpose::kRun);
}

TEST_F(WarmUpTest, AClearedCacheIsMadeAgain_A4) {
  Start(1);
  const auto type = std::make_shared<const TaskTypeRules>(Rules());
  Step([&] { core_->SetTypes({{type, true}}, now_, &effects_); });
  Step([&] { EXPECT_TRUE(core_->ClearCache("t", now_, &effects_)); });
  BeginWarmUp(type, "a");
}

TEST_F(WarmUpTest, HasItsOwnTimeWhichOutputExtends_A4) {
  Start(1);
  Supervision supervision;  // of the job: not the warm-up's
  supervision.timeouts.startup = absl::Seconds(1);
  supervision.timeouts.inactivity = absl::Seconds(1);
  supervision.timeouts.start_to_close = absl::Seconds(2);
  Assign(Offer(Rules()), "a", supervision);
  Spawned(0);
  const absl::Time start = now_;
  ExpectQuietBefore(start + absl::Seconds(299));
  Stdout();
  ExpectQuietBefore(start + absl::Seconds(299 + 45));
  EXPECT_EQ(StopCause(), Reason::kStartupTimeout);
}

TEST_F(WarmUpTest, ThatIsSilentHasItsTimeAndNoMore_A4) {
  Start(1);
  BeginWarmUp(Offer(Rules()), "a");
  ExpectQuietBefore(now_ + absl::Seconds(300));
  EXPECT_EQ(StopCause(), Reason::kStartupTimeout);
}

TEST_F(WarmUpTest, ThatTalksForEverEndsAtItsWholeTime_A4) {
  Start(1);
  TaskTypeRules rules = Rules();
  rules.warm_up->start_to_close = absl::Seconds(400);
  BeginWarmUp(Offer(rules), "a");
  const absl::Time deadline = now_ + absl::Seconds(400);
  while (now_ + absl::Seconds(30) < deadline) {
    ExpectQuietBefore(now_ + absl::Seconds(30));
    Stderr();
  }
  ExpectQuietBefore(deadline);
  EXPECT_EQ(StopCause(), Reason::kStartToCloseTimeout);
}

TEST_F(WarmUpTest, ThatFailsFailsTheJobAndIsTriedByTheNext_A4) {
  Start(1);
  const TaskTypeRulesPtr type = Offer(Rules());
  BeginWarmUp(type, "a");
  Assign(type, "b");
  ExitWarmUp(1);
  CacheReady();
  EXPECT_EQ(EndReason(), Reason::kNonzeroExit);
  EXPECT_TRUE(TheEnd().process_failed);
  ASSERT_EQ(Spawns(), Jobs{"b"});
  EXPECT_EQ(Of<SpawnTask>()[0].purpose, SpawnPurpose::kWarmUp);
  EXPECT_EQ(Degraded(), "");
}

TEST_F(WarmUpTest, WhoseCacheCannotBePublishedFails_A4) {
  Start(1);
  const TaskTypeRulesPtr type = Offer(Rules());
  BeginWarmUp(type, "a");
  ExitWarmUp(0);
  CacheReady("no space");
  EXPECT_EQ(EndReason(), Reason::kInternal);
  EXPECT_EQ(core_->cache(type), CacheState::kMissing);
}

TEST_F(WarmUpTest, ThatIsOptionalAndFailsDegradesTheType_A4) {
  Start(1);
  const TaskTypeRulesPtr type = Offer(OptionalRules());
  BeginWarmUp(type, "a");
  ExitWarmUp(1);
  CacheReady();
  EXPECT_TRUE(Of<SendEnd>().empty());
  ASSERT_EQ(Spawns(), Jobs{"a"});
  EXPECT_EQ(Of<SpawnTask>()[0].purpose, SpawnPurpose::kRun);
  EXPECT_NE(Degraded().find("exited with status 1"), std::string::npos);
  Step([&] { EXPECT_FALSE(core_->ClearCache("t", now_, &effects_)); });
  Spawned(0);
  EndByItself(1);
  Step([&] { EXPECT_TRUE(core_->ClearCache("t", now_, &effects_)); });
  EXPECT_EQ(Degraded(), "");
  BeginWarmUp(type, "b");
}

TEST_F(WarmUpTest, ThatIsOptionalAndHangsDegradesTheType_A4) {
  Start(1);
  BeginWarmUp(Offer(OptionalRules()), "a");
  RunFor(absl::Seconds(300));
  EXPECT_EQ(StopCause(), Reason::kStartupTimeout);
  Die();
  CacheReady();
  EXPECT_EQ(Spawns(), Jobs{"a"});
  EXPECT_NE(Degraded(), "");
}

TEST_F(WarmUpTest, ThatIsOptionalAndCannotBeStartedDegradesTheType_A4) {
  Start(1);
  Assign(Offer(OptionalRules()), "a");
  Step([&] { core_->SpawnFailed(0, ENOENT, "program", now_, &effects_); });
  EXPECT_TRUE(Of<SendEnd>().empty());
  EXPECT_EQ(Spawns(), Jobs{"a"});
  EXPECT_NE(Degraded(), "");
}

TEST_F(WarmUpTest, ThatCannotBeStartedFailsTheJob_A4) {
  Start(1);
  const TaskTypeRulesPtr type = Offer(Rules());
  Assign(type, "a");
  Step([&] { core_->SpawnFailed(0, ENOENT, "program", now_, &effects_); });
  EXPECT_EQ(EndReason(), Reason::kSpawnFailed);
  EXPECT_EQ(core_->cache(type), CacheState::kMissing);
}

TEST_F(WarmUpTest, AJobCancelledWhileItRunsEndsTheWarmUp_A4) {
  Start(1);
  const TaskTypeRulesPtr type = Offer(OptionalRules());
  BeginWarmUp(type, "a");
  Stop("a");
  EXPECT_EQ(StopCause(), Reason::kCancelled);
  Die();
  ASSERT_EQ(Of<FinishCache>().size(), 1u);
  EXPECT_FALSE(Of<FinishCache>()[0].succeeded);
  CacheReady();
  EXPECT_EQ(EndReason(), Reason::kCancelled);
  EXPECT_FALSE(TheEnd().process_failed);
  EXPECT_EQ(core_->cache(type), CacheState::kMissing);
}

TEST_F(WarmUpTest, AJobDrainedWhileItRunsIsHandedBack) {
  Start(1);
  BeginWarmUp(Offer(Rules()), "a");
  Stop("a", Reason::kDrained);
  Die();
  CacheReady();
  EXPECT_EQ(EndReason(), Reason::kDrained);
  EXPECT_TRUE(TheEnd().never_started);
}

TEST_F(WarmUpTest, AJobCancelledBeforeTheWarmUpStartsIsStoppedThen_A4) {
  Start(1);
  Assign(Offer(Rules()), "a");
  Stop("a");
  EXPECT_TRUE(effects_.empty());
  Spawned(0);
  EXPECT_EQ(StopCause(), Reason::kCancelled);
}

TEST_F(WarmUpTest, AJobCancelledWhileTheTreeIsEmptiedDoesNotRun_A4) {
  Start(1);
  BeginWarmUp(Offer(Rules()), "a");
  Exited(ExitStatus(0));
  Stop("a");
  TreeEmpty();
  Collected();
  CacheReady();
  EXPECT_EQ(EndReason(), Reason::kCancelled);
  EXPECT_TRUE(Spawns().empty());
}

TEST_F(WarmUpTest, AJobCancelledWhileTheCacheIsPublishedDoesNotRun_A4) {
  Start(1);
  const TaskTypeRulesPtr type = Offer(Rules());
  BeginWarmUp(type, "a");
  ExitWarmUp(0);
  Stop("a");
  CacheReady();
  EXPECT_EQ(EndReason(), Reason::kCancelled);
  EXPECT_TRUE(Spawns().empty());
  EXPECT_EQ(core_->cache(type), CacheState::kReady);  // for the next
}

TEST_F(WarmUpTest, AJobCancelledAfterTheWarmUpTimedOutDoesNotRun_A4) {
  Start(1);
  BeginWarmUp(Offer(OptionalRules()), "a");
  RunFor(absl::Seconds(300));
  EXPECT_EQ(StopCause(), Reason::kStartupTimeout);
  Stop("a");
  Die();
  CacheReady();
  EXPECT_EQ(EndReason(), Reason::kCancelled);
  EXPECT_TRUE(Spawns().empty());
}

TEST_F(WarmUpTest, AJobGivenUpWhileTheCacheIsPublishedDoesNotRun_A4) {
  Start(1);
  BeginWarmUp(Offer(Rules()), "a");
  ExitWarmUp(0);
  Step([&] { core_->FenceAll("lost its lease", now_, &effects_); });
  EXPECT_FALSE(core_->Quiet());
  CacheReady();
  EXPECT_EQ(EndReason(), Reason::kWorkerLost);
  EXPECT_TRUE(Spawns().empty());
  EXPECT_TRUE(core_->Quiet());
}

TEST_F(WarmUpTest, ALostSlotLosesTheJobAndTheNextWarmsUp_A4) {
  Start(1);
  const TaskTypeRulesPtr type = Offer(Rules());
  BeginWarmUp(type, "a");
  SlotLost();
  Collected();
  EXPECT_FALSE(Of<FinishCache>()[0].succeeded);
  CacheReady();
  EXPECT_EQ(EndReason(), Reason::kWorkerLost);
  EXPECT_EQ(core_->cache(type), CacheState::kMissing);
}

TEST_F(WarmUpTest, ASlotThatFallsSilentWhileTheCacheIsPublishedLosesNothing) {
  Start(1);
  const TaskTypeRulesPtr type = Offer(Rules());
  BeginWarmUp(type, "a");
  ExitWarmUp(0);
  deaf_.insert(0);
  RunFor(absl::Minutes(1));
  EXPECT_EQ(Of<KillSlot>().size(), 1u);
  CacheReady();
  EXPECT_EQ(core_->cache(type), CacheState::kReady);
  EXPECT_EQ(core_->slot_state(0), SlotState::kLeaving);
  SlotLost();
  RunFor(absl::Seconds(1));
  EXPECT_EQ(Of<StartSlot>().size(), 1u);
  Step([&] { core_->SlotReady(0, now_, &effects_); });
  EXPECT_EQ(Spawns(), Jobs{"a"});
}

TEST_F(WarmUpTest, ThatCannotBeProvedDeadEndsTheJobAndFreesTheOthers_A4) {
  Start(2);
  const TaskTypeRulesPtr type = Offer(OptionalRules());
  BeginWarmUp(type, "a");
  Assign(type, "b");
  EXPECT_TRUE(Spawns().empty());
  Exited(ExitStatus(0));
  TreeReport report;
  report.unconfirmed = true;
  TreeEmpty(report);
  Collected();
  CacheReady();
  EXPECT_EQ(EndReason(), Reason::kInternal);
  EXPECT_TRUE(TheEnd().evidence->death_unconfirmed);
  EXPECT_EQ(core_->slot_state(0), SlotState::kStuck);
  ASSERT_EQ(Spawns(), Jobs{"b"});  // in the slot that was free
  EXPECT_EQ(Of<SpawnTask>()[0].slot, 1);
}

TEST_F(WarmUpTest, OfADefinitionThatChangedMeanwhileServesNobody_A4) {
  Start(1);
  const TaskTypeRulesPtr old = Offer(Rules());
  BeginWarmUp(old, "a");
  const TaskTypeRulesPtr anew = Offer(Rules());
  EndByItself(0);
  ASSERT_EQ(Of<FinishCache>().size(), 1u);
  EXPECT_FALSE(Of<FinishCache>()[0].succeeded);
  CacheReady();
  EXPECT_EQ(EndReason(), Reason::kWorkerLost);
  EXPECT_TRUE(TheEnd().never_started);
  EXPECT_EQ(core_->cache(anew), CacheState::kMissing);
  BeginWarmUp(anew, "b");
}

}  // namespace
}  // namespace vigil::worker
