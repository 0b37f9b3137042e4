// Proves what becomes of a job when an attempt ends or reports: its state by
// cause, retries with their waits and caps, and that the end is acknowledged
// only once it is durable. Clients and workers are simulated (see
// core_fixture.h).
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "coordinator/core/core_fixture.h"
#include "gtest/gtest.h"

namespace vigil::coordinator {
namespace {

class EndTest : public CoreFixture {
 protected:
  EndTest() { policy_.retry.jitter = 0; }

  void RunJob() { CoreFixture::RunJob(policy_); }
  // Waits until the job in BACKOFF runs again.
  void RunAgain(int attempt) {
    ASSERT_EQ(StateOf("j"), JobState::kBackoff);
    now_ = Get("j").retry_time;
    Heartbeat(1);
    Tick();
    ASSERT_EQ(Assigned(), (Ids{Id("j", attempt)}));
  }
  void ExpectFailed(Reason reason) {
    EXPECT_EQ(StateOf("j"), JobState::kFailed);
    EXPECT_EQ(ReasonOf("j"), reason);
  }

  JobPolicy policy_;
};

TEST_F(EndTest, ASuccessEndsTheJobAndIsAcknowledgedWhenDurable) {
  RunJob();
  now_ += absl::Seconds(2);
  End(1, EndOf(Id("j")));
  EXPECT_EQ(StateOf("j"), JobState::kSucceeded);
  EXPECT_EQ(Get("j").failure, std::nullopt);
  EXPECT_EQ(Get("j").exit->status, 0);
  EXPECT_EQ(Get("j").end_time, now_);
  EXPECT_EQ(Get("j").current().phase, Phase::kEnded);
  EXPECT_EQ(fx_.save, std::vector<JobId>{JobId("j")});
  EXPECT_EQ(Acknowledged(), Ids{Id("j")});
  EXPECT_TRUE(fx_.at_once.empty());
  EXPECT_TRUE(core_->running_by_type().empty());
}

TEST_F(EndTest, EveryAttemptThatBeganAndEndedIsToldOnce) {
  policy_.retry.maximum_attempts = 3;
  RunJob();
  EXPECT_TRUE(fx_.ended.empty());
  End(1, EndOf(Id("j"), Reason::kResourceExhausted));
  EXPECT_EQ(fx_.ended, Ids{Id("j")});
  End(1, EndOf(Id("j")));  // said again
  EXPECT_TRUE(fx_.ended.empty());
  TickAt(Get("j").retry_time);
  WorkerDead("w-1");
  EXPECT_EQ(fx_.ended, (Ids{Id("j", 2)}));
}

TEST_F(EndTest, AnAttemptThatNeverBeganIsNotToldToHaveEnded) {
  RunJob();
  AttemptEnd end = EndOf(Id("j"), Reason::kWorkerLost);
  end.never_started = true;
  End(1, end);
  EXPECT_TRUE(fx_.ended.empty());
}

TEST_F(EndTest, AnEndKeepsWhatTheAttemptLeft) {
  RunJob();
  now_ += absl::Seconds(20);
  AttemptEnd end = EndOf(Id("j"), Reason::kInactivityTimeout);
  end.last.age = absl::Seconds(19);
  end.last.silence = absl::Seconds(10);
  end.last.tokens = 7;
  end.time_to_active = absl::Seconds(2);
  end.evidence.emplace();
  end.evidence->leftover_processes_killed = 3;
  end.spawn_errno = 11;
  End(1, end);
  const AttemptRecord& attempt = Get("j").current();
  EXPECT_EQ(attempt.start_time, now_ - absl::Seconds(19));
  EXPECT_EQ(attempt.active_time, now_ - absl::Seconds(17));
  EXPECT_EQ(attempt.last_activity_time, now_ - absl::Seconds(10));
  EXPECT_EQ(attempt.end_time, now_);
  EXPECT_EQ(attempt.last.tokens, 7);
  EXPECT_EQ(attempt.failure->reason, Reason::kInactivityTimeout);
  EXPECT_EQ(attempt.evidence->leftover_processes_killed, 3);
  EXPECT_EQ(attempt.spawn_errno, 11);
  EXPECT_TRUE(attempt.charged);
}

TEST_F(EndTest, AFailureThatIsNotRetriedEndsTheJob) {
  for (const Reason reason : {Reason::kInactivityTimeout, Reason::kNonzeroExit,
                              Reason::kInvalidInput, static_cast<Reason>(77)}) {
    Restart({});
    RunJob();
    End(1, EndOf(Id("j"), reason));
    ExpectFailed(reason);
    EXPECT_EQ(Acknowledged(), Ids{Id("j")});
  }
}

TEST_F(EndTest, B3_RetriesWaitATenthTwoTenthsAndFourTenthsThenFail) {
  RunJob();
  const absl::Duration waits[] = {absl::Milliseconds(100),
                                  absl::Milliseconds(200),
                                  absl::Milliseconds(400)};
  for (int attempt = 1; attempt <= 3; ++attempt) {
    End(1, EndOf(Id("j", attempt), Reason::kResourceExhausted));
    const absl::Time due = now_ + waits[attempt - 1];
    EXPECT_EQ(StateOf("j"), JobState::kBackoff);
    EXPECT_EQ(Get("j").retry_time, due);
    EXPECT_EQ(Get("j").current().retry_time, due);
    TickAt(due - kTick);
    EXPECT_EQ(StateOf("j"), JobState::kBackoff);
    TickAt(due);
    EXPECT_EQ(Assigned(), (Ids{Id("j", attempt + 1)}));
  }
  End(1, EndOf(Id("j", 4), Reason::kResourceExhausted));
  ExpectFailed(Reason::kResourceExhausted);
  EXPECT_EQ(Get("j").attempts.size(), 4u);
  EXPECT_EQ(Get("j").charged_attempts, 4);
}

TEST_F(EndTest, B3_ADifferentErrorStopsTheRetries) {
  RunJob();
  End(1, EndOf(Id("j"), Reason::kResourceExhausted));
  RunAgain(2);
  End(1, EndOf(Id("j", 2), Reason::kNonzeroExit));
  ExpectFailed(Reason::kNonzeroExit);
}

TEST_F(EndTest, ARetryThatSucceedsEndsTheJobWell) {
  RunJob();
  End(1, EndOf(Id("j"), Reason::kResourceExhausted));
  RunAgain(2);
  End(1, EndOf(Id("j", 2)));
  EXPECT_EQ(StateOf("j"), JobState::kSucceeded);
  EXPECT_EQ(Get("j").failure, std::nullopt);
  EXPECT_EQ(Get("j").attempts[0].failure->reason, Reason::kResourceExhausted);
}

TEST_F(EndTest, OneAttemptIsOneAttempt) {
  policy_.retry.maximum_attempts = 1;
  RunJob();
  End(1, EndOf(Id("j"), Reason::kResourceExhausted));
  ExpectFailed(Reason::kResourceExhausted);
}

TEST_F(EndTest, A9_ANestedPoolIsTriedAgainInSequenceOnce) {
  policy_.retry_sequential = true;
  RunJob();
  EXPECT_FALSE(Get("j").current().sequential);
  End(1, EndOf(Id("j"), Reason::kNestedPool));
  RunAgain(2);
  EXPECT_TRUE(Get("j").current().sequential);
  EXPECT_FALSE(Get("j").attempts[0].sequential);
  End(1, EndOf(Id("j", 2), Reason::kNestedPool));
  ExpectFailed(Reason::kNestedPool);
}

TEST_F(EndTest, A9_ARetryInSequenceStaysSoForOtherFailures) {
  policy_.retry_sequential = true;
  RunJob();
  End(1, EndOf(Id("j"), Reason::kNestedPool));
  RunAgain(2);
  End(1, EndOf(Id("j", 2), Reason::kResourceExhausted));
  RunAgain(3);
  EXPECT_TRUE(Get("j").current().sequential);
}

TEST_F(EndTest, A9_ANestedPoolEndsAJobThatDidNotAskForMore) {
  RunJob();
  End(1, EndOf(Id("j"), Reason::kNestedPool));
  ExpectFailed(Reason::kNestedPool);
}

TEST_F(EndTest, A9_ARetryInSequenceCountsAgainstTheAttempts) {
  policy_.retry_sequential = true;
  policy_.retry.maximum_attempts = 1;
  RunJob();
  End(1, EndOf(Id("j"), Reason::kNestedPool));
  ExpectFailed(Reason::kNestedPool);
}

TEST_F(EndTest, TheWorkersWordMakesAFailureRetryable) {
  RunJob();
  AttemptEnd end = EndOf(Id("j"), Reason::kSpawnFailed);
  end.retryable = true;
  End(1, end);
  EXPECT_EQ(StateOf("j"), JobState::kBackoff);
}

TEST_F(EndTest, RetryOnAndNonRetryableDecideBeforeTheDefaults) {
  policy_.retry.retry_on = {Reason::kNonzeroExit};
  policy_.retry.non_retryable_reasons = {Reason::kResourceExhausted};
  RunJob();
  End(1, EndOf(Id("j"), Reason::kNonzeroExit));
  RunAgain(2);
  End(1, EndOf(Id("j", 2), Reason::kResourceExhausted));
  ExpectFailed(Reason::kResourceExhausted);
}

TEST_F(EndTest, TheJitterOfARetryStaysWithinItsBoundsAndVaries) {
  policy_.retry.jitter = 0.2;
  RunJob();
  std::set<absl::Duration> waits;
  for (int i = 0; i < 200; ++i) {
    const std::string id = absl::StrCat("job", i);
    Submit(id, policy_);
    WorkerHello hello = Hello(absl::StrCat("w", i));
    ASSERT_TRUE(Attach(10 + i, hello).ok());
    Tick();
    End(10 + i, EndOf(Id(id), Reason::kResourceExhausted));
    const absl::Duration wait = Get(id).retry_time - now_;
    EXPECT_GE(wait, absl::Milliseconds(80));
    EXPECT_LE(wait, absl::Milliseconds(120));
    waits.insert(wait);
    StreamLost(10 + i);
  }
  EXPECT_GT(waits.size(), 150u);
  EXPECT_LT(*waits.begin(), absl::Milliseconds(85));
  EXPECT_GT(*waits.rbegin(), absl::Milliseconds(115));
}

TEST_F(EndTest, AJobKeepsABoundedNumberOfItsAttempts) {
  policy_.retry.maximum_attempts = 1000;
  policy_.retry.maximum_interval = absl::Milliseconds(1);
  RunJob();
  for (int attempt = 1; attempt <= kAttemptsKeptMax + 5; ++attempt) {
    End(1, EndOf(Id("j", attempt), Reason::kResourceExhausted));
    RunAgain(attempt + 1);
  }
  EXPECT_EQ(Get("j").attempts.size(), static_cast<size_t>(kAttemptsKeptMax));
  EXPECT_EQ(Get("j").current().number, kAttemptsKeptMax + 6);
}

// --- a death that is not confirmed

TEST_F(EndTest, AnUnconfirmedDeathIsNeverRetried) {
  for (const Reason reason :
       {Reason::kResourceExhausted, Reason::kWorkerLost, Reason::kCancelled}) {
    Restart({});
    RunJob();
    End(1, EndUnconfirmed(Id("j"), reason));
    ExpectFailed(reason);
    EXPECT_TRUE(Get("j").current().evidence->death_unconfirmed);
  }
}

TEST_F(EndTest, ASuccessWhoseTreeIsNotProvedDeadIsAFailure) {
  RunJob();
  AttemptEnd end = EndOf(Id("j"));
  end.evidence.emplace();
  end.evidence->death_unconfirmed = true;
  End(1, std::move(end));
  ExpectFailed(Reason::kInternal);
}

// --- attempts lost with their worker

TEST_F(EndTest, AnAttemptReportedLostIsUnchargedAndRetried) {
  RunJob();
  AttemptEnd end = EndOf(Id("j"), Reason::kWorkerLost);
  end.evidence.emplace();
  End(1, end);
  EXPECT_EQ(StateOf("j"), JobState::kBackoff);
  EXPECT_EQ(Get("j").charged_attempts, 0);
  EXPECT_EQ(Get("j").lost_attempts, 1);
  EXPECT_FALSE(Get("j").current().charged);
  EXPECT_TRUE(Get("j").current().evidence.has_value());
  EXPECT_EQ(Acknowledged(), Ids{Id("j")});
  EXPECT_EQ(core_->counters().attempts_lost, 1);
}

TEST_F(EndTest, LostAttemptsHaveACapOfTheirOwn) {
  RunJob();
  for (int lost = 1; lost <= kWorkerLostMax; ++lost) {
    End(1, EndOf(Id("j", lost), Reason::kWorkerLost));
    RunAgain(lost + 1);
  }
  // Charged ones still have all their tries.
  EXPECT_EQ(Get("j").charged_attempts, 1);
  End(1, EndOf(Id("j", kWorkerLostMax + 1), Reason::kWorkerLost));
  ExpectFailed(Reason::kWorkerLost);
  EXPECT_EQ(Get("j").lost_attempts, kWorkerLostMax + 1);
}

TEST_F(EndTest, LostAttemptsDoNotUseUpTheCharged) {
  policy_.retry.maximum_attempts = 2;
  RunJob();
  for (int lost = 1; lost <= 5; ++lost) {
    End(1, EndOf(Id("j", lost), Reason::kWorkerLost));
    RunAgain(lost + 1);
  }
  End(1, EndOf(Id("j", 6), Reason::kResourceExhausted));
  RunAgain(7);
  End(1, EndOf(Id("j", 7), Reason::kResourceExhausted));
  ExpectFailed(Reason::kResourceExhausted);
}

TEST_F(EndTest, AJobThatMayStartOnceFailsWhenItsWorkerIsLost) {
  policy_.retry.maximum_attempts = 1;
  RunJob();
  End(1, EndOf(Id("j"), Reason::kWorkerLost));
  ExpectFailed(Reason::kWorkerLost);
  EXPECT_TRUE(absl::StrContains(Get("j").failure->message, "only once"));
}

TEST_F(EndTest, AnAttemptHandedBackUnstartedCostsNothingEvenWhenOneIsAll) {
  policy_.retry.maximum_attempts = 1;
  RunJob();
  AttemptEnd end = EndOf(Id("j"), Reason::kWorkerLost);
  end.last.age = absl::ZeroDuration();
  end.never_started = true;
  End(1, std::move(end));
  EXPECT_EQ(Get("j").state, JobState::kBackoff);
  EXPECT_EQ(Get("j").charged_attempts, 0);
  EXPECT_EQ(Get("j").lost_attempts, 0);
  TickAt(now_ + absl::Seconds(1));
  EXPECT_EQ(Get("j").state, JobState::kRunning);
  EXPECT_EQ(Get("j").last_attempt, 2);
}

TEST_F(EndTest, AnAttemptHandedBackDoesNotBeginANewWait) {
  policy_.schedule_to_start = absl::Seconds(10);
  RunJob();
  const absl::Time queued = Get("j").queue_time;
  AttemptEnd end = EndOf(Id("j"), Reason::kWorkerLost);
  end.last.age = absl::ZeroDuration();
  end.never_started = true;
  End(1, std::move(end));
  StreamLost(1);
  TickAt(now_ + absl::Seconds(1));
  ASSERT_EQ(Get("j").state, JobState::kQueued);
  EXPECT_EQ(Get("j").queue_time, queued);
  TickAt(queued + absl::Seconds(10));
  ExpectFailed(Reason::kScheduleToStartTimeout);
}

TEST_F(EndTest, WorkerLostCanBeMadeNonRetryable) {
  policy_.retry.non_retryable_reasons = {Reason::kWorkerLost};
  RunJob();
  End(1, EndOf(Id("j"), Reason::kWorkerLost));
  ExpectFailed(Reason::kWorkerLost);
}

TEST_F(EndTest, ACancelledJobWhoseAttemptIsLostIsCancelled) {
  RunJob();
  Cancel("j");
  End(1, EndOf(Id("j"), Reason::kWorkerLost));
  EXPECT_EQ(StateOf("j"), JobState::kCancelled);
}

// --- reports

TEST_F(EndTest, C7_AnUpdateIsShownAndNotSaved) {
  RunJob();
  now_ += absl::Seconds(10);
  AttemptUpdate update = UpdateOf(Id("j"), Phase::kActive);
  update.age = absl::Seconds(8);
  update.silence = absl::Seconds(3);
  update.tokens = 5;
  update.progress = Progress{37, 100, ""};
  Update(1, update);
  EXPECT_TRUE(fx_.save.empty());
  EXPECT_EQ(fx_.touched, std::vector<JobId>{JobId("j")});
  const AttemptRecord& attempt = Get("j").current();
  EXPECT_EQ(attempt.phase, Phase::kActive);
  EXPECT_EQ(attempt.start_time, now_ - absl::Seconds(8));
  EXPECT_EQ(Get("j").start_time, now_ - absl::Seconds(8));
  EXPECT_EQ(attempt.active_time, now_);
  EXPECT_EQ(attempt.last_activity_time, now_ - absl::Seconds(3));
  EXPECT_EQ(attempt.last.tokens, 5);
  now_ += absl::Seconds(1);
  Update(1, UpdateOf(Id("j"), Phase::kUnspecified));
  EXPECT_EQ(attempt.phase, Phase::kActive);
  EXPECT_EQ(attempt.active_time, now_ - absl::Seconds(1));
  EXPECT_EQ(attempt.start_time, now_ - absl::Seconds(9));
  EXPECT_EQ(attempt.last.progress->done, 37);  // A8: kept
}

TEST_F(EndTest, NoMomentOfAnAttemptIsBeforeItsAssignmentOrAheadOfNow) {
  RunJob();
  const absl::Time assigned = now_;
  now_ += absl::Seconds(10);
  AttemptUpdate update = UpdateOf(Id("j"), Phase::kActive);
  update.age = absl::Seconds(10) + kTick;
  update.silence = -kTick;
  Update(1, update);
  const AttemptRecord& attempt = Get("j").current();
  EXPECT_EQ(attempt.start_time, assigned);
  EXPECT_EQ(attempt.last_activity_time, now_);
  update.silence = absl::InfiniteDuration();
  Update(1, update);
  EXPECT_EQ(attempt.last_activity_time, assigned);
  AttemptEnd end = EndOf(Id("j"));
  end.time_to_active = absl::InfiniteDuration();
  End(1, end);
  EXPECT_EQ(attempt.active_time, now_);
}

TEST_F(EndTest, ObservedClocksAreKeptUpToALimitAndAllShown) {
  RunJob();
  AttemptUpdate update = UpdateOf(Id("j"), Phase::kActive);
  update.observed = Failure{Reason::kInactivityTimeout, "would have", ""};
  for (int i = 0; i < kObservedMax + 3; ++i) {
    Update(1, update);
    ASSERT_EQ(fx_.notices.size(), 1u);
    EXPECT_EQ(fx_.notices[0].job_id, JobId("j"));
    EXPECT_EQ(fx_.notices[0].failure, *update.observed);
  }
  EXPECT_EQ(Get("j").current().observed.size(),
            static_cast<size_t>(kObservedMax));
  EXPECT_EQ(StateOf("j"), JobState::kRunning);
}

TEST_F(EndTest, C2_ANoticeIsToldToWatchersAndNotKept) {
  RunJob();
  AttemptUpdate update = UpdateOf(Id("j"), Phase::kActive);
  update.notice = Failure{Reason::kNestedPool, "fork was refused"};
  Update(1, update);
  ASSERT_EQ(fx_.notices.size(), 1u);
  EXPECT_EQ(fx_.notices[0].job_id, JobId("j"));
  EXPECT_EQ(fx_.notices[0].failure, *update.notice);
  EXPECT_TRUE(Get("j").current().observed.empty());
  EXPECT_FALSE(Get("j").current().last.notice.has_value());
}

TEST_F(EndTest, C2_CountsNestedCallsPoolsInSequenceAndDeathsNotProved) {
  RunJob();
  AttemptEnd end = EndUnconfirmed(Id("j"), Reason::kNestedPool);
  end.last.nested_calls = {
      {"python3", "fork", NestedCall::Outcome::kRefused, 2, ""},
      {"make", "vfork", NestedCall::Outcome::kAllowed, 3, ""},
      {"python3", kThreadCall, NestedCall::Outcome::kRefused, 4, ""},
      {"python3", "multiprocessing.Pool", NestedCall::Outcome::kSequential, 5,
       "a.py:1"}};
  End(1, end);
  EXPECT_EQ(core_->counters().nested_calls, 9);
  EXPECT_EQ(core_->counters().sequential_pools, 5);
  EXPECT_EQ(core_->counters().deaths_unconfirmed, 1);
  // Told again, it is outdated.
  End(1, end);
  EXPECT_EQ(core_->counters().nested_calls, 9);
  EXPECT_EQ(core_->counters().deaths_unconfirmed, 1);
  // What no attempt can have done does not make the sums overflow.
  Submit("k");
  Tick();
  end.attempt = end.last.attempt = Id("k");
  end.last.nested_calls[0].count = std::numeric_limits<int64_t>::max();
  end.last.nested_calls[1].count = std::numeric_limits<int64_t>::max();
  end.last.nested_calls[2].count = std::numeric_limits<int64_t>::min();
  End(1, end);
  EXPECT_EQ(core_->counters().nested_calls, 9 + 2 * kNestedCallsCountedMax);
}

}  // namespace
}  // namespace vigil::coordinator
