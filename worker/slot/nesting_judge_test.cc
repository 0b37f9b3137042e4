// Proves which calls of a task pass: at, below and above its limits, with
// processes that were let through and are not there yet, and when a census is
// needed at all.
#include "worker/slot/nesting_judge.h"

#include "gtest/gtest.h"
#include "worker/slot/limits.h"
#include "worker/slot/stat_line.h"

namespace vigil::slot {
namespace {

constexpr NestingCall kFork{10, NestedKind::kProcess};
constexpr NestingCall kOtherFork{11, NestedKind::kProcess};
constexpr NestingCall kThread{10, NestedKind::kThread};
constexpr absl::Duration kNow = absl::Seconds(1000);

// A tree of a task and `processes` others, whose threads 10 and 11 have no
// children.
TreeCensus Found(int processes, int threads = 1) {
  TreeCensus census;
  census.processes = processes;
  census.threads = threads;
  census.callers = {{10, 0}, {11, 0}};
  return census;
}

Nesting Limits(OnNestedPool action, int max_processes, int max_threads = 256) {
  return {action, max_processes, max_threads};
}

TEST(NestingJudgeTest, LetsTheFirstHelperThroughWithoutACensus) {
  NestingJudge judge(Limits(OnNestedPool::kFail, 1));
  EXPECT_FALSE(judge.NeedsCensus(kFork));
  EXPECT_EQ(judge.Judge(kFork, nullptr, kNow), NestingVerdict::kAllow);
  EXPECT_TRUE(judge.NeedsCensus(kFork));
}

TEST(NestingJudgeTest, RefusesASecondHelperAtTheSameTime) {
  NestingJudge judge(Limits(OnNestedPool::kFail, 1));
  judge.Judge(kFork, nullptr, kNow);
  const TreeCensus census = Found(1);
  EXPECT_EQ(judge.Judge(kFork, &census, kNow), NestingVerdict::kRefuse);
}

TEST(NestingJudgeTest, LetsOneHelperAfterTheOtherThrough) {
  NestingJudge judge(Limits(OnNestedPool::kFail, 1));
  judge.Judge(kFork, nullptr, kNow);
  for (int i = 0; i < 5; ++i) {
    const TreeCensus census = Found(0);
    EXPECT_EQ(judge.Judge(kFork, &census, kNow), NestingVerdict::kAllow) << i;
  }
}

TEST(NestingJudgeTest, LetsNoneThroughWhereNoneIsAllowed) {
  NestingJudge judge(Limits(OnNestedPool::kDeny, 0));
  const TreeCensus census = Found(0);
  EXPECT_EQ(judge.Judge(kFork, &census, kNow), NestingVerdict::kRefuse);
}

TEST(NestingJudgeTest, CountsAHelperThatIsNotThereYet) {
  NestingJudge judge(Limits(OnNestedPool::kFail, 1));
  judge.Judge(kFork, nullptr, kNow);
  // Thread 10 was let through, and has no child yet.
  const TreeCensus census = Found(0);
  EXPECT_EQ(judge.Judge(kOtherFork, &census, kNow), NestingVerdict::kWait);
  // Now it has.
  TreeCensus later = Found(1);
  later.callers[0].last_child_start = TicksAt(kNow);
  EXPECT_EQ(judge.Judge(kOtherFork, &later, kNow), NestingVerdict::kRefuse);
}

TEST(NestingJudgeTest, WaitsForAHelperNoLongerThanItCanTake) {
  NestingJudge judge(Limits(OnNestedPool::kFail, 1));
  judge.Judge(kFork, nullptr, kNow);
  const TreeCensus census = Found(0);
  constexpr absl::Duration kTick = absl::Nanoseconds(1);
  EXPECT_EQ(judge.Judge(kOtherFork, &census, kNow + kPendingAgeMax - kTick),
            NestingVerdict::kWait);
  EXPECT_EQ(judge.Judge(kOtherFork, &census, kNow + kPendingAgeMax),
            NestingVerdict::kAllow);
}

TEST(NestingJudgeTest, WaitsForNoThreadThatIsGone) {
  NestingJudge judge(Limits(OnNestedPool::kFail, 1));
  judge.Judge(kFork, nullptr, kNow);
  TreeCensus census = Found(0);
  census.callers.erase(census.callers.begin());
  EXPECT_EQ(judge.Judge(kOtherFork, &census, kNow), NestingVerdict::kAllow);
}

TEST(NestingJudgeTest, WaitsForNothingWhereThereIsRoomInAnyCase) {
  NestingJudge judge(Limits(OnNestedPool::kFail, 2));
  judge.Judge(kFork, nullptr, kNow);
  judge.Judge(kOtherFork, nullptr, kNow);
  ASSERT_TRUE(judge.NeedsCensus(kFork));
  // 11 is on its way: with 10's new one it makes two.
  const TreeCensus census = Found(0);
  EXPECT_EQ(judge.Judge(kFork, &census, kNow), NestingVerdict::kAllow);
}

TEST(NestingJudgeTest, AChildBeforeTheCallIsNotTheOneThatWasLetThrough) {
  NestingJudge judge(Limits(OnNestedPool::kFail, 2));
  judge.Judge(kFork, nullptr, kNow);
  judge.Judge(kOtherFork, nullptr, kNow);
  TreeCensus census = Found(1);
  census.callers[0].last_child_start = TicksAt(kNow) - 1;
  census.callers[1].last_child_start = TicksAt(kNow);
  const NestingCall third{12, NestedKind::kProcess};
  EXPECT_EQ(judge.Judge(third, &census, kNow), NestingVerdict::kWait);
}

TEST(NestingJudgeTest, AuditLetsEverythingThroughAndSaysSo) {
  NestingJudge judge(Limits(OnNestedPool::kAudit, 1));
  EXPECT_EQ(judge.Judge(kFork, nullptr, kNow), NestingVerdict::kAllow);
  const TreeCensus census = Found(1);
  EXPECT_EQ(judge.Judge(kFork, &census, kNow), NestingVerdict::kAllowExcess);
}

TEST(NestingJudgeTest, RefusesWhereZombiesFillTheTableOfProcesses) {
  NestingJudge judge(Limits(OnNestedPool::kFail, 1));
  judge.Judge(kFork, nullptr, kNow);
  TreeCensus census = Found(0);
  census.zombies = kZombiesMax - 1;
  EXPECT_EQ(judge.Judge(kFork, &census, kNow), NestingVerdict::kAllow);
  census.zombies = kZombiesMax;
  EXPECT_EQ(judge.Judge(kFork, &census, kNow), NestingVerdict::kRefuse);
}

TEST(NestingJudgeTest, CountsThreadsUpToTheirLimit) {
  NestingJudge judge(Limits(OnNestedPool::kFail, 1, 3));
  EXPECT_EQ(judge.Judge(kThread, nullptr, kNow), NestingVerdict::kAllow);
  EXPECT_EQ(judge.Judge(kThread, nullptr, kNow), NestingVerdict::kAllow);
  ASSERT_TRUE(judge.NeedsCensus(kThread));
  const TreeCensus full = Found(0, 3);
  EXPECT_EQ(judge.Judge(kThread, &full, kNow), NestingVerdict::kRefuse);
  const TreeCensus room = Found(0, 2);
  EXPECT_EQ(judge.Judge(kThread, &room, kNow), NestingVerdict::kAllow);
}

}  // namespace
}  // namespace vigil::slot
