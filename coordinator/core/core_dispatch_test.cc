// Proves which job goes to which worker, and what a job that waits is said to
// wait for. Clients and workers are simulated (see core_fixture.h).
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "coordinator/core/core_fixture.h"
#include "gtest/gtest.h"

namespace vigil::coordinator {
namespace {

class DispatchTest : public CoreFixture {
 protected:
  WaitingReason Waiting(const std::string& id) const {
    return core_->WaitingReasonOf(Get(id));
  }
  // Streams that were given work, with how much.
  std::map<StreamId, int> Spread() const {
    std::map<StreamId, int> spread;
    for (const auto& sent : Of<SendAssignment>(fx_.after_commit)) {
      ++spread[sent.stream];
    }
    return spread;
  }
};

TEST_F(DispatchTest, AnAssignmentIsSavedAndSentOnlyAfterItsCommit) {
  Submit("j");
  ASSERT_TRUE(Attach(1, Hello("w")).ok());
  EXPECT_TRUE(fx_.after_commit.empty());
  Tick();
  EXPECT_EQ(fx_.save, std::vector<JobId>{JobId("j")});
  EXPECT_TRUE(Of<SendAssignment>(fx_.at_once).empty());
  const auto sent = Of<SendAssignment>(fx_.after_commit);
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].stream, 1u);
  EXPECT_EQ(sent[0].attempt, Id("j"));
  const Job& job = Get("j");
  EXPECT_EQ(job.state, JobState::kRunning);
  ASSERT_EQ(job.attempts.size(), 1u);
  EXPECT_EQ(job.current().number, 1);
  EXPECT_EQ(job.current().worker, WorkerId("w"));
  EXPECT_EQ(job.current().session, SessionId("w-1"));
  EXPECT_EQ(job.current().assign_time, now_);
  EXPECT_EQ(core_->running_by_type().at(""), 1);
}

TEST_F(DispatchTest, HigherPrioritiesFirstThenInOrderOfSubmission) {
  Submit(Typed("low", "", -1));
  Submit(Typed("first", ""));
  Submit(Typed("high", "", 9));
  Submit(Typed("second", ""));
  ASSERT_TRUE(Attach(1, Hello("w", 3)).ok());
  Tick();
  EXPECT_EQ(Assigned(), (Ids{Id("high"), Id("first"), Id("second")}));
  EXPECT_EQ(StateOf("low"), JobState::kQueued);
}

TEST_F(DispatchTest, PriorityAndOrderHoldAcrossTaskTypes) {
  WorkerHello hello = Hello("w", 4);
  hello.task_types = {"a", "b"};
  Submit(Typed("1", "b"));
  Submit(Typed("2", "a"));
  Submit(Typed("3", ""));
  Submit(Typed("4", "b", 1));
  ASSERT_TRUE(Attach(1, hello).ok());
  Tick();
  EXPECT_EQ(Assigned(), (Ids{Id("4"), Id("1"), Id("2"), Id("3")}));
}

TEST_F(DispatchTest, ARetriedJobKeepsItsPlace) {
  ASSERT_TRUE(Attach(1, Hello("w")).ok());
  Submit("old");
  Tick();
  Submit("new");
  End(1, EndOf(Id("old"), Reason::kResourceExhausted));
  Step([&] { core_->Pause(WorkerId("w")); });
  TickAt(now_ + absl::Seconds(1));
  Step([&] { core_->Resume(WorkerId("w")); });
  Tick();
  EXPECT_EQ(Assigned(), (Ids{Id("old", 2)}));
}

TEST_F(DispatchTest, WorkersTakeTurnsThoseWithMostFreeSlotsFirst) {
  ASSERT_TRUE(Attach(1, Hello("a", 2)).ok());
  ASSERT_TRUE(Attach(2, Hello("b", 4)).ok());
  Submit("0");
  Tick();
  EXPECT_EQ(Spread(), (std::map<StreamId, int>{{2, 1}}));
  for (int i = 1; i < 4; ++i) Submit(absl::StrCat(i));
  Tick();
  EXPECT_EQ(Spread(), (std::map<StreamId, int>{{1, 1}, {2, 2}}));
  for (int i = 4; i < 10; ++i) Submit(absl::StrCat(i));
  Tick();
  EXPECT_EQ(Spread(), (std::map<StreamId, int>{{1, 1}, {2, 1}}));
  EXPECT_EQ(core_->live_in(JobState::kQueued), 4);
}

TEST_F(DispatchTest, OneJobToEachOfEqualWorkers) {
  for (StreamId stream = 1; stream <= 3; ++stream) {
    ASSERT_TRUE(Attach(stream, Hello(absl::StrCat("w", stream), 2)).ok());
  }
  for (int i = 0; i < 3; ++i) Submit(absl::StrCat(i));
  Tick();
  EXPECT_EQ(Spread(), (std::map<StreamId, int>{{1, 1}, {2, 1}, {3, 1}}));
}

TEST_F(DispatchTest, CommandsGoOnlyToWorkersThatAllowThem) {
  WorkerHello hello = Hello("w", 2);
  hello.allow_commands = false;
  hello.task_types = {"t"};
  Submit("command");
  Submit(Typed("typed", "t"));
  ASSERT_TRUE(Attach(1, hello).ok());
  Tick();
  EXPECT_EQ(Assigned(), Ids{Id("typed")});
  EXPECT_EQ(Waiting("command"), WaitingReason::kNoWorkerForTaskType);
}

TEST_F(DispatchTest, TypesGoOnlyToWorkersThatOfferThem) {
  WorkerHello hello = Hello("w", 2);
  hello.task_types = {"t"};
  Submit(Typed("other", "other"));
  Submit(Typed("mine", "t"));
  ASSERT_TRUE(Attach(1, hello).ok());
  Tick();
  EXPECT_EQ(Assigned(), Ids{Id("mine")});
}

TEST_F(DispatchTest, APausedWorkerTakesNothingUntilItIsResumed) {
  ASSERT_TRUE(Attach(1, Hello("w", 2)).ok());
  Submit("running");
  Tick();
  Step([&] { EXPECT_NE(core_->Pause(WorkerId("w")), nullptr); });
  Submit("j");
  Tick();
  EXPECT_TRUE(Assigned().empty());
  EXPECT_EQ(StateOf("running"), JobState::kRunning);
  EXPECT_EQ(Waiting("j"), WaitingReason::kNoWorkerForTaskType);
  StreamLost(1);
  ASSERT_TRUE([&] {
    WorkerHello hello = Hello("w", 2);
    hello.running = {Id("running")};
    return Attach(2, hello).ok();
  }());
  Tick();
  EXPECT_TRUE(Assigned().empty());  // also after it re-attached
  Step([&] { EXPECT_NE(core_->Resume(WorkerId("w")), nullptr); });
  Tick();
  EXPECT_EQ(Assigned(), Ids{Id("j")});
}

TEST_F(DispatchTest, PauseOfAnUnknownWorkerIsNull) {
  EXPECT_EQ(core_->Pause(WorkerId("w")), nullptr);
}

TEST_F(DispatchTest, AWorkerWithoutStreamTakesNothing) {
  ASSERT_TRUE(Attach(1, Hello("w")).ok());
  StreamLost(1);
  Submit("j");
  Tick();
  EXPECT_TRUE(Assigned().empty());
  EXPECT_EQ(Waiting("j"), WaitingReason::kNoWorkerForTaskType);
}

TEST_F(DispatchTest, AJobSaysWhatItWaitsFor) {
  Submit("j");
  EXPECT_EQ(Waiting("j"), WaitingReason::kNoWorkerForTaskType);
  ASSERT_TRUE(Attach(1, Hello("w")).ok());
  Tick();
  EXPECT_EQ(Waiting("j"), WaitingReason::kUnspecified);
  Submit("k");
  Tick();
  EXPECT_EQ(Waiting("k"), WaitingReason::kSlotsBusy);
  End(1, EndOf(Id("j"), Reason::kResourceExhausted));
  EXPECT_EQ(Waiting("j"), WaitingReason::kBackoff);
  Cancel("j");
  EXPECT_EQ(Waiting("j"), WaitingReason::kUnspecified);
}

// --- how many slots

TEST_F(DispatchTest, A10_SetSlotsIsSentAndDecidesHowMuchIsGiven) {
  ASSERT_TRUE(Attach(1, Hello("w", 1)).ok());
  for (int i = 0; i < 5; ++i) Submit(absl::StrCat(i));
  Tick();
  EXPECT_EQ(Assigned().size(), 1u);
  Step([&] {
    const auto worker = core_->SetSlots(WorkerId("w"), 3, &fx_);
    ASSERT_TRUE(worker.ok());
    EXPECT_EQ((*worker)->slots_max, 3);
  });
  const auto sent = Of<SendSlots>(fx_.at_once);
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].stream, 1u);
  EXPECT_EQ(sent[0].slots, 3);
  Tick();
  EXPECT_EQ(Assigned().size(), 2u);
  Step([&] { ASSERT_TRUE(core_->SetSlots(WorkerId("w"), 0, &fx_).ok()); });
  End(1, EndOf(Id("0")));
  Tick();
  EXPECT_TRUE(Assigned().empty());
}

TEST_F(DispatchTest, A10_AWorkerThatReattachesIsToldItsSlotsAgain) {
  ASSERT_TRUE(Attach(1, Hello("w", 1)).ok());
  EXPECT_TRUE(Of<SendSlots>(fx_.at_once).empty());
  Step([&] { ASSERT_TRUE(core_->SetSlots(WorkerId("w"), 3, &fx_).ok()); });
  ASSERT_TRUE(Attach(2, Hello("w", 1)).ok());
  const auto sent = Of<SendSlots>(fx_.at_once);
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].stream, 2u);
  EXPECT_EQ(sent[0].slots, 3);
  ASSERT_TRUE(Attach(3, Hello("w", 3)).ok());
  EXPECT_TRUE(Of<SendSlots>(fx_.at_once).empty());
}

TEST_F(DispatchTest, SetSlotsNeedsAConnectedWorker) {
  const auto code = [&] {
    return core_->SetSlots(WorkerId("w"), 1, &fx_).status().code();
  };
  EXPECT_EQ(code(), absl::StatusCode::kNotFound);
  ASSERT_TRUE(Attach(1, Hello("w")).ok());
  StreamLost(1);
  EXPECT_EQ(code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(fx_.at_once.empty());
}

}  // namespace
}  // namespace vigil::coordinator
