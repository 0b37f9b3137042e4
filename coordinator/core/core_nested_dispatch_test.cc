// Proves that jobs that tasks submit are counted with the attempt that did it,
// and that it is then told as the cause of a failure of the program's own.
// Clients and workers are simulated (see core_fixture.h).
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "base/task_token.h"
#include "coordinator/core/core_fixture.h"
#include "gtest/gtest.h"

namespace vigil::coordinator {
namespace {

class NestedDispatchTest : public CoreFixture {
 protected:
  // One job of type `t` runs on each slot: "a" on slot 0, "b" on slot 1.
  void RunWarmJobs() {
    WorkerHello hello = Hello("w", 2);
    hello.task_types = {"t", "u"};
    ASSERT_TRUE(Attach(1, hello).ok());
    Submit(Typed("a", "t"));
    Submit(Typed("b", "t"));
    Tick();
    ASSERT_EQ(Assigned().size(), 2u);
    Report("a", 0);
    Report("b", 1);
  }
  void Report(const std::string& job, int slot) {
    AttemptUpdate update = UpdateOf(Id(job), Phase::kStarting);
    update.slot = slot;
    Update(1, update);
  }
  static AttemptEnd EndIn(int slot, const std::string& job) {
    AttemptEnd end = EndOf(Id(job), Reason::kTaskError);
    end.last.slot = slot;
    return end;
  }
  void Dispatch(const std::optional<TaskToken>& token, int jobs = 1) {
    Step([&] { core_->CountNestedDispatch(token, jobs, now_, &fx_); });
  }
  int Count(const std::string& job) const {
    return Get(job).current().nested_dispatches;
  }
  const Failure& FailureOf(const std::string& job) const {
    return *Get(job).failure;
  }
};

TEST_F(NestedDispatchTest, IsCountedWithTheAttemptAndInAll) {
  RunJob();
  Dispatch(Id("j"));
  Dispatch(Id("j"), 10);
  EXPECT_EQ(Count("j"), 11);
  EXPECT_EQ(core_->counters().nested_dispatches, 11);
  // For those who watch; it is stored when the job is.
  EXPECT_EQ(fx_.touched, std::vector<JobId>{JobId("j")});
  EXPECT_TRUE(fx_.save.empty());
}

TEST_F(NestedDispatchTest, OfAnAttemptThatDoesNotRunIsCountedInAllOnly) {
  RunJob();
  Submit("waits");
  Dispatch(Id("waits"));
  Dispatch(Id("j", 2));
  Dispatch(Id("nobody"));
  Dispatch(std::nullopt);
  End(1, EndOf(Id("j")));
  Dispatch(Id("j"));
  EXPECT_EQ(Count("j"), 0);
  EXPECT_TRUE(fx_.touched.empty());
  EXPECT_EQ(core_->counters().nested_dispatches, 5);
}

TEST_F(NestedDispatchTest, TheCountDoesNotOverflow) {
  RunJob();
  constexpr int kMax = std::numeric_limits<int>::max();
  Dispatch(Id("j"), kMax - 1);
  Dispatch(Id("j"), 10'000);
  EXPECT_EQ(Count("j"), kMax);
}

TEST_F(NestedDispatchTest, C1AFailureOfTheProgramsOwnIsToldAsNestedDispatch) {
  for (const Reason reason : {Reason::kNonzeroExit, Reason::kSignalled,
                              Reason::kTaskError, Reason::kProtocolError}) {
    Restart({});
    JobPolicy policy;
    policy.retry.retry_on = {reason};
    RunJob(policy);
    Dispatch(Id("j"), 2);
    AttemptEnd end = EndOf(Id("j"), reason);
    end.retryable = true;
    End(1, end);
    EXPECT_EQ(StateOf("j"), JobState::kFailed);
    EXPECT_EQ(ReasonOf("j"), Reason::kNestedDispatch);
    EXPECT_EQ(FailureOf("j").message,
              "job j (attempt 1) is a task of Vigil, submitted 2 jobs to it "
              "and was refused; then it ended " +
                  ReasonName(reason) + ": as the test says");
    EXPECT_EQ(Get("j").current().failure, FailureOf("j"));
  }
}

TEST_F(NestedDispatchTest, OtherReasonsAndSuccessStayWhatTheyAre) {
  for (const Reason reason : {Reason::kInactivityTimeout, Reason::kInvalidInput,
                              Reason::kNestedPool, Reason::kOutOfMemory}) {
    Restart({});
    RunJob();
    Dispatch(Id("j"));
    End(1, EndOf(Id("j"), reason));
    EXPECT_EQ(ReasonOf("j"), reason);
    EXPECT_EQ(Count("j"), 1);
  }
  Restart({});
  RunJob();
  Dispatch(Id("j"));
  End(1, EndOf(Id("j")));
  EXPECT_EQ(StateOf("j"), JobState::kSucceeded);
  EXPECT_EQ(Count("j"), 1);
}

TEST_F(NestedDispatchTest, ALaterAttemptThatSubmitsNothingFailsAsItDoes) {
  JobPolicy policy;
  policy.retry.jitter = 0;
  policy.retry.maximum_attempts = 2;
  policy.retry.retry_on = {Reason::kNestedDispatch};
  RunJob(policy);
  Dispatch(Id("j"));
  End(1, EndOf(Id("j"), Reason::kNonzeroExit));
  ASSERT_EQ(StateOf("j"), JobState::kBackoff);
  TickAt(Get("j").retry_time);
  ASSERT_EQ(Assigned(), (Ids{Id("j", 2)}));
  End(1, EndOf(Id("j", 2), Reason::kNonzeroExit));
  EXPECT_EQ(ReasonOf("j"), Reason::kNonzeroExit);
  EXPECT_EQ(Count("j"), 0);
}

TEST_F(NestedDispatchTest, ACancelledJobIsCancelledAndSaysIt) {
  RunJob();
  Dispatch(Id("j"));
  Cancel("j");
  End(1, EndOf(Id("j"), Reason::kNonzeroExit));
  EXPECT_EQ(StateOf("j"), JobState::kCancelled);
  EXPECT_TRUE(absl::StrContains(FailureOf("j").message, "NESTED_DISPATCH"))
      << FailureOf("j").message;
}

TEST_F(NestedDispatchTest, OfAWarmTaskIsCountedWithTheAttemptInItsSlot) {
  RunWarmJobs();
  Dispatch(WarmSlot{"t", WorkerId("w"), 1}, 2);
  Dispatch(WarmSlot{"t", WorkerId("w"), 1}, 3);
  EXPECT_EQ(core_->counters().nested_dispatches, 5);
  Report("a", 0);
  EXPECT_EQ(Count("a"), 0);
  Report("b", 1);
  EXPECT_EQ(Count("b"), 5);
  // Once.
  Report("b", 1);
  EXPECT_EQ(Count("b"), 5);
  End(1, EndIn(1, "b"));
  EXPECT_EQ(ReasonOf("b"), Reason::kNestedDispatch);
  EXPECT_EQ(Count("b"), 5);
}

TEST_F(NestedDispatchTest, AWarmTasksAttemptMayEndWithItsFirstReport) {
  RunWarmJobs();
  End(1, EndIn(0, "a"));
  EXPECT_EQ(ReasonOf("a"), Reason::kTaskError);
  Submit(Typed("c", "t"));
  Tick();
  ASSERT_EQ(Assigned(), Ids{Id("c")});
  Dispatch(WarmSlot{"t", WorkerId("w"), 0});
  End(1, EndIn(0, "c"));
  EXPECT_EQ(ReasonOf("c"), Reason::kNestedDispatch);
}

TEST_F(NestedDispatchTest, WhatAWarmTaskDidBeforeItsJobIsNotTheJobs) {
  RunWarmJobs();
  End(1, EndIn(0, "a"));
  Dispatch(WarmSlot{"t", WorkerId("w"), 0});
  now_ += kTick;
  Submit(Typed("c", "t"));
  Tick();
  ASSERT_EQ(Assigned(), Ids{Id("c")});
  Report("c", 0);
  EXPECT_EQ(Count("c"), 0);
  // It is forgotten, and not added to what the job does itself.
  Dispatch(WarmSlot{"t", WorkerId("w"), 0});
  Report("c", 0);
  EXPECT_EQ(Count("c"), 1);
}

TEST_F(NestedDispatchTest, OfAWarmTaskThatRunsNothingIsCountedInAllOnly) {
  RunWarmJobs();
  Dispatch(WarmSlot{"t", WorkerId("w"), 2});
  Dispatch(WarmSlot{"t", WorkerId("w"), kSlotsMax});
  Dispatch(WarmSlot{"u", WorkerId("w"), 0});
  Dispatch(WarmSlot{"t", WorkerId("other"), 1});
  // Of slots that no worker has nothing is kept.
  EXPECT_EQ(core_->FindWorker(WorkerId("w"))->nested_dispatches.size(), 2u);
  Report("a", 0);
  Report("b", 1);
  EXPECT_EQ(Count("a") + Count("b"), 0);
  EXPECT_EQ(core_->counters().nested_dispatches, 4);
}

TEST_F(NestedDispatchTest, AnAttemptThatNeverHadAProcessIsNotBlamed) {
  WorkerHello hello = Hello("w", 1);
  hello.task_types = {"t"};
  ASSERT_TRUE(Attach(1, hello).ok());
  Submit(Typed("a", "t"));
  Tick();
  Dispatch(WarmSlot{"t", WorkerId("w"), 0});
  AttemptEnd end = EndOf(Id("a"), Reason::kTaskError);
  end.last.age = absl::ZeroDuration();
  End(1, end);
  EXPECT_EQ(ReasonOf("a"), Reason::kTaskError);
}

TEST_F(NestedDispatchTest, AProcessThatFailedAfterItIsNotStartedAgain) {
  RunWarmJobs();
  Dispatch(WarmSlot{"t", WorkerId("w"), 0});
  AttemptEnd end = EndIn(0, "a");
  end.process_failed = true;
  End(1, end);
  EXPECT_EQ(StateOf("a"), JobState::kFailed);
  EXPECT_EQ(ReasonOf("a"), Reason::kNestedDispatch);
}

}  // namespace
}  // namespace vigil::coordinator
