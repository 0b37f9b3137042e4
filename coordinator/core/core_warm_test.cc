// Proves what becomes of a job of a warm task beyond what a command can do: it
// meets processes that end before they take it, says when to try again, and
// leaves checkpoints and results. Clients and workers are simulated (see
// core_fixture.h).
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "coordinator/core/core_fixture.h"
#include "gtest/gtest.h"

namespace vigil::coordinator {
namespace {

class WarmTest : public CoreFixture {
 protected:
  WarmTest() { policy_.retry.jitter = 0; }

  void RunJob() {
    Submit("j", policy_);
    ASSERT_TRUE(Attach(1, Hello("w")).ok());
    Tick();
    ASSERT_EQ(Assigned(), Ids{Id("j")});
  }
  void RunAgain(int attempt) {
    ASSERT_EQ(StateOf("j"), JobState::kBackoff);
    now_ = Get("j").retry_time;
    Heartbeat(1);
    Tick();
    ASSERT_EQ(Assigned(), (Ids{Id("j", attempt)}));
  }
  static AttemptEnd ProcessFailed(int attempt, Reason reason) {
    AttemptEnd end = EndOf(Id("j", attempt), reason);
    end.process_failed = true;
    return end;
  }
  static AttemptEnd EndWith(int attempt, Reason reason,
                            const std::string& result) {
    AttemptEnd end = EndOf(Id("j", attempt), reason);
    end.result = std::make_shared<const std::string>(result);
    return end;
  }
  absl::Duration Wait() const { return Get("j").retry_time - now_; }

  JobPolicy policy_;
};

// --- processes that end before they take the job

TEST_F(WarmTest, AProcessThatFailedIsNotChargedAndTheJobIsTriedAgain) {
  // Whatever maximum_attempts and the reason say.
  policy_.retry.maximum_attempts = 1;
  policy_.retry.non_retryable_reasons = {Reason::kNonzeroExit};
  RunJob();
  End(1, ProcessFailed(1, Reason::kNonzeroExit));
  EXPECT_EQ(StateOf("j"), JobState::kBackoff);
  EXPECT_EQ(Wait(), absl::Milliseconds(100));
  EXPECT_EQ(Get("j").charged_attempts, 0);
  EXPECT_EQ(Get("j").process_failures, 1);
  EXPECT_FALSE(Get("j").current().charged);
  EXPECT_EQ(Get("j").current().failure->reason, Reason::kNonzeroExit);
  EXPECT_EQ(fx_.save, std::vector<JobId>{JobId("j")});
  RunAgain(2);
  End(1, ProcessFailed(2, Reason::kSignalled));
  EXPECT_EQ(Wait(), absl::Milliseconds(200));
  RunAgain(3);
  End(1, EndOf(Id("j", 3)));
  EXPECT_EQ(StateOf("j"), JobState::kSucceeded);
}

TEST_F(WarmTest, TheLastProcessThatMayFailFailsTheJob) {
  RunJob();
  for (int i = 1; i < kProcessFailuresMax; ++i) {
    End(1, ProcessFailed(i, Reason::kNonzeroExit));
    RunAgain(i + 1);
  }
  End(1, ProcessFailed(kProcessFailuresMax, Reason::kSignalled));
  EXPECT_EQ(StateOf("j"), JobState::kFailed);
  EXPECT_EQ(ReasonOf("j"), Reason::kSignalled);
  EXPECT_TRUE(absl::StrContains(Get("j").failure->message,
                                "as the test says; it was the last of 3 "
                                "processes"))
      << Get("j").failure->message;
  EXPECT_FALSE(Get("j").current().charged);
}

TEST_F(WarmTest, ProcessFailuresAndAttemptsAreCountedApart) {
  policy_.retry.maximum_attempts = 2;
  RunJob();
  End(1, ProcessFailed(1, Reason::kNonzeroExit));
  RunAgain(2);
  End(1, EndOf(Id("j", 2), Reason::kResourceExhausted));
  RunAgain(3);
  End(1, ProcessFailed(3, Reason::kNonzeroExit));
  RunAgain(4);
  End(1, EndOf(Id("j", 4), Reason::kResourceExhausted));
  EXPECT_EQ(StateOf("j"), JobState::kFailed);
  EXPECT_EQ(ReasonOf("j"), Reason::kResourceExhausted);
}

TEST_F(WarmTest, ACancelledJobIsNotTriedAgainBecauseItsProcessFailed) {
  RunJob();
  Cancel("j");
  End(1, ProcessFailed(1, Reason::kNonzeroExit));
  EXPECT_EQ(StateOf("j"), JobState::kCancelled);
  EXPECT_FALSE(Get("j").current().charged);
}

TEST_F(WarmTest, AProcessWhoseDeathIsNotConfirmedIsNotFollowedByAnother) {
  RunJob();
  AttemptEnd end = EndUnconfirmed(Id("j"), Reason::kNonzeroExit);
  end.process_failed = true;
  End(1, std::move(end));
  EXPECT_EQ(StateOf("j"), JobState::kFailed);
}

// --- when to try again

TEST_F(WarmTest, TheTaskSaysWhenToTryAgain) {
  RunJob();
  AttemptEnd end = EndOf(Id("j"), Reason::kResourceExhausted);
  end.next_retry_delay = absl::Minutes(7);
  End(1, end);
  EXPECT_EQ(Wait(), absl::Minutes(7));
  EXPECT_EQ(Get("j").current().retry_time, Get("j").retry_time);
  RunAgain(2);
  end = ProcessFailed(2, Reason::kNonzeroExit);
  end.next_retry_delay = absl::Minutes(8);
  End(1, end);
  EXPECT_EQ(Wait(), absl::Minutes(8));
}

TEST_F(WarmTest, AWishForARetryIsBoundedAndMakesNone) {
  policy_.schedule_to_close = absl::Hours(100);
  RunJob();
  AttemptEnd end = EndOf(Id("j"), Reason::kResourceExhausted);
  end.next_retry_delay = -absl::Seconds(1);
  End(1, end);
  EXPECT_EQ(Wait(), absl::ZeroDuration());
  RunAgain(2);
  end = EndOf(Id("j", 2), Reason::kResourceExhausted);
  end.next_retry_delay = absl::InfiniteDuration();
  End(1, end);
  EXPECT_EQ(Wait(), kNextRetryDelayMax);
  Restart({});
  RunJob();
  end = EndOf(Id("j"), Reason::kTaskError);
  end.next_retry_delay = absl::Seconds(1);
  End(1, end);
  EXPECT_EQ(StateOf("j"), JobState::kFailed);
}

TEST_F(WarmTest, AJobHandedBackBehindAnotherOneDoesNotWaitAsForARetry) {
  policy_.retry.initial_interval = absl::Hours(1);
  RunJob();
  AttemptEnd end = EndOf(Id("j"), Reason::kWorkerLost);
  end.last.age = absl::ZeroDuration();
  end.never_started = true;
  End(1, std::move(end));
  EXPECT_EQ(Wait(), kHandedBackDelay);
  EXPECT_EQ(Get("j").charged_attempts, 0);
}

// --- checkpoints

TEST_F(WarmTest, ACheckpointIsSavedWithItsJobAndTheLastOneCounts) {
  RunJob();
  TakeCheckpoint(1, Id("j"), "first");
  now_ += absl::Seconds(5);
  TakeCheckpoint(1, Id("j"), "second one");
  EXPECT_EQ(fx_.save, std::vector<JobId>{JobId("j")});
  EXPECT_EQ(ResultStored("j"), "second one");
  const std::optional<Checkpoint>& checkpoint = Get("j").checkpoint;
  ASSERT_TRUE(checkpoint.has_value());
  EXPECT_EQ(checkpoint->attempt, 1);
  EXPECT_EQ(checkpoint->time, now_);
  EXPECT_EQ(checkpoint->size_bytes, 10);
  EXPECT_FALSE(Get("j").result_bytes.has_value());
}

TEST_F(WarmTest, ACheckpointOfAnOlderAttemptOrADeadStreamIsFenced) {
  RunJob();
  End(1, EndOf(Id("j"), Reason::kResourceExhausted));
  RunAgain(2);
  TakeCheckpoint(1, Id("j", 1), "late");
  EXPECT_TRUE(fx_.save.empty());
  EXPECT_EQ(ResultStored("j"), std::nullopt);
  StreamLost(1);
  TakeCheckpoint(1, Id("j", 2), "late");
  EXPECT_FALSE(Get("j").checkpoint.has_value());
  EXPECT_EQ(core_->counters().fenced, 2);
}

TEST_F(WarmTest, ACheckpointOfExactlyTheMaximumIsTakenAndNoLargerOne) {
  RunJob();
  TakeCheckpoint(1, Id("j"), std::string(kCheckpointBytesMax, 'x'));
  EXPECT_EQ(Get("j").checkpoint->size_bytes, kCheckpointBytesMax);
  TakeCheckpoint(1, Id("j"), std::string(kCheckpointBytesMax + 1, 'x'));
  EXPECT_EQ(Get("j").checkpoint->size_bytes, kCheckpointBytesMax);
  EXPECT_EQ(ResultStored("j"), std::nullopt);
}

TEST_F(WarmTest, ARetryKeepsTheCheckpointAndDropsAPartialResult) {
  RunJob();
  TakeCheckpoint(1, Id("j"), "checkpoint");
  End(1, EndWith(1, Reason::kResourceExhausted, "partial"));
  EXPECT_EQ(StateOf("j"), JobState::kBackoff);
  EXPECT_EQ(ResultStored("j"), std::nullopt);
  EXPECT_FALSE(Get("j").result_bytes.has_value());
  EXPECT_EQ(Get("j").checkpoint->attempt, 1);
  RunAgain(2);
  EXPECT_EQ(Get("j").checkpoint->attempt, 1);
}

TEST_F(WarmTest, AWorkerThatIsLostLeavesTheCheckpointToTheNext) {
  RunJob();
  TakeCheckpoint(1, Id("j"), "checkpoint");
  WorkerDead("w-1");
  EXPECT_EQ(StateOf("j"), JobState::kBackoff);
  EXPECT_EQ(Get("j").checkpoint->size_bytes, 10);
}

// --- results

TEST_F(WarmTest, AResultIsStoredWithTheEndAndEndsTheCheckpoint) {
  RunJob();
  TakeCheckpoint(1, Id("j"), "checkpoint");
  End(1, EndWith(1, Reason::kUnspecified, "result"));
  EXPECT_EQ(StateOf("j"), JobState::kSucceeded);
  EXPECT_EQ(ResultStored("j"), "result");
  EXPECT_EQ(Get("j").result_bytes, 6);
  EXPECT_FALSE(Get("j").checkpoint.has_value());
}

TEST_F(WarmTest, AnEmptyResultIsOne) {
  RunJob();
  End(1, EndWith(1, Reason::kUnspecified, ""));
  EXPECT_EQ(Get("j").result_bytes, 0);
}

TEST_F(WarmTest, ASuccessWithoutAResultLeavesNothing) {
  RunJob();
  TakeCheckpoint(1, Id("j"), "checkpoint");
  End(1, EndOf(Id("j")));
  EXPECT_EQ(ResultStored("j"), "");
  EXPECT_FALSE(Get("j").result_bytes.has_value());
  EXPECT_FALSE(Get("j").checkpoint.has_value());
}

TEST_F(WarmTest, WithoutACheckpointASuccessWritesNothing) {
  RunJob();
  End(1, EndOf(Id("j")));
  EXPECT_TRUE(fx_.results.empty());
}

TEST_F(WarmTest, APartialResultTakesThePlaceOfTheCheckpoint) {
  RunJob();
  TakeCheckpoint(1, Id("j"), "checkpoint");
  End(1, EndWith(1, Reason::kInactivityTimeout, "part"));
  EXPECT_EQ(StateOf("j"), JobState::kFailed);
  EXPECT_EQ(ResultStored("j"), "part");
  EXPECT_EQ(Get("j").result_bytes, 4);
}

TEST_F(WarmTest, TheLastCheckpointIsThePartialResultOfAJobThatLeftNoOther) {
  RunJob();
  TakeCheckpoint(1, Id("j"), "checkpoint");
  End(1, EndOf(Id("j"), Reason::kInactivityTimeout));
  EXPECT_EQ(StateOf("j"), JobState::kFailed);
  EXPECT_EQ(ResultStored("j"), std::nullopt);  // it is there already
  EXPECT_EQ(Get("j").result_bytes, 10);
  EXPECT_TRUE(Get("j").checkpoint.has_value());
}

TEST_F(WarmTest, AJobCancelledWhileItWaitsKeepsItsCheckpointAsPartialResult) {
  RunJob();
  TakeCheckpoint(1, Id("j"), "checkpoint");
  End(1, EndOf(Id("j"), Reason::kResourceExhausted));
  Cancel("j");
  EXPECT_EQ(StateOf("j"), JobState::kCancelled);
  EXPECT_EQ(Get("j").result_bytes, 10);
}

TEST_F(WarmTest, ACancelledJobKeepsWhatItsAttemptHandedIn) {
  RunJob();
  Cancel("j");
  End(1, EndWith(1, Reason::kCancelled, "part"));
  EXPECT_EQ(StateOf("j"), JobState::kCancelled);
  EXPECT_EQ(ResultStored("j"), "part");
}

// --- attempts without a process

TEST_F(WarmTest, AnAttemptWithoutAProcessHasNoStartTime) {
  RunJob();
  const AttemptRecord& attempt = Get("j").current();
  AttemptUpdate update = UpdateOf(Id("j"), Phase::kWarming);
  Update(1, update);
  EXPECT_EQ(attempt.phase, Phase::kWarming);
  EXPECT_EQ(attempt.start_time, absl::InfinitePast());
  update.phase = Phase::kStarting;
  update.slot = -1;
  Update(1, update);
  EXPECT_EQ(attempt.phase, Phase::kStarting);
  EXPECT_EQ(attempt.start_time, absl::InfinitePast());
  EXPECT_EQ(attempt.last_activity_time, absl::InfinitePast());
  EXPECT_EQ(Get("j").start_time, absl::InfinitePast());
}

TEST_F(WarmTest, AProcessThatIsReportedAtOnceStartedNow) {
  RunJob();
  AttemptUpdate update = UpdateOf(Id("j"), Phase::kStarting);
  update.age = absl::ZeroDuration();
  Update(1, update);
  EXPECT_EQ(Get("j").current().start_time, now_);
  EXPECT_EQ(Get("j").start_time, now_);
}

TEST_F(WarmTest, AnAttemptThatEndsBeforeItHasAProcessNeverStarted) {
  RunJob();
  AttemptEnd end = ProcessFailed(1, Reason::kSpawnFailed);
  end.last.age = absl::ZeroDuration();
  End(1, std::move(end));
  EXPECT_EQ(Get("j").current().start_time, absl::InfinitePast());
  EXPECT_EQ(Get("j").start_time, absl::InfinitePast());
}

}  // namespace
}  // namespace vigil::coordinator
