// Proves how an attempt begins and ends on a worker: who gets a slot, which
// cause of an end is kept, the kill ladder, what is reported and how long an
// end is kept. Slots and tasks are simulated (see core_fixture.h).
#include <errno.h>

#include <vector>

#include "gtest/gtest.h"
#include "worker/core/core_fixture.h"

namespace vigil::worker {
namespace {

class AttemptsTest : public CoreFixture {};

TEST_F(AttemptsTest, AssignmentsStartInOrderAsSlotsComeFree) {
  Start(2);
  Assign("a");
  ASSERT_EQ(Of<SpawnTask>().size(), 1u);
  EXPECT_EQ(Of<SpawnTask>()[0].attempt, Id("a"));
  EXPECT_EQ(Of<SpawnTask>()[0].slot, 0);
  Spawned(0);
  Run("b", {}, 1);
  Assign("c");
  Assign("d");
  EXPECT_TRUE(effects_.empty());
  EXPECT_EQ(core_->Running().size(), 4u);
  EndByItself(0, 1);
  ASSERT_EQ(Of<SpawnTask>().size(), 1u);
  EXPECT_EQ(Of<SpawnTask>()[0].attempt, Id("c"));
  EXPECT_EQ(Of<SpawnTask>()[0].slot, 1);
  EXPECT_EQ(*core_->attempt_in(1), Id("c"));
}

TEST_F(AttemptsTest, ADuplicateAssignmentIsIgnoredInEveryState) {
  Start(1);
  const auto again = [&](const std::string& job) {
    Assign(job);
    EXPECT_TRUE(effects_.empty());
  };
  Assign("j");
  again("j");  // being spawned
  Spawned(0);
  again("j");  // running
  Assign("waiting");
  again("waiting");
  EXPECT_EQ(core_->Running().size(), 2u);
  Stop("j");
  again("j");  // stopping
  Exited(ExitStatus(0));
  again("j");  // being emptied
  TreeEmpty();
  again("j");  // being collected
  Collected();
  again("j");  // ended, not acknowledged
  EXPECT_EQ(core_->Running(), std::vector<AttemptId>{Id("waiting")});
}

TEST_F(AttemptsTest, AnEndIsKeptAndListedUntilItIsAcknowledged) {
  Start(1);
  Run("j");
  EXPECT_FALSE(core_->Quiet());
  EXPECT_EQ(core_->Running(), std::vector<AttemptId>{Id("j")});
  EndByItself(3);
  EXPECT_TRUE(core_->Quiet());
  EXPECT_TRUE(core_->Running().empty());
  ASSERT_EQ(core_->ended().size(), 1u);
  const AttemptEnd& kept = core_->ended().at(Id("j"));
  EXPECT_EQ(kept.failure, TheEnd().failure);
  EXPECT_EQ(kept.exit->status, 3);
  Step([&] { core_->EndAcknowledged(Id("other")); });
  Step([&] { core_->EndAcknowledged(Id("j", 2)); });
  EXPECT_EQ(core_->ended().size(), 1u);
  Step([&] { core_->EndAcknowledged(Id("j")); });
  EXPECT_TRUE(core_->ended().empty());
}

TEST_F(AttemptsTest, ASlotTakesTheNextOnlyWhenTheTreeIsEmpty) {
  Start(1);
  Run("j");
  Assign("next");
  Exited(ExitStatus(0));
  EXPECT_TRUE(Of<SpawnTask>().empty());
  EXPECT_TRUE(Of<SendEnd>().empty());
  TreeEmpty();
  EXPECT_EQ(Of<CollectOutput>().size(), 1u);
  EXPECT_TRUE(Of<SpawnTask>().empty());
  EXPECT_TRUE(Of<SendEnd>().empty());
  Stdout(0, 7);  // the last output
  Collected();
  EXPECT_EQ(TheEnd().last.stdout_bytes, 7);
  EXPECT_EQ(TheEnd().last.phase, Phase::kEnded);
  EXPECT_EQ(Of<SpawnTask>().size(), 1u);
}

TEST_F(AttemptsTest, AnEndCarriesCountsUsageAndNoEvidenceWithoutCause) {
  Start(1);
  Run("j");
  RunFor(absl::Seconds(2));
  Stdout(0, 10);
  Stderr(0, 5);
  Progressed(7);
  RunFor(absl::Seconds(1));
  Exited(ExitStatus(0));
  TreeReport report;
  report.user_time = absl::Seconds(1);
  report.system_time = absl::Milliseconds(20);
  report.max_rss_bytes = 4096;
  TreeEmpty(report);
  Collected();
  const AttemptEnd end = TheEnd();
  EXPECT_EQ(end.failure, std::nullopt);
  EXPECT_FALSE(end.evidence.has_value());
  EXPECT_EQ(end.last.tokens, 2);
  EXPECT_EQ(end.last.stdout_bytes, 10);
  EXPECT_EQ(end.last.stderr_bytes, 5);
  EXPECT_EQ(end.last.progress->done, 7);
  EXPECT_EQ(end.last.age, absl::Seconds(3));
  EXPECT_EQ(end.last.silence, absl::Seconds(1));
  EXPECT_EQ(end.last.longest_silence, absl::Seconds(2));
  EXPECT_EQ(end.time_to_active, absl::Seconds(2));
  EXPECT_EQ(end.exit->user_time, absl::Seconds(1));
  EXPECT_EQ(end.exit->system_time, absl::Milliseconds(20));
  EXPECT_EQ(end.exit->max_rss_bytes, 4096);
}

TEST_F(AttemptsTest, LeftoversAreEvidenceAndDoNotChangeTheResult) {
  Start(1);
  Run("j");
  Exited(ExitStatus(0));
  RunFor(absl::Milliseconds(30));
  TreeReport report;
  report.leftovers_killed = 3;
  TreeEmpty(report);
  Collected();
  EXPECT_EQ(TheEnd().failure, std::nullopt);
  ASSERT_TRUE(TheEnd().evidence.has_value());
  EXPECT_EQ(TheEnd().evidence->leftover_processes_killed, 3);
  EXPECT_FALSE(TheEnd().evidence->killed);
}

TEST_F(AttemptsTest, TextFoundInStderrNamesTheReason) {
  Start(1);
  Run("j");
  Exited(ExitStatus(1));
  TreeEmpty();
  Collected(0, Reason::kResourceExhausted);
  EXPECT_EQ(EndReason(), Reason::kResourceExhausted);
}

TEST_F(AttemptsTest, ASlotThatRefusesBecauseItsLeaseIsOverLosesTheAttempt) {
  Start(1);
  Assign("j");
  Step([&] { core_->SpawnFailed(0, ETIME, "lease", now_, &effects_); });
  EXPECT_EQ(EndReason(), Reason::kWorkerLost);
}

TEST_F(AttemptsTest, AProgramThatCannotBeStartedEndsAndFreesTheSlot) {
  Start(1);
  Assign("j");
  Assign("next");
  Step(
      [&] { core_->SpawnFailed(0, ENOENT, "exec /nothing", now_, &effects_); });
  EXPECT_EQ(EndReason(), Reason::kSpawnFailed);
  EXPECT_EQ(TheEnd().spawn_errno, ENOENT);
  EXPECT_FALSE(TheEnd().retryable);
  EXPECT_EQ(TheEnd().last.age, absl::ZeroDuration());
  ASSERT_EQ(Of<SpawnTask>().size(), 1u);
  EXPECT_EQ(Of<SpawnTask>()[0].attempt, Id("next"));
  Step([&] { core_->SpawnFailed(0, EAGAIN, "fork", now_, &effects_); });
  // Which is tried again by default.
  EXPECT_EQ(EndReason(), Reason::kResourceExhausted);
  EXPECT_EQ(TheEnd().spawn_errno, EAGAIN);
}

// --- the kill ladder

TEST_F(AttemptsTest, StopAsksThenKillsAfterTheGrace) {
  Start(1);
  Run("j");
  RunFor(absl::Seconds(2));
  Stop("j");
  ASSERT_EQ(Of<SoftStop>().size(), 1u);
  EXPECT_EQ(StopCause(), Reason::kCancelled);
  EXPECT_TRUE(Of<KillTree>().empty());
  ASSERT_EQ(Of<SendUpdate>().size(), 1u);
  EXPECT_EQ(Of<SendUpdate>()[0].update.phase, Phase::kStopping);
  const absl::Time end_of_grace = now_ + absl::Seconds(5);
  RunUntil(end_of_grace - kTick);
  EXPECT_TRUE(Of<KillTree>().empty());
  RunUntil(end_of_grace);
  EXPECT_EQ(Of<KillTree>().size(), 1u);
  EXPECT_EQ(core_->slot_state(0), SlotState::kKilling);
  RunFor(absl::Milliseconds(7));
  TreeReport report;
  report.killed = true;
  TreeEmpty(report);
  Collected();
  EXPECT_EQ(EndReason(), Reason::kCancelled);
  EXPECT_TRUE(TheEnd().evidence->killed);
  EXPECT_EQ(TheEnd().evidence->age, absl::Seconds(2));
  EXPECT_EQ(TheEnd().evidence->time_to_confirmed_death,
            absl::Seconds(5) + absl::Milliseconds(7));
}

TEST_F(AttemptsTest, C8_TheGraceFollowsItsSetting) {
  Supervision supervision;
  supervision.timeouts.shutdown_grace = absl::Milliseconds(300);
  Start(1);
  Run("j", supervision);
  Stop("j");
  const absl::Time end_of_grace = now_ + absl::Milliseconds(300);
  RunUntil(end_of_grace - kTick);
  EXPECT_TRUE(Of<KillTree>().empty());
  RunUntil(end_of_grace);
  EXPECT_EQ(Of<KillTree>().size(), 1u);
}

TEST_F(AttemptsTest, WithoutGraceItIsKilledAtOnce) {
  Supervision supervision;
  supervision.timeouts.shutdown_grace = absl::ZeroDuration();
  Start(1);
  Run("j", supervision);
  Stop("j");
  EXPECT_TRUE(Of<SoftStop>().empty());
  EXPECT_EQ(Of<KillTree>().size(), 1u);
  Die();
  EXPECT_EQ(EndReason(), Reason::kCancelled);
}

TEST_F(AttemptsTest, OneThatEndsInItsGraceIsNotKilled) {
  Start(1);
  Run("j");
  Stop("j");
  RunFor(absl::Seconds(1));
  Exited(ExitStatus(0));
  TreeEmpty();
  Collected();
  EXPECT_EQ(EndReason(), Reason::kCancelled);
  EXPECT_FALSE(TheEnd().evidence->killed);
  EXPECT_EQ(TheEnd().exit->status, 0);
  RunFor(absl::Seconds(60));
  EXPECT_TRUE(Of<KillTree>().empty());
}

TEST_F(AttemptsTest, OutputInTheGraceDoesNotStopTheStop) {
  Start(1);
  Run("j");
  Stop("j");
  RunFor(absl::Seconds(4));
  Stdout();
  RunFor(absl::Seconds(1));
  EXPECT_EQ(Of<KillTree>().size(), 1u);
}

TEST_F(AttemptsTest, ATreeThatCannotBeKilledMakesTheSlotStuckAndReplacesIt) {
  Start(1);
  Run("j");
  Stop("j");
  RunFor(absl::Seconds(5));
  TreeReport report;
  report.unconfirmed = true;
  RunFor(absl::Seconds(10));
  Assign("next");
  TreeEmpty(report);
  Collected();
  EXPECT_EQ(EndReason(), Reason::kCancelled);
  EXPECT_TRUE(TheEnd().evidence->death_unconfirmed);
  EXPECT_FALSE(TheEnd().retryable);
  EXPECT_EQ(core_->slot_state(0), SlotState::kStuck);
  EXPECT_TRUE(Of<SpawnTask>().empty());
  ASSERT_EQ(Of<StartSlot>().size(), 1u);
  EXPECT_EQ(Of<StartSlot>()[0].slot, 1);
  Step([&] { core_->SlotReady(1, now_, &effects_); });
  ASSERT_EQ(Of<SpawnTask>().size(), 1u);
  EXPECT_EQ(Of<SpawnTask>()[0].slot, 1);
  // The stuck one is left alone, whatever becomes of it.
  RunFor(absl::Seconds(60));
  for (const KillSlot& kill : Of<KillSlot>()) EXPECT_NE(kill.slot, 0);
  SlotLost(0);
  EXPECT_EQ(core_->slot_state(0), SlotState::kStuck);
}

// --- the first cause is final

TEST_F(AttemptsTest, ACancelIsNotReplacedByATimeout) {
  Supervision supervision;
  supervision.timeouts.start_to_close = absl::Seconds(10);
  Start(1);
  Run("j", supervision);
  RunFor(absl::Seconds(10) - kTick);
  Stop("j");
  RunFor(absl::Seconds(1));
  EXPECT_TRUE(Of<SoftStop>().empty());
  Die();
  EXPECT_EQ(EndReason(), Reason::kCancelled);
}

TEST_F(AttemptsTest, ATimeoutIsNotReplacedByACancel) {
  Supervision supervision;
  supervision.timeouts.start_to_close = absl::Seconds(10);
  Start(1);
  Run("j", supervision);
  RunFor(absl::Seconds(10));
  EXPECT_EQ(StopCause(), Reason::kStartToCloseTimeout);
  Stop("j");
  EXPECT_TRUE(effects_.empty());
  Die();
  EXPECT_EQ(EndReason(), Reason::kStartToCloseTimeout);
}

TEST_F(AttemptsTest, AnExitIsNotReplacedByACancelATimeoutOrAFence) {
  Start(1);
  Run("j");
  RunFor(absl::Seconds(119));
  Exited(ExitStatus(0));
  Stop("j");
  EXPECT_TRUE(effects_.empty());
  RunFor(absl::Seconds(2));
  EXPECT_TRUE(Of<SoftStop>().empty());
  Step([&] { core_->Fence(Id("j"), now_, &effects_); });
  TreeEmpty();
  Collected();
  EXPECT_EQ(TheEnd().failure, std::nullopt);
}

TEST_F(AttemptsTest, AnExitAfterACauseDoesNotReplaceIt) {
  Start(1);
  Run("j");
  RunFor(absl::Seconds(120));
  EXPECT_EQ(StopCause(), Reason::kStartupTimeout);
  EndByItself(0);
  EXPECT_EQ(EndReason(), Reason::kStartupTimeout);
}

TEST_F(AttemptsTest, ASecondExitIsIgnored) {
  Start(1);
  Run("j");
  Exited(ExitStatus(4));
  Exited(ExitStatus(0));
  TreeEmpty();
  Collected();
  EXPECT_EQ(TheEnd().exit->status, 4);
}

// --- stop in every state

TEST_F(AttemptsTest, A7_StopOfAWaitingAttemptEndsItAtOnce) {
  Start(1);
  Run("running");
  Assign("j");
  Stop("j");
  EXPECT_EQ(TheEnd().attempt, Id("j"));
  EXPECT_EQ(EndReason(), Reason::kCancelled);
  EXPECT_EQ(core_->ended().size(), 1u);
  EndByItself(0);
  EXPECT_TRUE(Of<SpawnTask>().empty());
}

TEST_F(AttemptsTest, A7_StopWhileSpawningAppliesOnceItIsSpawned) {
  Start(1);
  Assign("j");
  Stop("j");
  Stop("j", Reason::kDrained);  // too late to be the cause
  EXPECT_TRUE(effects_.empty());
  Spawned(0);
  EXPECT_EQ(StopCause(), Reason::kCancelled);
  EXPECT_EQ(core_->slot_state(0), SlotState::kSoftStop);
}

TEST_F(AttemptsTest, A7_StopWhileSpawningOfOneThatCannotStartIsCancelled) {
  Start(1);
  Assign("j");
  Stop("j");
  Step([&] { core_->SpawnFailed(0, EAGAIN, "fork", now_, &effects_); });
  EXPECT_EQ(EndReason(), Reason::kCancelled);
  EXPECT_FALSE(TheEnd().retryable);
}

TEST_F(AttemptsTest, AFenceWhileSpawningKillsWithoutGraceEvenAfterACancel) {
  Start(1);
  Assign("j");
  Stop("j");
  Step([&] { core_->Fence(Id("j"), now_, &effects_); });
  EXPECT_TRUE(effects_.empty());
  Spawned(0);
  EXPECT_TRUE(Of<SoftStop>().empty());
  EXPECT_EQ(Of<KillTree>().size(), 1u);
  Die();
  EXPECT_EQ(EndReason(), Reason::kCancelled);
}

TEST_F(AttemptsTest, A7_StopWhileStoppingKillingOrEndedChangesNothing) {
  Start(1);
  Run("j");
  Stop("j", Reason::kDrained);
  EXPECT_EQ(StopCause(), Reason::kDrained);
  Stop("j");
  EXPECT_TRUE(effects_.empty());
  RunFor(absl::Seconds(5));
  EXPECT_EQ(core_->slot_state(0), SlotState::kKilling);
  Stop("j");
  EXPECT_TRUE(effects_.empty());
  Die();
  EXPECT_EQ(EndReason(), Reason::kDrained);
  Stop("j");
  Stop("never heard of");
  EXPECT_TRUE(effects_.empty());
}

TEST_F(AttemptsTest, AFenceKillsAtOnceInSoftStopToo) {
  Start(1);
  Run("j");
  Step([&] { core_->Fence(Id("j"), now_, &effects_); });
  EXPECT_EQ(Of<KillTree>().size(), 1u);
  EXPECT_TRUE(Of<SoftStop>().empty());
  Die();
  EXPECT_EQ(EndReason(), Reason::kWorkerLost);
  Run("k");
  Stop("k");
  Step([&] { core_->Fence(Id("k"), now_, &effects_); });
  EXPECT_EQ(Of<KillTree>().size(), 1u);
  Die();
  EXPECT_EQ(EndReason(), Reason::kCancelled);
}

TEST_F(AttemptsTest, AFencedWaitingAttemptNeverStarts) {
  Start(1);
  Run("running");
  Assign("j");
  Step([&] { core_->Fence(Id("j"), now_, &effects_); });
  EXPECT_EQ(TheEnd().attempt, Id("j"));
  EXPECT_EQ(EndReason(), Reason::kWorkerLost);
}

// --- reports

TEST_F(AttemptsTest, CountsAreReportedOnceASecondAndOnlyWhenTheyChange) {
  Start(1);
  Run("j");
  Stdout();  // ACTIVE: told with the first report
  RunFor(kFirstReportDelay - kTick);
  EXPECT_TRUE(Of<SendUpdate>().empty());
  RunFor(kTick);
  ASSERT_EQ(Of<SendUpdate>().size(), 1u);
  EXPECT_EQ(Of<SendUpdate>()[0].update.phase, Phase::kActive);
  const absl::Time last = now_;
  RunFor(absl::Milliseconds(300));
  Stdout();
  Stdout();
  EXPECT_TRUE(effects_.empty());
  RunUntil(last + kReportInterval - kTick);
  EXPECT_TRUE(Of<SendUpdate>().empty());
  RunUntil(last + kReportInterval);
  ASSERT_EQ(Of<SendUpdate>().size(), 1u);
  EXPECT_EQ(Of<SendUpdate>()[0].update.tokens, 3);
  EXPECT_EQ(Of<SendUpdate>()[0].update.silence, absl::Milliseconds(700));
  RunFor(absl::Seconds(20));
  EXPECT_TRUE(Of<SendUpdate>().empty());
}

TEST_F(AttemptsTest, A8_ProgressIsReported) {
  Start(1);
  Run("j");
  RunFor(absl::Seconds(2));
  Progressed(37);
  ASSERT_EQ(Of<SendUpdate>().size(), 1u);
  EXPECT_EQ(Of<SendUpdate>()[0].update.progress->done, 37);
  EXPECT_EQ(Of<SendUpdate>()[0].update.progress->total, 100);
  Progressed(36);
  EXPECT_TRUE(effects_.empty());
}

TEST_F(AttemptsTest, WordsOfASlotWithoutAttemptAreIgnored) {
  Start(1);
  Stdout();
  Progressed(1);
  Spawned(0);
  Exited(ExitStatus(0));
  TreeEmpty();
  Collected();
  Step([&] { core_->Ready(0, now_, &effects_); });
  Step([&] { core_->OutputChecked(0, now_, &effects_); });
  Step([&] { core_->ReadingPaused(0, now_); });
  Step([&] { core_->ReadingResumed(0, now_); });
  EXPECT_TRUE(effects_.empty());
  EXPECT_EQ(core_->slot_state(0), SlotState::kIdle);
}

TEST_F(AttemptsTest, OneThatBeginsAndEndsInOneTurnHasStarted) {
  Start(1);
  Run("j");
  EndByItself(0);
  EXPECT_GT(TheEnd().last.age, absl::ZeroDuration());
}

}  // namespace
}  // namespace vigil::worker
