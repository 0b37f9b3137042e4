// Proves the life of a job apart from its workers: submission, its deadlines
// one tick before and at each, cancellation, the owner of a RunJob, and when it
// is forgotten. Clients and workers are simulated (see core_fixture.h).
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "coordinator/core/core_fixture.h"
#include "gtest/gtest.h"

namespace vigil::coordinator {
namespace {

class JobsTest : public CoreFixture {
 protected:
  // A job that runs as attempt 1 on a worker of stream 1.
  void RunJob(const std::string& id, const JobPolicy& policy = {}) {
    CoreFixture::RunJob(policy, id);
  }
  // A job in BACKOFF after its first attempt.
  void BackJobOff(const std::string& id, JobPolicy policy = {}) {
    policy.retry.jitter = 0;
    RunJob(id, policy);
    End(1, EndOf(Id(id), Reason::kResourceExhausted));
    ASSERT_EQ(StateOf(id), JobState::kBackoff);
  }
};

TEST_F(JobsTest, ASubmittedJobIsQueuedAndSaved) {
  Submit("j");
  EXPECT_EQ(StateOf("j"), JobState::kQueued);
  EXPECT_EQ(fx_.save, std::vector<JobId>{JobId("j")});
  EXPECT_EQ(Get("j").revision, 1);
  EXPECT_EQ(Get("j").create_time, now_);
  EXPECT_EQ(core_->live_in(JobState::kQueued), 1);
  EXPECT_TRUE(fx_.after_commit.empty());
  EXPECT_TRUE(fx_.at_once.empty());
}

TEST_F(JobsTest, TheRevisionGrowsWithEverySavedChange) {
  RunJob("j");
  EXPECT_EQ(Get("j").revision, 2);
  Cancel("j");
  EXPECT_EQ(Get("j").revision, 3);
  End(1, EndOf(Id("j"), Reason::kCancelled));
  EXPECT_EQ(Get("j").revision, 4);
  EXPECT_EQ(fx_.save, std::vector<JobId>{JobId("j")});
}

TEST_F(JobsTest, SubmissionsBeyondTheLimitAreRefusedUntilOneIsForgotten) {
  CoreOptions options;
  options.live_jobs_max = 2;
  Restart(options);
  Submit("a");
  Submit("b");
  Step([&] {
    const auto refused = core_->Submit(Command("c"), now_, &fx_);
    EXPECT_EQ(refused.status().code(), absl::StatusCode::kResourceExhausted);
  });
  EXPECT_EQ(core_->FindJob(JobId("c")), nullptr);
  EXPECT_TRUE(fx_.save.empty());
  Cancel("a");
  Step([&] {
    EXPECT_FALSE(core_->Submit(Command("c"), now_, &fx_).ok());
    EXPECT_NE(core_->Forget(JobId("a")), nullptr);
  });
  Submit("c");
}

TEST_F(JobsTest, OnlyAnEndedJobIsForgottenAndOnlyOnce) {
  EXPECT_EQ(core_->Forget(JobId("j")), nullptr);
  BackJobOff("j");
  EXPECT_EQ(core_->Forget(JobId("j")), nullptr);  // BACKOFF
  TickAt(now_ + absl::Seconds(1));
  EXPECT_EQ(core_->Forget(JobId("j")), nullptr);  // RUNNING
  Submit("queued");
  EXPECT_EQ(core_->Forget(JobId("queued")), nullptr);
  End(1, EndOf(Id("j", 2)));
  std::unique_ptr<Job> job;
  Step([&] { job = core_->Forget(JobId("j")); });
  ASSERT_NE(job, nullptr);
  EXPECT_EQ(job->state, JobState::kSucceeded);
  EXPECT_EQ(core_->FindJob(JobId("j")), nullptr);
  EXPECT_EQ(core_->Forget(JobId("j")), nullptr);
  EXPECT_EQ(core_->live_in(JobState::kSucceeded), 0);
  EXPECT_EQ(core_->counters().ended[static_cast<int>(JobState::kSucceeded)], 1);
}

// --- deadlines

TEST_F(JobsTest, A5_ScheduleToStartEndsAJobThatNoSlotTook) {
  JobPolicy policy;
  policy.schedule_to_start = absl::Seconds(30);
  Submit("j", policy);
  const absl::Time due = now_ + absl::Seconds(30);
  EXPECT_EQ(core_->NextDeadline(), due);
  TickAt(due - kTick);
  EXPECT_EQ(StateOf("j"), JobState::kQueued);
  TickAt(due);
  EXPECT_EQ(StateOf("j"), JobState::kFailed);
  EXPECT_EQ(ReasonOf("j"), Reason::kScheduleToStartTimeout);
  EXPECT_EQ(core_->NextDeadline(), absl::InfiniteFuture());
}

TEST_F(JobsTest, ScheduleToStartBeginsAnewWithEachStayInTheQueue) {
  JobPolicy policy;
  policy.schedule_to_start = absl::Seconds(30);
  policy.retry.initial_interval = absl::Seconds(50);
  BackJobOff("j", policy);
  Step([&] { core_->Pause(WorkerId("w")); });
  const absl::Time queued = now_ + absl::Seconds(50);
  TickAt(queued - kTick);
  EXPECT_EQ(StateOf("j"), JobState::kBackoff);  // not counted in BACKOFF
  Heartbeat(1);
  TickAt(queued);
  EXPECT_EQ(StateOf("j"), JobState::kQueued);
  TickAt(queued + absl::Seconds(30) - kTick);
  EXPECT_EQ(StateOf("j"), JobState::kQueued);
  TickAt(queued + absl::Seconds(30));
  EXPECT_EQ(ReasonOf("j"), Reason::kScheduleToStartTimeout);
}

TEST_F(JobsTest, A5_ScheduleToCloseEndsAQueuedJob) {
  JobPolicy policy;
  policy.schedule_to_close = absl::Seconds(30);
  Submit("j", policy);
  const absl::Time due = now_ + absl::Seconds(30);
  TickAt(due - kTick);
  EXPECT_EQ(StateOf("j"), JobState::kQueued);
  TickAt(due);
  EXPECT_EQ(StateOf("j"), JobState::kFailed);
  EXPECT_EQ(ReasonOf("j"), Reason::kScheduleToCloseTimeout);
}

TEST_F(JobsTest, A5_ScheduleToCloseEndsAJobInBackoff) {
  JobPolicy policy;
  policy.schedule_to_close = absl::Seconds(30);
  policy.retry.initial_interval = absl::Seconds(40);
  const absl::Time due = now_ + absl::Seconds(30);
  BackJobOff("j", policy);
  EXPECT_EQ(core_->NextDeadline(), due);
  TickAt(due - kTick);
  EXPECT_EQ(StateOf("j"), JobState::kBackoff);
  TickAt(due);
  EXPECT_EQ(StateOf("j"), JobState::kFailed);
  EXPECT_EQ(ReasonOf("j"), Reason::kScheduleToCloseTimeout);
}

TEST_F(JobsTest, ScheduleToCloseOfARunningJobIsSentWithItsAttempt) {
  JobPolicy policy;
  policy.schedule_to_close = absl::Seconds(20);
  const absl::Time due = now_ + absl::Seconds(20);
  Submit("j", policy);
  now_ += absl::Seconds(5);
  ASSERT_TRUE(Attach(1, Hello("w")).ok());
  Tick();
  const auto sent = Of<SendAssignment>(fx_.after_commit);
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].close_deadline, due);
  TickAt(due);  // the worker's to end
  EXPECT_EQ(StateOf("j"), JobState::kRunning);
  End(1, EndOf(Id("j"), Reason::kScheduleToCloseTimeout));
  EXPECT_EQ(ReasonOf("j"), Reason::kScheduleToCloseTimeout);
}

TEST_F(JobsTest, AJobIsGivenToASlotUpToATickBeforeItsDeadline) {
  JobPolicy policy;
  policy.schedule_to_start = absl::Seconds(5);
  Submit("late", policy);
  Submit("in time", policy);
  const absl::Time due = now_ + absl::Seconds(5);
  now_ = due - kTick;
  ASSERT_TRUE(Attach(1, Hello("w")).ok());
  Tick();
  EXPECT_EQ(Assigned(), Ids{Id("late")});
  now_ = due;
  ASSERT_TRUE(Attach(2, Hello("v")).ok());
  Tick();
  EXPECT_TRUE(Assigned().empty());
  EXPECT_EQ(StateOf("in time"), JobState::kFailed);
}

// --- cancel

TEST_F(JobsTest, A7_CancelEndsAQueuedJobAtOnce) {
  Submit("j");
  Cancel("j");
  EXPECT_EQ(StateOf("j"), JobState::kCancelled);
  EXPECT_EQ(ReasonOf("j"), Reason::kCancelled);
  EXPECT_EQ(Get("j").end_time, now_);
  EXPECT_EQ(fx_.save, std::vector<JobId>{JobId("j")});
  ASSERT_TRUE(Attach(1, Hello("w")).ok());
  Tick();
  EXPECT_TRUE(Assigned().empty());
}

TEST_F(JobsTest, A7_CancelEndsAJobInBackoffAtOnce) {
  BackJobOff("j");
  Cancel("j");
  EXPECT_EQ(StateOf("j"), JobState::kCancelled);
  TickAt(now_ + absl::Seconds(10));
  EXPECT_TRUE(Assigned().empty());
}

TEST_F(JobsTest, A7_CancelOfARunningJobIsSentWhenRecordedAndEndsWithIt) {
  RunJob("j");
  Cancel("j");
  EXPECT_EQ(StateOf("j"), JobState::kRunning);
  EXPECT_EQ(fx_.save, std::vector<JobId>{JobId("j")});
  EXPECT_EQ(Stopped(), Ids{Id("j")});
  EXPECT_TRUE(fx_.at_once.empty());
  Cancel("j");  // once is enough
  EXPECT_TRUE(fx_.save.empty());
  EXPECT_TRUE(fx_.after_commit.empty());
  End(1, EndOf(Id("j"), Reason::kCancelled));
  EXPECT_EQ(StateOf("j"), JobState::kCancelled);
}

TEST_F(JobsTest, AResultThatOvertakesTheCancelIsKept) {
  RunJob("j");
  Cancel("j");
  End(1, EndOf(Id("j")));
  EXPECT_EQ(StateOf("j"), JobState::kSucceeded);
}

TEST_F(JobsTest, AFailureThatOvertakesTheCancelIsNotRetried) {
  RunJob("j");
  Cancel("j");
  End(1, EndOf(Id("j"), Reason::kResourceExhausted));
  EXPECT_EQ(StateOf("j"), JobState::kCancelled);
  EXPECT_EQ(ReasonOf("j"), Reason::kCancelled);
}

TEST_F(JobsTest, CancelOfAnEndedJobChangesNothingAndOfAnUnknownOneIsFalse) {
  RunJob("j");
  End(1, EndOf(Id("j")));
  Cancel("j");
  EXPECT_EQ(StateOf("j"), JobState::kSucceeded);
  EXPECT_TRUE(fx_.save.empty());
  Step([&] { EXPECT_FALSE(core_->Cancel(JobId("no"), now_, &fx_)); });
}

// --- the owner of a RunJob

class OwnerTest : public JobsTest {
 protected:
  OwnerTest() { owned_.cancel_on_disconnect = true; }
  void Gone() {
    Step([&] { core_->OwnerGone(JobId("j"), 0, now_); });
  }
  JobPolicy owned_;
};

TEST_F(OwnerTest, AQueuedJobThatNobodyTakesOverIsCancelledAfterTenSeconds) {
  Submit("j", owned_);
  Gone();
  const absl::Time due = now_ + absl::Seconds(10);
  EXPECT_EQ(core_->NextDeadline(), due);
  TickAt(due - kTick);
  EXPECT_EQ(StateOf("j"), JobState::kQueued);
  TickAt(due);
  EXPECT_EQ(StateOf("j"), JobState::kCancelled);
}

TEST_F(OwnerTest, ARunningJobThatNobodyTakesOverIsStoppedAfterTenSeconds) {
  RunJob("j", owned_);
  Gone();
  const absl::Time due = now_ + absl::Seconds(10);
  TickAt(due - kTick);
  EXPECT_TRUE(Stopped().empty());
  TickAt(due);
  EXPECT_EQ(Stopped(), Ids{Id("j")});
  TickAt(due + absl::Seconds(5));
  EXPECT_TRUE(Stopped().empty());
  End(1, EndOf(Id("j"), Reason::kCancelled));
  EXPECT_EQ(StateOf("j"), JobState::kCancelled);
}

TEST_F(OwnerTest, AJobTakenOverInTimeLives) {
  Submit("j", owned_);
  Gone();
  TickAt(now_ + absl::Seconds(10) - kTick);
  Step([&] { core_->OwnerBack(JobId("j")); });
  EXPECT_EQ(core_->NextDeadline(), absl::InfiniteFuture());
  TickAt(now_ + absl::Seconds(60));
  EXPECT_EQ(StateOf("j"), JobState::kQueued);
}

TEST_F(OwnerTest, TheWaitForAnOwnerOutlivesABackoff) {
  BackJobOff("j", owned_);
  const absl::Time due = now_ + absl::Seconds(10);
  Gone();
  TickAt(now_ + absl::Seconds(1));
  EXPECT_EQ(Assigned(), (Ids{Id("j", 2)}));
  TickAt(due - kTick);
  EXPECT_TRUE(Stopped().empty());
  TickAt(due);
  EXPECT_EQ(Stopped(), (Ids{Id("j", 2)}));
}

TEST_F(OwnerTest, A7_AStreamThatWasTakenOverMayBeHeardOfLater) {
  JobPolicy policy;
  policy.cancel_on_disconnect = true;
  Submit("j", policy);
  int64_t first = 0;
  int64_t second = 0;
  Step([&] { first = core_->OwnerBack(JobId("j")); });
  Step([&] { second = core_->OwnerBack(JobId("j")); });
  // The end of the first comes after the second took over.
  Step([&] { core_->OwnerGone(JobId("j"), first, now_); });
  TickAt(now_ + kOwnerGrace);
  EXPECT_EQ(StateOf("j"), JobState::kQueued);
  Step([&] { core_->OwnerGone(JobId("j"), second, now_); });
  TickAt(now_ + kOwnerGrace);
  EXPECT_EQ(StateOf("j"), JobState::kCancelled);
}

TEST_F(OwnerTest, WhileTheLoopStoodStillNobodyCouldTakeItOver) {
  Submit("j", owned_);
  Gone();
  Step([&] { core_->GrantStall(absl::Seconds(7)); });
  EXPECT_EQ(core_->NextDeadline(), now_ + kOwnerGrace + absl::Seconds(7));
}

TEST_F(OwnerTest, AJobThatContinuesNeedsNoOwner) {
  Submit("j");
  Gone();
  EXPECT_EQ(core_->NextDeadline(), absl::InfiniteFuture());
  Step([&] { core_->OwnerGone(JobId("no"), 0, now_); });
  Step([&] { core_->OwnerBack(JobId("no")); });
}

TEST_F(OwnerTest, AnEndedJobHasNoDeadlineLeft) {
  RunJob("j", owned_);
  End(1, EndOf(Id("j")));
  Gone();
  TickAt(now_ + absl::Seconds(20));
  EXPECT_EQ(StateOf("j"), JobState::kSucceeded);
}

}  // namespace
}  // namespace vigil::coordinator
