// Proves what happens when a worker attaches, again or after the coordinator
// restarted: what it keeps, what it kills, what never started; and that words
// from an old stream, session or attempt are counted and change nothing.
// Clients and workers are simulated (see core_fixture.h).
#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "coordinator/core/core_fixture.h"
#include "gtest/gtest.h"

namespace vigil::coordinator {
namespace {

class AttachTest : public CoreFixture {
 protected:
  static WorkerHello Running(const std::string& worker, Ids running) {
    WorkerHello hello = Hello(worker);
    hello.running = std::move(running);
    return hello;
  }
  // What the attaching worker must kill.
  Ids KilledBy(StreamId stream, WorkerHello hello) {
    const auto verdict = Attach(stream, std::move(hello));
    EXPECT_TRUE(verdict.ok()) << verdict.status();
    return verdict.ok() ? verdict->kill : Ids();
  }
  // Job "j" as the store keeps it.
  static std::unique_ptr<Job> Stored(JobState state, absl::Time created,
                                     const JobPolicy& policy = {}) {
    auto job = std::make_unique<Job>();
    job->id = JobId("j");
    job->state = state;
    job->revision = 5;
    job->create_time = job->queue_time = created;
    job->policy = std::make_shared<const JobPolicy>(policy);
    if (state != JobState::kQueued) {
      AttemptRecord attempt;
      attempt.number = job->last_attempt = 3;
      attempt.worker = WorkerId("w");
      attempt.session = SessionId("w-1");
      if (state == JobState::kBackoff) attempt.phase = Phase::kEnded;
      job->attempts.push_back(attempt);
      job->charged_attempts = 1;
    }
    return job;
  }
  void Restore(std::unique_ptr<Job> job) {
    Step([&] { core_->Restore(std::move(job), now_); });
  }
};

TEST_F(AttachTest, WhatTheWorkerRunsAndWeKnowIsKept) {
  RunJob();
  StreamLost(1);
  now_ += absl::Seconds(10);
  EXPECT_TRUE(KilledBy(2, Running("w", {Id("j")})).empty());
  EXPECT_EQ(StateOf("j"), JobState::kRunning);
  EXPECT_TRUE(fx_.save.empty());
  TickAt(now_ + absl::Seconds(33) - kTick);  // the lease runs anew
  EXPECT_EQ(StateOf("j"), JobState::kRunning);
  End(2, EndOf(Id("j")));
  EXPECT_EQ(StateOf("j"), JobState::kSucceeded);
}

TEST_F(AttachTest, WhatTheWorkerRunsAndWeDoNotKnowIsKilled) {
  RunJob();
  EXPECT_EQ(KilledBy(2, Running("w", {Id("j"), Id("j", 2), Id("forgotten")})),
            (Ids{Id("j", 2), Id("forgotten")}));
  EXPECT_EQ(core_->counters().fenced, 2);
}

TEST_F(AttachTest, ASessionIsKnownOnceItHasAttachedWhateverItsNumber) {
  WorkerHello hello = Hello("w");
  hello.attach_number = -1;
  EXPECT_TRUE(Attach(1, hello).ok());
  hello.attach_number = -2;
  EXPECT_TRUE(absl::IsUnavailable(Attach(2, hello).status()));
  // A record that nobody holds a lease for would never be dropped.
  TickAt(now_ + absl::Hours(1));
  TickAt(now_ + kLostWorkerKept);
  EXPECT_TRUE(core_->Workers().empty());
}

TEST_F(AttachTest, ASessionDoesNotPassToAnotherWorker) {
  RunJob();
  WorkerHello hello = Hello("v");
  hello.session = SessionId("w-1");
  EXPECT_TRUE(absl::IsAborted(Attach(2, hello).status()));
  EXPECT_EQ(core_->counters().fenced, 1);
  EXPECT_EQ(core_->FindWorker(WorkerId("v")), nullptr);
  // Its stream was not replaced, and its record is found until it is dropped.
  ASSERT_NE(core_->FindWorker(WorkerId("w")), nullptr);
  EXPECT_TRUE(core_->FindWorker(WorkerId("w"))->connected());
  WorkerDead("w-1");
  TickAt(now_ + kLostWorkerKept);
  EXPECT_EQ(core_->FindWorker(WorkerId("w")), nullptr);
}

TEST_F(AttachTest, AnAttemptOfAnotherSessionIsKilled) {
  RunJob();
  EXPECT_EQ(KilledBy(2, Running("v", {Id("j")})), Ids{Id("j")});
  EXPECT_EQ(StateOf("j"), JobState::kRunning);
}

TEST_F(AttachTest, AnEndedJobsAttemptIsKilled) {
  RunJob();
  End(1, EndOf(Id("j")));
  EXPECT_EQ(KilledBy(2, Running("w", {Id("j")})), Ids{Id("j")});
}

TEST_F(AttachTest, AnAssignmentNotListedNeverStartedAndIsNotCharged) {
  JobPolicy once;
  once.retry.maximum_attempts = 1;
  RunJob(once);
  StreamLost(1);
  EXPECT_TRUE(KilledBy(2, Hello("w")).empty());
  EXPECT_EQ(StateOf("j"), JobState::kQueued);
  EXPECT_EQ(Get("j").charged_attempts, 0);
  EXPECT_EQ(Get("j").lost_attempts, 0);
  EXPECT_FALSE(Get("j").current().charged);
  EXPECT_EQ(fx_.save, std::vector<JobId>{JobId("j")});
  Tick();
  EXPECT_EQ(Assigned(), (Ids{Id("j", 2)}));
  // The first number is fenced from now on.
  End(2, EndOf(Id("j", 1)));
  EXPECT_EQ(StateOf("j"), JobState::kRunning);
}

TEST_F(AttachTest, ANewSessionSaysNothingOfTheAttemptsOfTheOld) {
  RunJob();
  WorkerHello hello = Hello("w");
  hello.session = SessionId("w-2");
  ASSERT_TRUE(Attach(2, hello).ok());
  EXPECT_EQ(StateOf("j"), JobState::kRunning);
}

TEST_F(AttachTest, A7_ACancelledJobThatNeverStartedIsCancelled) {
  RunJob();
  Cancel("j");
  StreamLost(1);
  ASSERT_TRUE(Attach(2, Hello("w")).ok());
  EXPECT_EQ(StateOf("j"), JobState::kCancelled);
}

TEST_F(AttachTest, A7_ACancelIsKeptWhileTheWorkerIsAwayAndSentWhenItIsBack) {
  RunJob();
  StreamLost(1);
  Cancel("j");
  EXPECT_EQ(fx_.save, std::vector<JobId>{JobId("j")});
  EXPECT_TRUE(Stopped().empty());
  EXPECT_TRUE(KilledBy(2, Running("w", {Id("j")})).empty());
  EXPECT_EQ(Stopped(), Ids{Id("j")});
  EXPECT_EQ(Of<SendStop>(fx_.after_commit)[0].stream, 2u);
  // And again, if that was lost too.
  EXPECT_TRUE(KilledBy(3, Running("w", {Id("j")})).empty());
  EXPECT_EQ(Stopped(), Ids{Id("j")});
  End(3, EndOf(Id("j"), Reason::kCancelled));
  EXPECT_EQ(StateOf("j"), JobState::kCancelled);
}

TEST_F(AttachTest, AnEndListedAtAttachIsTakenAndAcknowledgedWhenDurable) {
  RunJob();
  StreamLost(1);
  WorkerHello hello = Hello("w");
  hello.ended = {EndOf(Id("j")), EndOf(Id("old", 7))};
  EXPECT_TRUE(KilledBy(2, hello).empty());
  EXPECT_EQ(StateOf("j"), JobState::kSucceeded);
  EXPECT_EQ(Acknowledged(), (Ids{Id("j"), Id("old", 7)}));
  EXPECT_TRUE(Of<SendEndAck>(fx_.at_once).empty());
}

TEST_F(AttachTest, ANewerStreamOfASessionReplacesTheOld) {
  RunJob();
  ASSERT_TRUE(Attach(2, Running("w", {Id("j")})).ok());
  const auto closed = Of<CloseStream>(fx_.at_once);
  ASSERT_EQ(closed.size(), 1u);
  EXPECT_EQ(closed[0].stream, 1u);
  StreamLost(1);  // late word of the old one
  EXPECT_TRUE(core_->FindWorker(WorkerId("w"))->connected());
  Heartbeat(2);
  EXPECT_EQ(Of<SendHeartbeatAck>(fx_.at_once).size(), 1u);
}

TEST_F(AttachTest, AnAttachThatALaterOneOvertookIsRefusedAndEndsNothing) {
  WorkerHello first = Hello("w");
  first.attach_number = 1;
  WorkerHello second = Hello("w");
  second.attach_number = 2;
  ASSERT_TRUE(Attach(2, second).ok());
  JobPolicy once;
  once.retry.maximum_attempts = 1;
  Submit("j", once);
  Tick();
  // It does not name the attempt, which was assigned after it was written.
  EXPECT_EQ(Attach(1, first).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(core_->FindJob(JobId("j"))->state, JobState::kRunning);
  EXPECT_TRUE(core_->FindWorker(WorkerId("w"))->connected());
  EXPECT_EQ(core_->counters().fenced, 1);
}

TEST_F(AttachTest, ALateAttachOfADeadSessionDoesNotHideTheLiveOne) {
  WorkerHello live = Hello("w");
  live.session = SessionId("live");
  WorkerHello dead = Hello("w");
  dead.session = SessionId("dead");
  ASSERT_TRUE(Attach(1, live).ok());
  ASSERT_TRUE(Attach(2, dead).ok());
  StreamLost(2);
  EXPECT_EQ(core_->FindWorker(WorkerId("w"))->hello.session, SessionId("dead"));
  Heartbeat(1);
  EXPECT_EQ(core_->FindWorker(WorkerId("w"))->hello.session, SessionId("live"));
}

// --- fencing

TEST_F(AttachTest, WordsFromAnOldStreamAreCountedAndChangeNothing) {
  RunJob();
  ASSERT_TRUE(Attach(2, Running("w", {Id("j")})).ok());
  Update(1, UpdateOf(Id("j"), Phase::kActive));
  EXPECT_TRUE(fx_.touched.empty());
  End(1, EndOf(Id("j")));
  EXPECT_TRUE(fx_.after_commit.empty());  // the newer stream lists it again
  Heartbeat(1);
  EXPECT_TRUE(fx_.at_once.empty());
  EXPECT_EQ(StateOf("j"), JobState::kRunning);
  EXPECT_EQ(core_->counters().fenced, 3);
}

TEST_F(AttachTest, WordsFromAnotherSessionAreCountedAckedAndChangeNothing) {
  RunJob();
  ASSERT_TRUE(Attach(2, Hello("v")).ok());
  Update(2, UpdateOf(Id("j"), Phase::kActive));
  EXPECT_TRUE(fx_.touched.empty());
  EXPECT_EQ(Get("j").current().phase, Phase::kStarting);
  End(2, EndOf(Id("j")));
  EXPECT_EQ(Acknowledged(), Ids{Id("j")});
  EXPECT_TRUE(fx_.save.empty());
  EXPECT_EQ(StateOf("j"), JobState::kRunning);
  EXPECT_EQ(core_->counters().fenced, 2);
}

TEST_F(AttachTest, WordsOfAnOldAttemptAreCountedAckedAndChangeNothing) {
  RunJob();
  End(1, EndOf(Id("j"), Reason::kResourceExhausted));
  TickAt(now_ + absl::Seconds(1));
  EXPECT_EQ(Assigned(), (Ids{Id("j", 2)}));
  Update(1, UpdateOf(Id("j", 1), Phase::kActive));
  EXPECT_TRUE(fx_.touched.empty());
  EXPECT_EQ(Get("j").current().phase, Phase::kStarting);
  End(1, EndOf(Id("j", 1)));
  EXPECT_EQ(Acknowledged(), Ids{Id("j", 1)});
  EXPECT_TRUE(fx_.save.empty());
  EXPECT_EQ(StateOf("j"), JobState::kRunning);
  EXPECT_EQ(core_->counters().fenced, 2);
}

TEST_F(AttachTest, ARepeatedEndIsAckedAgainAndChangesNothing) {
  RunJob();
  End(1, EndOf(Id("j")));
  const int64_t revision = Get("j").revision;
  End(1, EndOf(Id("j"), Reason::kNonzeroExit));
  EXPECT_EQ(Acknowledged(), Ids{Id("j")});
  EXPECT_EQ(StateOf("j"), JobState::kSucceeded);
  EXPECT_EQ(Get("j").revision, revision);
}

// --- after a restart of the coordinator

TEST_F(AttachTest, ARestoredAttemptIsAdoptedWhenItsSessionListsIt) {
  Restore(Stored(JobState::kRunning, now_));
  EXPECT_EQ(core_->FindWorker(WorkerId("w"))->connected(), false);
  now_ += absl::Seconds(20);
  EXPECT_TRUE(KilledBy(1, Running("w", {Id("j", 3)})).empty());
  EXPECT_EQ(StateOf("j"), JobState::kRunning);
  EXPECT_TRUE(fx_.save.empty());
  EXPECT_TRUE(Of<SendSlots>(fx_.at_once).empty());
  Update(1, UpdateOf(Id("j", 3), Phase::kActive));
  EXPECT_EQ(fx_.touched.size(), 1u);
  End(1, EndOf(Id("j", 3)));
  EXPECT_EQ(StateOf("j"), JobState::kSucceeded);
}

TEST_F(AttachTest, ARestoredAttemptNotListedNeverStarted) {
  Restore(Stored(JobState::kRunning, now_));
  ASSERT_TRUE(Attach(1, Hello("w")).ok());
  EXPECT_EQ(StateOf("j"), JobState::kQueued);
  EXPECT_EQ(Get("j").charged_attempts, 0);
  Tick();
  EXPECT_EQ(Assigned(), (Ids{Id("j", 4)}));
}

TEST_F(AttachTest, ARestoredAttemptWaitsForTheLongerLeaseAndTheMargin) {
  for (const int previous : {10, 300}) {
    CoreOptions options;
    options.previous_lease = absl::Seconds(previous);
    Restart(options);
    Restore(Stored(JobState::kRunning, now_));
    const absl::Time due =
        now_ + absl::Seconds(std::max(previous, 30)) + absl::Seconds(3);
    TickAt(due - kTick);
    EXPECT_EQ(StateOf("j"), JobState::kRunning);
    TickAt(due);
    EXPECT_EQ(StateOf("j"), JobState::kBackoff);
    EXPECT_EQ(Get("j").current().failure->reason, Reason::kWorkerLost);
  }
}

TEST_F(AttachTest, ARestoredAttemptNeedNotWaitWhenItsDeathIsProved) {
  Restore(Stored(JobState::kRunning, now_));
  WorkerDead("w-1");
  EXPECT_EQ(StateOf("j"), JobState::kBackoff);
}

TEST_F(AttachTest, ARestoredCancelIsSentWhenItsAttemptIsAdopted) {
  std::unique_ptr<Job> job = Stored(JobState::kRunning, now_);
  job->cancel_requested = true;
  Restore(std::move(job));
  EXPECT_TRUE(KilledBy(1, Running("w", {Id("j", 3)})).empty());
  EXPECT_EQ(Stopped(), (Ids{Id("j", 3)}));
}

TEST_F(AttachTest, ARestoredQueueKeepsItsOrderAndItsDeadlines) {
  JobPolicy policy;
  policy.schedule_to_close = absl::Seconds(60);
  const absl::Time due = now_ + absl::Seconds(40);
  Restore(Stored(JobState::kQueued, now_ - absl::Seconds(20), policy));
  Submit("later");
  EXPECT_EQ(core_->NextDeadline(), due);
  ASSERT_TRUE(Attach(1, Hello("w")).ok());
  Tick();
  EXPECT_EQ(Assigned(), Ids{Id("j")});
}

TEST_F(AttachTest, ARestoredBackoffGoesOn) {
  std::unique_ptr<Job> job = Stored(JobState::kBackoff, now_);
  job->retry_time = now_ + absl::Seconds(5);
  Restore(std::move(job));
  TickAt(now_ + absl::Seconds(5) - kTick);
  EXPECT_EQ(StateOf("j"), JobState::kBackoff);
  TickAt(now_ + kTick);
  EXPECT_EQ(StateOf("j"), JobState::kQueued);
}

TEST_F(AttachTest, ARestoredJobWithAnOwnerWaitsForItTenSeconds) {
  JobPolicy owned;
  owned.cancel_on_disconnect = true;
  Restore(Stored(JobState::kQueued, now_, owned));
  const absl::Time due = now_ + kOwnerGrace;
  TickAt(due - kTick);
  EXPECT_EQ(StateOf("j"), JobState::kQueued);
  TickAt(due);
  EXPECT_EQ(StateOf("j"), JobState::kCancelled);
}

TEST_F(AttachTest, ASessionOfAnotherHistoryIsFenced) {
  CoreOptions options;
  options.history = "new";
  Restart(options);
  WorkerHello hello = Hello("w");
  hello.history = "old";
  hello.running = {Id("j", 2)};
  EXPECT_EQ(Attach(1, hello).status().code(), absl::StatusCode::kAborted);
  EXPECT_EQ(core_->counters().fenced, 1);
  EXPECT_TRUE(core_->Workers().empty());
  // One that worked for this coordinator, and one that worked for none.
  hello.history = "new";
  hello.running.clear();
  EXPECT_TRUE(Attach(2, hello).ok());
  EXPECT_TRUE(Attach(3, Hello("v")).ok());
}

// What was queued when the backup was made may run on a worker that has not
// attached yet.
TEST_F(AttachTest, ARestoredCoordinatorGivesNothingOutBeforeEveryLeaseIsOver) {
  CoreOptions options;
  const absl::Time due = now_ + absl::Seconds(60);
  options.dispatch_time = due;
  Restart(options);
  Submit("j");
  TickAt(due - kTick);
  ASSERT_TRUE(Attach(1, Hello("w")).ok());
  Tick();
  EXPECT_TRUE(Assigned().empty());
  EXPECT_EQ(core_->NextDeadline(), due);
  TickAt(due);
  EXPECT_EQ(Assigned(), Ids{Id("j")});
  // Nothing is due any more but the lease.
  EXPECT_GT(core_->NextDeadline(), now_);
}

}  // namespace
}  // namespace vigil::coordinator
