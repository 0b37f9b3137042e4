// Proves what becomes of a worker's earlier sessions when a successor says that
// they are dead: nothing waits for their lease, nothing they say counts any
// more; and that the word of one who may be dead himself is not taken. Clients
// and workers are simulated (see core_fixture.h).
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "coordinator/core/core_fixture.h"
#include "gtest/gtest.h"

namespace vigil::coordinator {
namespace {

constexpr absl::Duration kGivenUp = absl::Seconds(33);

class SuccessorTest : public CoreFixture {
 protected:
  SuccessorTest() { policy_.retry.jitter = 0; }

  static WorkerHello Session(const std::string& session, bool proves = true) {
    WorkerHello hello = Hello("w");
    hello.session = SessionId(session);
    hello.predecessors_dead = proves;
    return hello;
  }
  // The first session runs job "j".
  void RunJob() {
    Submit("j", policy_);
    ASSERT_TRUE(Attach(1, Session("first", false)).ok());
    Heartbeat(1);
    Tick();
    ASSERT_EQ(Assigned(), Ids{Id("j")});
  }
  const WorkerRecord* Find(const std::string& session) {
    for (const WorkerRecord* worker : core_->Workers()) {
      if (worker->hello.session == SessionId(session)) return worker;
    }
    return nullptr;
  }

  JobPolicy policy_;
};

TEST_F(SuccessorTest, WhatRanIsLostWithProofAndTriedAgainAtOnce) {
  RunJob();
  StreamLost(1);
  now_ += absl::Seconds(1);
  ASSERT_TRUE(Attach(2, Session("second")).ok());
  Heartbeat(2);
  EXPECT_EQ(StateOf("j"), JobState::kBackoff);
  EXPECT_EQ(Get("j").current().failure->reason, Reason::kWorkerLost);
  EXPECT_FALSE(Get("j").current().charged);
  EXPECT_EQ(Get("j").charged_attempts, 0);
  EXPECT_EQ(fx_.save, std::vector<JobId>{JobId("j")});
  EXPECT_EQ(core_->counters().attempts_lost, 1);
  EXPECT_TRUE(Find("first")->lost);
  TickAt(Get("j").retry_time);
  EXPECT_EQ(Assigned(), (Ids{Id("j", 2)}));
  EXPECT_LT(now_, absl::FromUnixSeconds(1'000'000) + absl::Seconds(3));
}

TEST_F(SuccessorTest, WithoutProofTheLeaseIsWaitedFor) {
  RunJob();
  StreamLost(1);
  const absl::Time due = now_ + kGivenUp;
  ASSERT_TRUE(Attach(2, Session("second", false)).ok());
  Heartbeat(2);
  TickAt(due - kTick);
  EXPECT_EQ(StateOf("j"), JobState::kRunning);
  TickAt(due);
  EXPECT_EQ(StateOf("j"), JobState::kBackoff);
}

TEST_F(SuccessorTest, TheFirstHeartbeatAndNotTheAttachIsTheProof) {
  RunJob();
  StreamLost(1);
  ASSERT_TRUE(Attach(2, Session("second")).ok());
  Update(2, UpdateOf(Id("j"), Phase::kActive));
  EXPECT_EQ(StateOf("j"), JobState::kRunning);
  Heartbeat(2);
  EXPECT_EQ(StateOf("j"), JobState::kBackoff);
  // Once; a later heartbeat finds nothing to do.
  Heartbeat(2, 2);
  EXPECT_TRUE(fx_.save.empty());
}

TEST_F(SuccessorTest, AStreamThatStillSeemsOpenIsClosedAndRefused) {
  RunJob();
  ASSERT_TRUE(Attach(2, Session("second")).ok());
  Heartbeat(2);
  const auto closed = Of<CloseStream>(fx_.at_once);
  ASSERT_EQ(closed.size(), 1u);
  EXPECT_EQ(closed[0].stream, 1u);
  EXPECT_EQ(closed[0].status.code(), absl::StatusCode::kAborted);
  const int64_t revision = Get("j").revision;
  End(1, EndOf(Id("j")));
  WorkerHello first = Session("first", false);
  first.running = {Id("j")};
  EXPECT_EQ(Attach(3, first).status().code(), absl::StatusCode::kAborted);
  EXPECT_EQ(Get("j").revision, revision);
  EXPECT_FALSE(Find("second")->lost);
}

TEST_F(SuccessorTest, AnOlderSessionThatProvedItsOwnPredecessorsStaysFenced) {
  RunJob();
  StreamLost(1);
  ASSERT_TRUE(Attach(2, Session("second")).ok());
  Heartbeat(2);
  ASSERT_TRUE(Attach(3, Session("third")).ok());
  Heartbeat(3);
  EXPECT_EQ(Attach(4, Session("second")).status().code(),
            absl::StatusCode::kAborted);
  EXPECT_FALSE(Find("third")->lost);
}

TEST_F(SuccessorTest, AnAttachReadAfterItsSendersDeathProvesNothing) {
  // "dead" attached to a coordinator that did not read it before its successor
  // attached, too; nobody here has heard of it.
  RunJob();
  WorkerHello dead = Session("dead");
  ASSERT_TRUE(Attach(2, dead).ok());
  StreamLost(2);
  EXPECT_FALSE(Find("first")->lost);
  EXPECT_EQ(StateOf("j"), JobState::kRunning);
  Heartbeat(1, 2);
  TickAt(now_ + kGivenUp - kTick);
  EXPECT_EQ(StateOf("j"), JobState::kRunning);
}

TEST_F(SuccessorTest, SessionsThatCameAfterTheAttachAreNotAmongTheDead) {
  // Its heartbeat is read after it has died and been succeeded.
  ASSERT_TRUE(Attach(1, Session("first")).ok());
  ASSERT_TRUE(Attach(2, Session("second")).ok());
  Heartbeat(1);
  EXPECT_FALSE(Find("second")->lost);
  Heartbeat(2);
  EXPECT_TRUE(Find("first")->lost);
  EXPECT_FALSE(Find("second")->lost);
}

TEST_F(SuccessorTest, ItsOwnReconnectIsNotItsPredecessor) {
  Submit("j", policy_);
  ASSERT_TRUE(Attach(1, Session("first")).ok());
  Heartbeat(1);
  Tick();
  StreamLost(1);
  WorkerHello again = Session("first");
  again.attach_number = 2;
  again.running = {Id("j")};
  ASSERT_TRUE(Attach(2, again).ok());
  Heartbeat(2);
  EXPECT_EQ(StateOf("j"), JobState::kRunning);
  EXPECT_FALSE(Find("first")->lost);
}

TEST_F(SuccessorTest, OtherWorkersAreNotConcerned) {
  RunJob();
  WorkerHello other = Hello("v");
  other.predecessors_dead = true;
  ASSERT_TRUE(Attach(2, other).ok());
  Heartbeat(2);
  EXPECT_EQ(StateOf("j"), JobState::kRunning);
}

TEST_F(SuccessorTest, ASessionKnownFromTheStoreAloneIsDeadToo) {
  auto job = std::make_unique<Job>();
  job->id = JobId("j");
  job->state = JobState::kRunning;
  job->revision = 5;
  job->create_time = job->queue_time = now_;
  job->policy = std::make_shared<const JobPolicy>(policy_);
  AttemptRecord attempt;
  attempt.number = job->last_attempt = 3;
  attempt.worker = WorkerId("w");
  attempt.session = SessionId("first");
  job->attempts.push_back(attempt);
  job->charged_attempts = 1;
  Step([&] { core_->Restore(std::move(job), now_); });
  ASSERT_TRUE(Attach(1, Session("second")).ok());
  Heartbeat(1);
  EXPECT_EQ(StateOf("j"), JobState::kBackoff);
  EXPECT_EQ(Get("j").current().failure->reason, Reason::kWorkerLost);
}

TEST_F(SuccessorTest, AJobThatWasToBeCancelledIsCancelled) {
  RunJob();
  Cancel("j");
  StreamLost(1);
  ASSERT_TRUE(Attach(2, Session("second")).ok());
  Heartbeat(2);
  EXPECT_EQ(StateOf("j"), JobState::kCancelled);
}

}  // namespace
}  // namespace vigil::coordinator
