// Proves what becomes of an attempt whose task wants more than it may have:
// processes by policy, threads, memory; what is told at once, what is counted,
// and how a failure is named that follows. Slots and tasks are simulated (see
// core_fixture.h).
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "gmock/gmock.h"
#include "worker/core/core_fixture.h"
#include "worker/core/limits.h"

namespace vigil::worker {
namespace {

using ::testing::HasSubstr;

constexpr int64_t kMiB = 1 << 20;

class NestingTest : public CoreFixture {
 protected:
  static Supervision With(OnNestedPool action) {
    Supervision supervision;
    supervision.nesting.action = action;
    return supervision;
  }
  void Seen(int64_t count, const std::string& call = "clone",
            NestedCall::Outcome outcome = NestedCall::Outcome::kRefused,
            int live = 1) {
    Step([&] {
      core_->NestedCallSeen(0, {"python3", call, outcome, count, ""}, live,
                            now_, &effects_);
    });
  }
  std::vector<Failure> Notices() const {
    std::vector<Failure> notices;
    for (const SendUpdate& update : Of<SendUpdate>()) {
      if (update.update.notice.has_value()) {
        notices.push_back(*update.update.notice);
      }
    }
    return notices;
  }
};

TEST_F(NestingTest, B1_FailEndsTheAttemptAtTheFirstProcessTooMany) {
  for (const OnNestedPool action :
       {OnNestedPool::kFail, OnNestedPool::kRetrySequential}) {
    Start(1);
    Run("j", With(action));
    Seen(1);
    EXPECT_EQ(StopCause(), Reason::kNestedPool);
    ASSERT_EQ(Notices().size(), 1u);
    EXPECT_THAT(Notices()[0].message, HasSubstr("python3"));
    Die();
    EXPECT_EQ(EndReason(), Reason::kNestedPool);
    const AttemptEnd end = TheEnd();
    EXPECT_THAT(end.failure->message, HasSubstr("max_processes 1"));
    ASSERT_EQ(end.last.nested_calls.size(), 1u);
    EXPECT_EQ(end.last.nested_calls[0].count, 1);
    EXPECT_TRUE(end.evidence.has_value());
  }
}

TEST_F(NestingTest, C2_DenyAndSequentialRefuseAndGoOn) {
  for (const OnNestedPool action :
       {OnNestedPool::kDeny, OnNestedPool::kSequential}) {
    Start(1);
    Run("j", With(action));
    Seen(1);
    EXPECT_EQ(StopCause(), Reason::kUnspecified);
    Seen(2);
    EXPECT_TRUE(Notices().empty()) << "the first of a kind is told, no more";
    EndByItself(0);
    EXPECT_EQ(EndReason(), Reason::kUnspecified);
    ASSERT_EQ(TheEnd().last.nested_calls.size(), 1u);
    EXPECT_EQ(TheEnd().last.nested_calls[0].count, 2);
  }
}

TEST_F(NestingTest, B1_ProcessesThatWereCountedEndTheAttemptUnderDenyToo) {
  for (const OnNestedPool action :
       {OnNestedPool::kDeny, OnNestedPool::kSequential}) {
    Start(1);
    Run("j", With(action));
    Seen(1, "fork", NestedCall::Outcome::kRefused, 2);
    EXPECT_EQ(Of<KillTree>().size(), 1u);
    Die();
    EXPECT_EQ(EndReason(), Reason::kNestedPool);
    EXPECT_THAT(TheEnd().failure->message,
                HasSubstr("had 2 processes at one time"));
  }
}

TEST_F(NestingTest, AFailureAfterARefusalIsNestedPool) {
  Start(1);
  Run("j", With(OnNestedPool::kDeny));
  Seen(3);
  EndByItself(1);
  EXPECT_EQ(EndReason(), Reason::kNestedPool);
  EXPECT_THAT(TheEnd().failure->message, HasSubstr("3 processes"));
  EXPECT_THAT(TheEnd().failure->message, HasSubstr("status 1"));
}

TEST_F(NestingTest, AClockThatFiresAfterARefusalIsNestedPool) {
  Start(1);
  Run("j", With(OnNestedPool::kDeny));
  Stdout();
  Seen(1);
  RunFor(absl::Seconds(45));
  EXPECT_EQ(StopCause(), Reason::kInactivityTimeout);
  Die();
  EXPECT_EQ(EndReason(), Reason::kNestedPool);
  EXPECT_THAT(TheEnd().failure->message, HasSubstr("INACTIVITY_TIMEOUT"));
}

TEST_F(NestingTest, ACancelOrABadInputAfterARefusalKeepsItsName) {
  Start(1);
  Run("j", With(OnNestedPool::kDeny));
  Seen(1);
  Stop("j");
  Die();
  EXPECT_EQ(EndReason(), Reason::kCancelled);
  Run("k", With(OnNestedPool::kDeny));
  Seen(1);
  EndByItself(65);
  EXPECT_EQ(EndReason(), Reason::kInvalidInput);
}

TEST_F(NestingTest, ProcessesThatWereCountedAreKilledWithoutGrace) {
  Start(1);
  Supervision supervision = With(OnNestedPool::kFail);
  supervision.nesting.max_processes = 4;
  Run("j", supervision);
  Seen(1, "fork", NestedCall::Outcome::kRefused, 5);
  EXPECT_EQ(Of<KillTree>().size(), 1u);
  EXPECT_TRUE(Of<SoftStop>().empty());
  Die();
  EXPECT_EQ(EndReason(), Reason::kNestedPool);
  EXPECT_THAT(TheEnd().failure->message,
              HasSubstr("had 5 processes at one time"));
}

TEST_F(NestingTest, AuditCountsAndBlamesNobody) {
  Start(1);
  Run("j", With(OnNestedPool::kAudit));
  Seen(1, "clone", NestedCall::Outcome::kAllowed);
  EXPECT_EQ(StopCause(), Reason::kUnspecified);
  EndByItself(1);
  EXPECT_EQ(EndReason(), Reason::kNonzeroExit);
  EXPECT_EQ(TheEnd().last.nested_calls[0].outcome,
            NestedCall::Outcome::kAllowed);
}

TEST_F(NestingTest, B1_AFailureAfterTooManyThreadsIsExhaustionOfItsOwn) {
  Start(1);
  Run("j");
  Seen(2, kThreadCall, NestedCall::Outcome::kRefused, 256);
  EXPECT_EQ(StopCause(), Reason::kUnspecified);
  ASSERT_EQ(Notices().size(), 1u);
  EXPECT_EQ(Notices()[0].reason, Reason::kResourceExhausted);
  EndByItself(1);
  EXPECT_EQ(EndReason(), Reason::kResourceExhausted);
  EXPECT_EQ(TheEnd().failure->exhaustion, Exhaustion::kTask);
  EXPECT_THAT(TheEnd().failure->message, HasSubstr("nested thread pools"));
}

TEST_F(NestingTest, CallsOfManyProgramsAreBounded) {
  Start(1);
  Run("j", With(OnNestedPool::kDeny));
  for (int i = 0; i < 100; ++i) Seen(1, "call" + std::to_string(i));
  EndByItself(0);
  EXPECT_EQ(TheEnd().last.nested_calls.size(), kNestedCallsMax);
}

TEST_F(NestingTest, PoolsThatRanInSequenceAreCountedWithTheirPlace) {
  Start(1);
  Run("j", With(OnNestedPool::kSequential));
  const NestedCall pool{"songs.py", "ProcessPoolExecutor",
                        NestedCall::Outcome::kSequential, 2, "songs.py:41"};
  Step([&] { core_->SequentialPoolsSeen(0, {pool}); });
  Step([&] { core_->SequentialPoolsSeen(0, {pool}); });
  EndByItself(1);
  EXPECT_EQ(EndReason(), Reason::kNonzeroExit);
  ASSERT_EQ(TheEnd().last.nested_calls.size(), 1u);
  EXPECT_EQ(TheEnd().last.nested_calls[0].count, 4);
  EXPECT_EQ(TheEnd().last.nested_calls[0].where, "songs.py:41");
}

TEST_F(NestingTest, MemoryIsLookedAtOnlyWhereItHasALimit) {
  Start(1);
  Run("j");
  RunFor(absl::Seconds(10));
  EXPECT_TRUE(Of<CheckMemory>().empty());
}

TEST_F(NestingTest, ATaskAboveItsMemoryIsKilledWithoutGrace) {
  Start(1);
  Supervision supervision;
  supervision.max_rss_bytes = 100 * kMiB;
  Run("j", supervision);
  RunFor(kMemoryCheckInterval);
  ASSERT_EQ(Of<CheckMemory>().size(), 1u);
  Step([&] { core_->MemorySeen(0, 100 * kMiB, {}, now_, &effects_); });
  EXPECT_TRUE(effects_.empty()) << "at the limit";
  Step([&] { core_->MemorySeen(0, 100 * kMiB + 1, {}, now_, &effects_); });
  EXPECT_EQ(Of<KillTree>().size(), 1u);
  EXPECT_TRUE(Of<SoftStop>().empty());
  Die();
  EXPECT_EQ(EndReason(), Reason::kOutOfMemory);
  EXPECT_EQ(TheEnd().failure->exhaustion, Exhaustion::kTask);
}

TEST_F(NestingTest, MemoryAndProcessesAreWatchedInTheGraceToo) {
  Supervision supervision;
  supervision.max_rss_bytes = kMiB;
  supervision.nesting.max_processes = 4;
  Start(1);
  Run("j", supervision);
  Stop("j");
  ASSERT_EQ(StopCause(), Reason::kCancelled);
  RunFor(kMemoryCheckInterval);
  ASSERT_EQ(Of<CheckMemory>().size(), 1u);
  Step([&] { core_->MemorySeen(0, 2 * kMiB, {}, now_, &effects_); });
  EXPECT_EQ(Of<KillTree>().size(), 1u);
  Die();
  EXPECT_EQ(EndReason(), Reason::kCancelled) << "the first cause is final";

  Run("k", supervision);
  Stop("k");
  Seen(1, "fork", NestedCall::Outcome::kRefused, 5);
  EXPECT_EQ(Of<KillTree>().size(), 1u);
}

TEST_F(NestingTest, AnExpensiveLookAtMemoryIsRare) {
  Start(1);
  Supervision supervision;
  supervision.max_rss_bytes = kMiB;
  Run("j", supervision);
  RunFor(kMemoryCheckInterval);
  Step([&] { core_->MemorySeen(0, 1, absl::Seconds(1), now_, &effects_); });
  RunFor(kMemoryCheckRests * absl::Seconds(1) - kTick);
  EXPECT_TRUE(Of<CheckMemory>().empty());
  RunFor(kTick);
  EXPECT_EQ(Of<CheckMemory>().size(), 1u);
}

TEST_F(NestingTest, CallsThatAreNotListedAnyMoreStillEndTheAttempt) {
  Start(1);
  Run("j", With(OnNestedPool::kFail));
  for (int i = 0; i < 20; ++i) {
    Seen(1, "call" + std::to_string(i), NestedCall::Outcome::kAllowed);
  }
  Seen(1);
  EXPECT_EQ(StopCause(), Reason::kNestedPool);
}

TEST_F(NestingTest, MemoryIsOnlyObservedUnderObserve) {
  Start(1);
  Supervision supervision;
  supervision.max_rss_bytes = kMiB;
  supervision.observe = true;
  Run("j", supervision);
  RunFor(kMemoryCheckInterval);
  Step([&] { core_->MemorySeen(0, 2 * kMiB, {}, now_, &effects_); });
  EXPECT_TRUE(Of<KillTree>().empty());
  ASSERT_EQ(Observed().size(), 1u);
  EXPECT_EQ(Observed()[0].reason, Reason::kOutOfMemory);
  RunFor(absl::Seconds(1));
  EXPECT_TRUE(Of<CheckMemory>().empty()) << "once is enough";
}

TEST_F(NestingTest, AStackIsDumpedBeforeAClockStopsTheProgram) {
  Start(1);
  Supervision supervision;
  supervision.stack_dump_signal = 10;
  Run("j", supervision);
  Stdout();
  RunFor(absl::Seconds(45));
  ASSERT_EQ(Of<DumpStack>().size(), 1u);
  EXPECT_EQ(Of<DumpStack>()[0].signum, 10);
  EXPECT_TRUE(Of<SoftStop>().empty());
  RunFor(kStackDumpMax - kTick);
  EXPECT_TRUE(Of<SoftStop>().empty());
  RunFor(kTick);
  EXPECT_EQ(StopCause(), Reason::kInactivityTimeout);
}

TEST_F(NestingTest, AProgramThatEndsOfItsStackDumpEndsForItsCause) {
  Start(1);
  Supervision supervision;
  supervision.stack_dump_signal = 10;
  Run("j", supervision);
  Stdout();
  RunFor(absl::Seconds(45));
  Exited(ExitSignal(10));
  TreeEmpty();
  Collected();
  EXPECT_EQ(EndReason(), Reason::kInactivityTimeout);
}

TEST_F(NestingTest, ASlotThatTheKernelLetGoAtLastLeaves) {
  Start(1);
  Run("j");
  Stop("j");
  RunFor(absl::Seconds(5));
  ASSERT_EQ(Of<KillTree>().size(), 1u);
  TreeReport report;
  report.unconfirmed = true;
  Exited(ExitSignal(9));
  TreeEmpty(report);
  Collected();
  EXPECT_TRUE(TheEnd().evidence->death_unconfirmed);
  EXPECT_EQ(core_->slot_state(0), SlotState::kStuck);
  EXPECT_EQ(core_->StuckSlots(), std::vector<int>{0});
  ASSERT_EQ(Of<StartSlot>().size(), 1u);
  EXPECT_EQ(Of<StartSlot>()[0].slot, 1) << "another takes its place";
  TreeEmpty();
  EXPECT_EQ(Of<RetireSlot>().size(), 1u);
  EXPECT_TRUE(core_->StuckSlots().empty());
}

TEST_F(NestingTest, TheKernelsKillForMemoryIsNamed) {
  for (const OomKill oom : {OomKill::kCertain, OomKill::kLikely}) {
    Start(1);
    Run("j");
    Exited(ExitSignal(9));
    TreeEmpty();
    Step([&] { core_->OutputCollected(0, {.oom = oom}, now_, &effects_); });
    EXPECT_EQ(EndReason(), Reason::kOutOfMemory);
    EXPECT_EQ(absl::StrContains(TheEnd().failure->message, "probably"),
              oom == OomKill::kLikely);
  }
  Start(1);
  Run("j");
  Exited(ExitStatus(137));
  TreeEmpty();
  Step([&] {
    core_->OutputCollected(0, {.oom = OomKill::kCertain}, now_, &effects_);
  });
  EXPECT_EQ(EndReason(), Reason::kOutOfMemory) << "a shell says it so";
  Start(1);
  Run("j");
  Exited(ExitSignal(9));
  TreeEmpty();
  Collected();
  EXPECT_EQ(EndReason(), Reason::kSignalled);
}

}  // namespace
}  // namespace vigil::worker
