// Proves how workers, and the coordinator itself, leave: what drains gets no
// more work, nothing waits for a lease where somebody has left, and what was
// stopped for it runs again elsewhere and is not charged. Clients and workers
// are simulated (see core_fixture.h).
#include <optional>

#include "absl/status/status.h"
#include "coordinator/core/core_fixture.h"
#include "gtest/gtest.h"

namespace vigil::coordinator {
namespace {

class DrainTest : public CoreFixture {
 protected:
  DrainTest() { policy_.retry.jitter = 0; }

  void ExpectFailed(Reason reason) {
    EXPECT_EQ(StateOf("j"), JobState::kFailed);
    EXPECT_EQ(ReasonOf("j"), reason);
  }

  JobPolicy policy_;
};

TEST_F(DrainTest, AWorkerThatDrainsTakesNothingAndLeavesWithoutALoss) {
  RunJob({}, "a", Hello("w", 2));
  Step([&] { core_->SetDraining(1); });
  Submit("b");
  Tick();
  EXPECT_TRUE(Assigned().empty());
  EXPECT_EQ(core_->WaitingReasonOf(Get("b")),
            WaitingReason::kNoWorkerForTaskType);
  End(1, EndOf(Id("a")));
  Step([&] { core_->Left(1, now_, &fx_); });
  const auto closed = Of<CloseStream>(fx_.at_once);
  ASSERT_EQ(closed.size(), 1u);
  EXPECT_TRUE(closed[0].status.ok());
  EXPECT_TRUE(core_->FindWorker(WorkerId("w"))->left);
  EXPECT_EQ(core_->counters().attempts_lost, 0);
  // Its lease is over with it.
  EXPECT_EQ(core_->NextDeadline(), absl::InfiniteFuture());
}

TEST_F(DrainTest, WhatWasOnItsWayToAWorkerThatLeftIsTakenBack) {
  RunJob();
  Step([&] { core_->Left(1, now_, &fx_); });
  EXPECT_EQ(StateOf("j"), JobState::kQueued);
  EXPECT_EQ(Get("j").charged_attempts, 0);
  EXPECT_EQ(Get("j").lost_attempts, 0);
  // The dead session's word counts no more.
  End(1, EndOf(Id("j")));
  EXPECT_EQ(StateOf("j"), JobState::kQueued);
  EXPECT_EQ(core_->counters().fenced, 1);
}

TEST_F(DrainTest, AWorkerIsToldToDrainOnEachStreamUntilItDoes) {
  ASSERT_TRUE(Attach(1, Hello("w")).ok());
  const auto told = [&] { return Of<SendDrain>(fx_.at_once); };
  Step([&] {
    EXPECT_TRUE(core_->Drain(WorkerId("w"), absl::Seconds(7), &fx_).ok());
  });
  ASSERT_EQ(told().size(), 1u);
  EXPECT_EQ(told()[0].grace, absl::Seconds(7));
  Submit("j");
  Tick();
  EXPECT_TRUE(Assigned().empty());
  StreamLost(1);
  ASSERT_TRUE(Attach(2, Hello("w")).ok());
  ASSERT_EQ(told().size(), 1u);
  EXPECT_EQ(told()[0].stream, 2u);
  EXPECT_EQ(told()[0].grace, absl::Seconds(7));
  WorkerHello draining = Hello("w");
  draining.draining = true;
  ASSERT_TRUE(Attach(3, draining).ok());
  EXPECT_TRUE(told().empty());
}

TEST_F(DrainTest, OnlyAWorkerThatIsThereAndNotOurOwnCanBeDrained) {
  const auto drain = [&] {
    absl::Status status;
    Step([&] {
      status = core_->Drain(WorkerId("w"), std::nullopt, &fx_).status();
    });
    return status.code();
  };
  EXPECT_EQ(drain(), absl::StatusCode::kNotFound);
  ASSERT_TRUE(Attach(1, Hello("w")).ok());
  StreamLost(1);
  EXPECT_EQ(drain(), absl::StatusCode::kFailedPrecondition);
  WorkerHello local = Hello("w");
  local.local = true;
  ASSERT_TRUE(Attach(2, local).ok());
  EXPECT_EQ(drain(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(core_->FindWorker(WorkerId("w"))->takes_work());
}

TEST_F(DrainTest, NothingIsAssignedOnceDispatchHasStopped) {
  ASSERT_TRUE(Attach(1, Hello("w")).ok());
  Submit("j");
  core_->StopDispatch();
  Tick();
  EXPECT_TRUE(Assigned().empty());
  EXPECT_EQ(StateOf("j"), JobState::kQueued);
}

TEST_F(DrainTest, AnAttemptThatWasDrainedIsTriedAgainAndNotCharged) {
  policy_.retry.maximum_attempts = 2;
  policy_.retry.maximum_interval = absl::Milliseconds(100);
  RunJob(policy_);
  for (int attempt = 1; attempt <= kWorkerLostMax; ++attempt) {
    End(1, EndOf(Id("j", attempt), Reason::kDrained));
    ASSERT_EQ(StateOf("j"), JobState::kBackoff);
    EXPECT_FALSE(Get("j").current().charged);
    EXPECT_EQ(Get("j").charged_attempts, 0);
    EXPECT_EQ(Get("j").lost_attempts, attempt);
    TickAt(Get("j").retry_time);
    ASSERT_EQ(Assigned(), (Ids{Id("j", attempt + 1)}));
  }
  End(1, EndOf(Id("j", kWorkerLostMax + 1), Reason::kDrained));
  ExpectFailed(Reason::kDrained);
  EXPECT_EQ(core_->counters().attempts_lost, 0);
}

TEST_F(DrainTest, AnAttemptThatWasDrainedIsNotTriedAgainWhereThatIsRuledOut) {
  policy_.retry.maximum_attempts = 1;
  RunJob(policy_);
  End(1, EndOf(Id("j"), Reason::kDrained));
  ExpectFailed(Reason::kDrained);

  Restart({});
  policy_.retry.maximum_attempts = 4;
  policy_.retry.non_retryable_reasons = {Reason::kDrained};
  RunJob(policy_);
  End(1, EndOf(Id("j"), Reason::kDrained));
  ExpectFailed(Reason::kDrained);
}

TEST_F(DrainTest, AnAttemptDrainedBeforeItBeganCostsNothingEvenWhenOneIsAll) {
  policy_.retry.maximum_attempts = 1;
  RunJob(policy_);
  AttemptEnd end = EndOf(Id("j"), Reason::kDrained);
  end.never_started = true;
  End(1, std::move(end));
  EXPECT_EQ(Get("j").state, JobState::kBackoff);
  EXPECT_FALSE(Get("j").current().charged);
  EXPECT_EQ(Get("j").charged_attempts, 0);
  EXPECT_EQ(Get("j").lost_attempts, 0);
  TickAt(now_ + absl::Seconds(1));
  EXPECT_EQ(Get("j").last_attempt, 2);
}

TEST_F(DrainTest, AnAttemptDrainedUnconfirmedIsNotTriedAgain) {
  RunJob(policy_);
  AttemptEnd end = EndOf(Id("j"), Reason::kDrained);
  end.never_started = true;
  end.evidence.emplace();
  end.evidence->death_unconfirmed = true;
  End(1, std::move(end));
  ExpectFailed(Reason::kDrained);
}

}  // namespace
}  // namespace vigil::coordinator
