// Proves how much work a worker is given where one warm process may be handed
// several jobs: slots, the slots of a type, and who comes first when they are
// taken. Clients and workers are simulated (see core_fixture.h).
#include <map>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "coordinator/core/core_fixture.h"
#include "gtest/gtest.h"

namespace vigil::coordinator {
namespace {

class CapacityTest : public CoreFixture {
 protected:
  void AttachWith(StreamId stream, const std::string& worker, int slots,
                  std::map<std::string, int> max_slots = {}) {
    WorkerHello hello = Hello(worker, slots);
    hello.task_types = {"t", "u"};
    hello.max_slots = std::move(max_slots);
    ASSERT_TRUE(Attach(stream, std::move(hello)).ok());
  }
  void SubmitMany(int count, const std::string& type) {
    for (int i = 0; i < count; ++i) {
      Submit(Typed(absl::StrCat(type, ++submitted_), type));
    }
  }
  // What the next turn gives to whom.
  std::map<StreamId, int> Spread() {
    Tick();
    std::map<StreamId, int> spread;
    for (const auto& sent : Of<SendAssignment>(fx_.after_commit)) {
      ++spread[sent.stream];
    }
    return spread;
  }
  int Given() {
    int given = 0;
    for (const auto& [stream, count] : Spread()) given += count;
    return given;
  }

  int submitted_ = 0;
};

TEST_F(CapacityTest, AProcessThatTakesSeveralJobsIsGivenThatMany) {
  AttachWith(1, "w", 2);
  SubmitMany(20, "t");
  EXPECT_EQ(Given(), 2);
  SetInFlight(1, "t", 3);
  EXPECT_EQ(Given(), 4);
  EXPECT_EQ(Given(), 0);
  EXPECT_EQ(core_->WaitingReasonOf(Get("t7")), WaitingReason::kSlotsBusy);
  End(1, EndOf(Id("t1")));
  EXPECT_EQ(Given(), 1);
}

TEST_F(CapacityTest, WhatAWorkerSaysIsBounded) {
  AttachWith(1, "w", 1);
  SubmitMany(100, "t");
  SetInFlight(1, "t", -3);
  EXPECT_EQ(Given(), 1);
  SetInFlight(1, "t", 1'000'000);
  EXPECT_EQ(Given(), kInFlightMax - 1);
}

TEST_F(CapacityTest, CommandsAndOtherTypesShareNoSlotWithIt) {
  AttachWith(1, "w", 2);
  SetInFlight(1, "t", 4);
  SubmitMany(3, "t");
  EXPECT_EQ(Given(), 3);
  SubmitMany(2, "u");
  EXPECT_EQ(Given(), 1);
  Submit("command");
  EXPECT_EQ(Given(), 0);
}

TEST_F(CapacityTest, ATypeHasNoMoreSlotsThanItMayAndOthersTakeTheRest) {
  AttachWith(1, "w", 4, {{"t", 1}});
  SetInFlight(1, "t", 2);
  SubmitMany(5, "t");
  SubmitMany(1, "u");
  Tick();
  EXPECT_EQ(Assigned(), (Ids{Id("t1"), Id("t2"), Id("u6")}));
  End(1, EndOf(Id("t1")));
  Tick();
  EXPECT_EQ(Assigned(), Ids{Id("t3")});
}

TEST_F(CapacityTest, AJobThatNeedsNoSlotDoesNotOvertakeOneThatWaitsForASlot) {
  AttachWith(1, "w", 1);
  SetInFlight(1, "t", 2);
  SubmitMany(2, "t");
  EXPECT_EQ(Given(), 2);
  SubmitMany(1, "u");
  SubmitMany(2, "t");
  End(1, EndOf(Id("t1")));
  EXPECT_EQ(Given(), 0);
  End(1, EndOf(Id("t2")));
  Tick();
  EXPECT_EQ(Assigned(), Ids{Id("u3")});
}

TEST_F(CapacityTest, AJobThatNeedsNoSlotIsGivenWhenItIsTheFirstInLine) {
  AttachWith(1, "w", 1);
  SetInFlight(1, "t", 2);
  SubmitMany(1, "t");
  EXPECT_EQ(Given(), 1);
  SubmitMany(1, "t");
  SubmitMany(1, "u");
  Tick();
  EXPECT_EQ(Assigned(), Ids{Id("t2")});
}

TEST_F(CapacityTest, FreeSlotsAreFilledBeforePlacesBehindRunningJobs) {
  AttachWith(1, "a", 1);
  AttachWith(2, "b", 3);
  for (const StreamId stream : {1, 2}) SetInFlight(stream, "t", 4);
  Step([&] { core_->Pause(WorkerId("b")); });
  SubmitMany(1, "t");
  EXPECT_EQ(Spread(), (std::map<StreamId, int>{{1, 1}}));
  Step([&] { core_->Resume(WorkerId("b")); });
  SubmitMany(2, "t");
  EXPECT_EQ(Spread(), (std::map<StreamId, int>{{2, 2}}));
}

TEST_F(CapacityTest, JobsThatNeedNoSlotStillSpread) {
  AttachWith(1, "a", 4);
  AttachWith(2, "b", 4);
  for (const StreamId stream : {1, 2}) SetInFlight(stream, "t", 4);
  std::map<StreamId, int> given;
  for (int i = 0; i < 6; ++i) {
    SubmitMany(1, "t");
    for (const auto& [stream, count] : Spread()) given[stream] += count;
  }
  EXPECT_EQ(given, (std::map<StreamId, int>{{1, 3}, {2, 3}}));
}

TEST_F(CapacityTest, FewerSlotsGiveNoPlaceBehindRunningJobsEither) {
  AttachWith(1, "w", 2);
  SetInFlight(1, "t", 2);
  SubmitMany(3, "t");
  EXPECT_EQ(Given(), 3);
  Step([&] { ASSERT_TRUE(core_->SetSlots(WorkerId("w"), 1, &fx_).ok()); });
  SubmitMany(2, "t");
  EXPECT_EQ(Given(), 0);
  End(1, EndOf(Id("t1")));
  EXPECT_EQ(Given(), 0);
  End(1, EndOf(Id("t2")));
  EXPECT_EQ(Given(), 1);
}

TEST_F(CapacityTest, WhatWasSaidOfTypesIsForgottenWhenTheWorkerAttachesAgain) {
  AttachWith(1, "w", 1);
  SetInFlight(1, "t", 4);
  SubmitMany(3, "t");
  EXPECT_EQ(Given(), 3);
  WorkerHello hello = Hello("w", 1);
  hello.task_types = {"t"};
  hello.running = {Id("t1"), Id("t2"), Id("t3")};
  ASSERT_TRUE(Attach(2, std::move(hello)).ok());
  EXPECT_TRUE(core_->FindWorker(WorkerId("w"))->statuses.empty());
  SubmitMany(1, "t");
  EXPECT_EQ(Given(), 0);  // three slots' worth on one slot, as far as is known
  SetInFlight(2, "t", 4);
  EXPECT_EQ(Given(), 1);
}

TEST_F(CapacityTest, AnAttemptThatNeverArrivedOrWasLostFreesItsPlace) {
  AttachWith(1, "w", 1);
  SetInFlight(1, "t", 2);
  SubmitMany(2, "t");
  EXPECT_EQ(Given(), 2);
  WorkerHello hello = Hello("w", 1);
  hello.task_types = {"t"};
  hello.running = {Id("t1")};
  ASSERT_TRUE(Attach(2, std::move(hello)).ok());
  SetInFlight(2, "t", 2);
  Tick();
  EXPECT_EQ(Assigned(), (Ids{Id("t2", 2)}));
  WorkerDead("w-1");
  EXPECT_EQ(core_->FindWorker(WorkerId("w"))->load.slots(), 0);
}

// --- announcements

TEST_F(CapacityTest, AnAnnouncementTakesThePlaceOfAllThatWasOffered) {
  AttachWith(1, "w", 4, {{"t", 1}});
  SetInFlight(1, "t", 2);
  Submit(Typed("v1", "v"));
  SubmitMany(5, "t");
  EXPECT_EQ(Given(), 2);
  Announce(1, {"t", "v"});
  // No bound for t any more; and what it can be handed is as it was.
  EXPECT_EQ(Given(), 4);
  EXPECT_EQ(StateOf("v1"), JobState::kRunning);
  Announce(1, {"v"});
  SubmitMany(1, "t");
  EXPECT_EQ(Given(), 0);
  EXPECT_EQ(core_->WaitingReasonOf(Get("t6")),
            WaitingReason::kNoWorkerForTaskType);
  EXPECT_TRUE(core_->FindWorker(WorkerId("w"))->statuses.empty());
}

TEST_F(CapacityTest, AnnouncementsAndStatusesOfADeadStreamAreFenced) {
  AttachWith(1, "w", 1);
  StreamLost(1);
  const int64_t fenced = core_->counters().fenced;
  Announce(1, {});
  SetInFlight(1, "t", 2);
  EXPECT_EQ(core_->counters().fenced, fenced + 2);
  EXPECT_TRUE(core_->FindWorker(WorkerId("w"))->Offers("t"));
}

TEST_F(CapacityTest, StatusesOfTypesThatAreNotOfferedAreNotKept) {
  AttachWith(1, "w", 1);
  SetInFlight(1, "other", 2);
  EXPECT_TRUE(core_->FindWorker(WorkerId("w"))->statuses.empty());
}

TEST_F(CapacityTest, AWorkerIsGivenAttemptsBeyondItsSlots) {
  AttachWith(1, "w", 2);
  SubmitMany(20, "t");
  EXPECT_EQ(Given(), 2);
  SetAhead(1, 3);
  EXPECT_EQ(Given(), 3);
  EXPECT_EQ(Given(), 0);
  EXPECT_EQ(core_->WaitingReasonOf(Get("t6")), WaitingReason::kSlotsBusy);
  EXPECT_EQ(core_->FindWorker(WorkerId("w"))->busy_slots(), 2);
  End(1, EndOf(Id("t1")));
  EXPECT_EQ(Given(), 1);
  // What is there stays there; no more comes until it fits the slots.
  SetAhead(1, 0);
  for (const std::string job : {"t2", "t3", "t4"}) End(1, EndOf(Id(job)));
  EXPECT_EQ(Given(), 0);
  End(1, EndOf(Id("t5")));
  EXPECT_EQ(Given(), 1);
}

TEST_F(CapacityTest, FreeSlotsAreFilledBeforePlacesBehindThem) {
  AttachWith(1, "a", 1);
  AttachWith(2, "b", 2);
  SetAhead(1, 10);
  SetAhead(2, 10);
  SubmitMany(3, "t");
  EXPECT_EQ(Spread(), (std::map<StreamId, int>{{1, 1}, {2, 2}}));
  SubmitMany(4, "t");
  EXPECT_EQ(Spread(), (std::map<StreamId, int>{{1, 2}, {2, 2}}));
  AttachWith(3, "c", 2);
  SubmitMany(2, "t");
  EXPECT_EQ(Spread(), (std::map<StreamId, int>{{3, 2}}));
}

TEST_F(CapacityTest, AWorkerWithoutSlotsIsGivenNothingAhead) {
  AttachWith(1, "w", 1);
  SetAhead(1, 10);
  Step([&] { core_->SetSlots(WorkerId("w"), 0, &fx_).status().IgnoreError(); });
  SubmitMany(2, "t");
  EXPECT_EQ(Given(), 0);
}

TEST_F(CapacityTest, HowMuchIsTakenAheadIsBoundedAndForgottenWithTheStream) {
  AttachWith(1, "w", 1);
  SubmitMany(3000, "t");
  SetAhead(1, -5);
  EXPECT_EQ(Given(), 1);
  SetAhead(1, 1'000'000);
  EXPECT_EQ(Given(), kAheadMax);
  StreamLost(1);
  AttachWith(2, "w", 1);
  EXPECT_EQ(core_->FindWorker(WorkerId("w"))->places(), 1);
}

TEST_F(CapacityTest, AheadKeepsToTheSlotsOfAType) {
  AttachWith(1, "w", 4, {{"t", 1}});
  SetAhead(1, 10);
  SubmitMany(5, "t");
  EXPECT_EQ(Given(), 1);
  SubmitMany(5, "u");
  EXPECT_EQ(Given(), 5);
}

// --- what is told of workers

TEST_F(CapacityTest, ItIsToldWhatBecomesOfAWorker) {
  AttachWith(1, "w", 4);
  ASSERT_EQ(fx_.workers.size(), 1u);
  EXPECT_EQ(fx_.workers[0].kind, WorkerNews::Kind::kAttached);
  EXPECT_EQ(fx_.workers[0].worker, WorkerId("w"));
  EXPECT_EQ(fx_.workers[0].slots_max, 4);
  SetUsable(1, 2, "a cause");
  ASSERT_EQ(fx_.workers.size(), 1u);
  EXPECT_EQ(fx_.workers[0].kind, WorkerNews::Kind::kUsableSlots);
  EXPECT_EQ(fx_.workers[0].slots, 2);
  EXPECT_EQ(fx_.workers[0].cause, "a cause");
  WorkerDead("w-1");
  ASSERT_EQ(fx_.workers.size(), 1u);
  EXPECT_EQ(fx_.workers[0].kind, WorkerNews::Kind::kLost);
  EXPECT_NE(fx_.workers[0].cause, "");
  WorkerDead("w-1");
  EXPECT_TRUE(fx_.workers.empty());
}

// --- usable slots

TEST_F(CapacityTest, AWorkerIsGivenNoMoreThanItsUsableSlots) {
  AttachWith(1, "w", 4);
  SetUsable(1, 2, "a cause");
  SubmitMany(10, "t");
  EXPECT_EQ(Given(), 2);
  EXPECT_EQ(Given(), 0);
  EXPECT_EQ(core_->WaitingReasonOf(Get("t3")), WaitingReason::kSlotsBusy);
  SetUsable(1, 3, "a cause");
  EXPECT_EQ(Given(), 1);
  SetUsable(1, 4, "");
  EXPECT_EQ(Given(), 1);
}

TEST_F(CapacityTest, WhatRunsInSlotsThatAreNotUsableStaysThere) {
  AttachWith(1, "w", 4);
  SubmitMany(10, "t");
  EXPECT_EQ(Given(), 4);
  SetUsable(1, 2, "a cause");
  EXPECT_EQ(core_->FindWorker(WorkerId("w"))->busy_slots(), 4);
  End(1, EndOf(Id("t1")));
  EXPECT_EQ(Given(), 0);
  End(1, EndOf(Id("t2")));
  EXPECT_EQ(Given(), 0);
  End(1, EndOf(Id("t3")));
  EXPECT_EQ(Given(), 1);
}

TEST_F(CapacityTest, WorkAheadIsBeyondTheUsableSlots) {
  AttachWith(1, "w", 4);
  SetUsable(1, 1, "a cause");
  SetAhead(1, 2);
  SubmitMany(10, "t");
  EXPECT_EQ(Given(), 3);
}

TEST_F(CapacityTest, ASlotThatIsNotUsableIsNotFree) {
  AttachWith(1, "a", 4);
  AttachWith(2, "b", 2);
  SetUsable(1, 1, "a cause");
  SetAhead(1, 10);
  SubmitMany(3, "t");
  EXPECT_EQ(Spread(), (std::map<StreamId, int>{{1, 1}, {2, 2}}));
}

TEST_F(CapacityTest, UsableSlotsAreNeverMoreThanTheSlots) {
  AttachWith(1, "w", 4);
  SetUsable(1, 3, "a cause");
  Step([&] { ASSERT_TRUE(core_->SetSlots(WorkerId("w"), 2, &fx_).ok()); });
  EXPECT_EQ(core_->FindWorker(WorkerId("w"))->usable(), 2);
  SubmitMany(10, "t");
  EXPECT_EQ(Given(), 2);
  SetUsable(1, -7, "a cause");
  EXPECT_EQ(core_->FindWorker(WorkerId("w"))->usable(), 1);
}

TEST_F(CapacityTest, AllSlotsAreUsableUntilAWorkerSaysSoOnThisStream) {
  AttachWith(1, "w", 4);
  SetUsable(1, 1, "a cause");
  StreamLost(1);
  AttachWith(2, "w", 4);
  EXPECT_EQ(core_->FindWorker(WorkerId("w"))->usable(), 4);
  EXPECT_EQ(core_->FindWorker(WorkerId("w"))->usable_cause, "");
  const int64_t fenced = core_->counters().fenced;
  SetUsable(1, 1, "said by a stream that is gone");
  EXPECT_EQ(core_->counters().fenced, fenced + 1);
  EXPECT_EQ(core_->FindWorker(WorkerId("w"))->usable(), 4);
}

}  // namespace
}  // namespace vigil::coordinator
