// Proves the leases: how long the coordinator waits for a silent worker, what
// becomes of its attempts, that nothing it says later changes anything, and
// that a worker the coordinator can kill is killed first. Clients and workers
// are simulated (see core_fixture.h).
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "coordinator/core/core_fixture.h"
#include "gtest/gtest.h"

namespace vigil::coordinator {
namespace {

// Lease and margin.
constexpr absl::Duration kGivenUp = absl::Seconds(33);

class LeaseTest : public CoreFixture {
 protected:
  LeaseTest() { policy_.retry.jitter = 0; }

  void RunJob(WorkerHello hello) {
    CoreFixture::RunJob(policy_, "j", std::move(hello));
  }
  void RunJob() { RunJob(Hello("w")); }
  static WorkerHello Local(int slots = 1) {
    WorkerHello hello = Hello("w", slots);
    hello.local = true;
    return hello;
  }

  JobPolicy policy_;
};

TEST_F(LeaseTest, ASilentWorkerIsGivenUpAtLeaseAndMarginNotATickBefore) {
  RunJob();
  const absl::Time due = now_ + kGivenUp;
  EXPECT_EQ(core_->NextDeadline(), due);
  TickAt(due - kTick);
  EXPECT_EQ(StateOf("j"), JobState::kRunning);
  TickAt(due);
  EXPECT_EQ(StateOf("j"), JobState::kBackoff);
  EXPECT_EQ(Get("j").current().failure->reason, Reason::kWorkerLost);
  EXPECT_FALSE(Get("j").current().charged);
  EXPECT_EQ(Get("j").charged_attempts, 0);
  EXPECT_EQ(fx_.save, std::vector<JobId>{JobId("j")});
  const auto closed = Of<CloseStream>(fx_.at_once);
  ASSERT_EQ(closed.size(), 1u);
  EXPECT_EQ(closed[0].stream, 1u);
  EXPECT_EQ(closed[0].status.code(), absl::StatusCode::kAborted);
  EXPECT_TRUE(core_->FindWorker(WorkerId("w"))->lost);
}

TEST_F(LeaseTest, AHeartbeatIsAnsweredAtOnceAndRenews) {
  RunJob();
  now_ += absl::Seconds(30);
  Heartbeat(1, 7);
  const auto acks = Of<SendHeartbeatAck>(fx_.at_once);
  ASSERT_EQ(acks.size(), 1u);
  EXPECT_EQ(acks[0].stream, 1u);
  EXPECT_EQ(acks[0].number, 7);
  EXPECT_TRUE(fx_.save.empty());
  const absl::Time due = now_ + kGivenUp;
  TickAt(due - kTick);
  EXPECT_EQ(StateOf("j"), JobState::kRunning);
  TickAt(due);
  EXPECT_EQ(StateOf("j"), JobState::kBackoff);
}

TEST_F(LeaseTest, OnlyHeartbeatsRenew) {
  RunJob();
  const absl::Time due = now_ + kGivenUp;
  now_ += absl::Seconds(30);
  Update(1, UpdateOf(Id("j"), Phase::kActive));
  TickAt(due);
  EXPECT_EQ(StateOf("j"), JobState::kBackoff);
}

TEST_F(LeaseTest, LosingTheStreamEndsNothingBeforeTheLease) {
  RunJob();
  const absl::Time due = now_ + kGivenUp;
  now_ += absl::Seconds(5);
  StreamLost(1);
  EXPECT_TRUE(fx_.save.empty());
  TickAt(due - kTick);
  EXPECT_EQ(StateOf("j"), JobState::kRunning);
  TickAt(due);
  EXPECT_EQ(StateOf("j"), JobState::kBackoff);
}

TEST_F(LeaseTest, TheLengthsAreSettings) {
  CoreOptions options;
  options.lease = absl::Seconds(4);
  options.lease_margin = absl::Seconds(2);
  Restart(options);
  RunJob();
  const absl::Time due = now_ + absl::Seconds(6);
  TickAt(due - kTick);
  EXPECT_EQ(StateOf("j"), JobState::kRunning);
  TickAt(due);
  EXPECT_EQ(StateOf("j"), JobState::kBackoff);
}

TEST_F(LeaseTest, AStallIsGrantedToLeases) {
  RunJob();
  const absl::Time due = now_ + kGivenUp + absl::Seconds(100);
  now_ += absl::Seconds(110);
  Step([&] { core_->GrantStall(absl::Seconds(100)); });
  EXPECT_EQ(core_->NextDeadline(), due);
  TickAt(due - kTick);
  EXPECT_EQ(StateOf("j"), JobState::kRunning);
  TickAt(due);
  EXPECT_EQ(StateOf("j"), JobState::kBackoff);
  // Not to those that were given up.
  Step([&] { core_->GrantStall(absl::Seconds(1)); });
  EXPECT_EQ(core_->NextDeadline(), Get("j").retry_time);
}

TEST_F(LeaseTest, TheNextAttemptHasANewNumber) {
  RunJob();
  TickAt(now_ + kGivenUp);
  TickAt(Get("j").retry_time);
  EXPECT_EQ(StateOf("j"), JobState::kQueued);
  ASSERT_TRUE(Attach(2, Hello("v")).ok());
  Tick();
  EXPECT_EQ(Assigned(), (Ids{Id("j", 2)}));
}

TEST_F(LeaseTest, NothingThatALostWorkerSaysChangesAnything) {
  RunJob();
  TickAt(now_ + kGivenUp);
  const int64_t revision = Get("j").revision;
  const int64_t fenced = core_->counters().fenced;
  Update(1, UpdateOf(Id("j"), Phase::kActive));
  End(1, EndOf(Id("j")));
  Heartbeat(1);
  EXPECT_TRUE(fx_.at_once.empty());
  EXPECT_TRUE(fx_.after_commit.empty());
  EXPECT_EQ(core_->counters().fenced, fenced + 3);
  // Not even after attaching: the session is fenced.
  WorkerHello hello = Hello("w");
  hello.ended = {EndOf(Id("j"))};
  EXPECT_EQ(Attach(2, hello).status().code(), absl::StatusCode::kAborted);
  EXPECT_EQ(core_->counters().fenced, fenced + 4);
  EXPECT_EQ(Get("j").revision, revision);
  EXPECT_EQ(StateOf("j"), JobState::kBackoff);
}

TEST_F(LeaseTest, ANewSessionOfALostWorkerIsWelcome) {
  RunJob();
  TickAt(now_ + kGivenUp);
  TickAt(now_ + absl::Seconds(1));
  WorkerHello hello = Hello("w");
  hello.session = SessionId("w-2");
  ASSERT_TRUE(Attach(2, hello).ok());
  Tick();
  EXPECT_EQ(Assigned(), (Ids{Id("j", 2)}));
  EXPECT_EQ(core_->FindWorker(WorkerId("w"))->hello.session, SessionId("w-2"));
  EXPECT_EQ(core_->Workers().size(), 2u);
}

TEST_F(LeaseTest, ACancelledJobOfALostWorkerIsCancelled) {
  RunJob();
  Cancel("j");
  TickAt(now_ + kGivenUp);
  EXPECT_EQ(StateOf("j"), JobState::kCancelled);
}

TEST_F(LeaseTest, AJobThatMayStartOnceFailsWithItsWorker) {
  policy_.retry.maximum_attempts = 1;
  RunJob();
  TickAt(now_ + kGivenUp);
  EXPECT_EQ(StateOf("j"), JobState::kFailed);
  EXPECT_EQ(ReasonOf("j"), Reason::kWorkerLost);
}

// --- proved deaths

TEST_F(LeaseTest, AProvedDeathDoesNotWaitForTheLease) {
  RunJob();
  now_ += absl::Seconds(1);
  WorkerDead("w-1");
  EXPECT_EQ(StateOf("j"), JobState::kBackoff);
  EXPECT_EQ(core_->counters().attempts_lost, 1);
  WorkerDead("w-1");
  WorkerDead("never heard of");
  EXPECT_EQ(core_->counters().attempts_lost, 1);
}

TEST_F(LeaseTest, ALocalWorkerPastItsLeaseIsKilledAndOnlyThenRequeued) {
  RunJob(Local());
  const absl::Time due = now_ + kGivenUp;
  TickAt(due - kTick);
  EXPECT_TRUE(fx_.at_once.empty());
  TickAt(due);
  const auto kills = Of<KillLocalWorker>(fx_.at_once);
  ASSERT_EQ(kills.size(), 1u);
  EXPECT_EQ(kills[0].session, SessionId("w-1"));
  EXPECT_EQ(StateOf("j"), JobState::kRunning);
  TickAt(due + kLocalDeathMax - kTick);
  EXPECT_TRUE(fx_.at_once.empty());  // killed once
  EXPECT_EQ(StateOf("j"), JobState::kRunning);
  WorkerDead("w-1");
  EXPECT_EQ(StateOf("j"), JobState::kBackoff);
}

TEST_F(LeaseTest, ALocalWorkerWhoseDeathIsNeverProvedIsGivenUpLikeARemoteOne) {
  RunJob(Local());
  const absl::Time due = now_ + kGivenUp + kLocalDeathMax;
  TickAt(due - kLocalDeathMax);
  EXPECT_EQ(core_->NextDeadline(), due);
  Step([&] { core_->GrantStall(absl::Seconds(9)); });
  TickAt(due - kTick);
  EXPECT_EQ(StateOf("j"), JobState::kRunning);
  TickAt(due);
  EXPECT_EQ(StateOf("j"), JobState::kBackoff);
  EXPECT_TRUE(Of<KillLocalWorker>(fx_.at_once).empty());
  WorkerDead("w-1");
  EXPECT_EQ(core_->counters().attempts_lost, 1);
}

TEST_F(LeaseTest, AWorkerThatIsBeingKilledIsNotRenewed) {
  RunJob(Local());
  const absl::Time due = now_ + kGivenUp + kLocalDeathMax;
  TickAt(due - kLocalDeathMax);
  Heartbeat(1);
  EXPECT_TRUE(fx_.at_once.empty());
  EXPECT_EQ(Attach(2, Local()).status().code(), absl::StatusCode::kAborted);
  TickAt(due);
  EXPECT_EQ(StateOf("j"), JobState::kBackoff);
}

TEST_F(LeaseTest, AWorkerThatIsBeingKilledTakesNothing) {
  RunJob(Local(4));
  const absl::Time due = now_ + kGivenUp;
  JobPolicy once;
  once.retry.maximum_attempts = 1;
  Submit("k", once);
  TickAt(due);
  EXPECT_EQ(Of<KillLocalWorker>(fx_.at_once).size(), 1u);
  EXPECT_TRUE(Assigned().empty());
  WorkerDead("w-1");
  EXPECT_EQ(StateOf("k"), JobState::kQueued);
}

// --- how long a lost worker is listed

TEST_F(LeaseTest, ALostWorkerIsListedForAnHour) {
  ASSERT_TRUE(Attach(1, Hello("w")).ok());
  WorkerDead("w-1");
  const absl::Time lost = now_;
  TickAt(lost + kLostWorkerKept - kTick);
  EXPECT_EQ(core_->Workers().size(), 1u);
  TickAt(lost + kLostWorkerKept);
  EXPECT_TRUE(core_->Workers().empty());
  EXPECT_EQ(core_->FindWorker(WorkerId("w")), nullptr);
}

TEST_F(LeaseTest, OnlySoManyLostWorkersAreListed) {
  for (int i = 0; i < kLostWorkersMax + 5; ++i) {
    ASSERT_TRUE(Attach(i + 1, Hello(absl::StrCat("w", i))).ok());
    WorkerDead(absl::StrCat("w", i, "-1"));
  }
  Tick();
  EXPECT_EQ(core_->Workers().size(), static_cast<size_t>(kLostWorkersMax));
}

TEST_F(LeaseTest, B9_AHeartbeatSaysHowItsHostIsAndWhichSlotsAreStuck) {
  ASSERT_TRUE(Attach(7, Hello("h")).ok());
  const WorkerRecord* worker = core_->FindWorker(WorkerId("h"));
  EXPECT_FALSE(worker->host.has_value());
  HostLoad host;
  host.threads = 1001;
  Heartbeat(7, host, {2});
  EXPECT_EQ(worker->host, host);
  EXPECT_EQ(worker->stuck_slots, std::set<int>{2});
  Heartbeat(7, HostLoad(), {});
  EXPECT_EQ(worker->host, HostLoad());
  EXPECT_TRUE(worker->stuck_slots.empty());
}

}  // namespace
}  // namespace vigil::coordinator
