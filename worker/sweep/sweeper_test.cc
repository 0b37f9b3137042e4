// Proves what a sweep kills, in which order, how it makes sure right before the
// kill, when it ends and what it reports. How: a /proc of files in which the
// killed die, and time passes only by waiting.
#include "worker/sweep/sweeper.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "worker/slot/record.h"
#include "worker/sweep/fake_proc.h"
#include "worker/sweep/leftovers.h"
#include "worker/sweep/limits.h"

namespace vigil::sweep {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr pid_t kSelf = 10;

class SweeperTest : public testing::Test {
 protected:
  SweeperTest() {
    proc_.Add(kSelf, {});
    options_.worker_id = "w";
    options_.self = kSelf;
    options_.proc_directory = proc_.directory();
  }
  SweepOutcome Sweep() { return sweep::Sweep(options_, &proc_); }
  void AddMarked(pid_t pid, pid_t parent = 1) {
    proc_.Add(pid, {.parent = parent, .environment = FakeProc::Mark("w")});
  }

  FakeProc proc_;
  SweepOptions options_;
};

TEST_F(SweeperTest, NothingIsFoundWhereNothingIs) {
  proc_.Add(20, {.environment = FakeProc::Mark("another worker")});
  AddMarked(11, kSelf);
  const SweepOutcome outcome = Sweep();
  EXPECT_THAT(proc_.killed, IsEmpty());
  EXPECT_EQ(outcome.found, 0);
  EXPECT_EQ(outcome.result.processes_size(), 0);
  EXPECT_TRUE(outcome.all_gone);
}

TEST_F(SweeperTest, WhatIsLeftIsKilledAndListed) {
  AddMarked(20);
  proc_.Add(21, {.parent = 20, .start_ticks = 123, .command = "helper"});
  const SweepOutcome outcome = Sweep();
  EXPECT_THAT(proc_.killed, ElementsAre(21, 20));
  EXPECT_TRUE(outcome.all_gone);
  EXPECT_EQ(outcome.found, 2);
  EXPECT_EQ(outcome.killed, 2);
  ASSERT_EQ(outcome.result.processes_size(), 2);
  EXPECT_EQ(outcome.result.processes(0).pid(), 21);
  EXPECT_EQ(outcome.result.processes(0).start_ticks(), 123);
  EXPECT_EQ(outcome.result.processes(0).command(), "helper");
  EXPECT_THAT(outcome.result.processes(0).found_by(), HasSubstr("descendant"));
  EXPECT_TRUE(outcome.result.processes(0).killed());
  EXPECT_THAT(outcome.result.processes(1).found_by(), HasSubstr("mark"));
}

TEST_F(SweeperTest, LookingKillsNothing) {
  options_.mode = SweepMode::kLookOnly;
  AddMarked(20);
  const SweepOutcome outcome = Sweep();
  EXPECT_THAT(proc_.killed, IsEmpty());
  ASSERT_EQ(outcome.result.processes_size(), 1);
  EXPECT_FALSE(outcome.result.processes(0).killed());
  EXPECT_EQ(outcome.killed, 0);
  EXPECT_FALSE(outcome.all_gone);
}

TEST_F(SweeperTest, ASlotDiesWhenNothingIsBelowItAnyMore) {
  options_.recorded = {{{20, 100}, FoundBy::kSlotRecord},
                       {{21, 100}, FoundBy::kTaskRecord}};
  proc_.Add(20, {});
  proc_.Add(21, {.parent = 20});
  // What the task starts meanwhile falls to its slot.
  int waits = 0;
  proc_.on_wait = [&] {
    if (++waits == 1) proc_.Add(22, {.parent = 20});
  };
  EXPECT_TRUE(Sweep().all_gone);
  EXPECT_THAT(proc_.killed, ElementsAre(21, 22, 20));
}

TEST_F(SweeperTest, APidThatWasGivenToAnotherIsNotTouched) {
  options_.recorded = {{{20, 100}, FoundBy::kTaskRecord}};
  proc_.Add(20, {});
  proc_.on_hold = [&](pid_t pid) {
    proc_.Remove(pid);
    proc_.Add(pid, {.start_ticks = 101});
  };
  EXPECT_TRUE(Sweep().all_gone);
  EXPECT_THAT(proc_.killed, IsEmpty());
}

TEST_F(SweeperTest, AMarkThatIsGoneRightBeforeTheKillIsLookedAtAgain) {
  AddMarked(20);
  int holds = 0;
  proc_.on_hold = [&](pid_t pid) {
    // It starts a program: for a moment it has no environment.
    if (++holds == 1) proc_.Add(pid, {});
  };
  EXPECT_TRUE(Sweep().all_gone);
  // By then it is known for what it is.
  EXPECT_EQ(holds, 2);
  EXPECT_THAT(proc_.killed, ElementsAre(20));
}

TEST_F(SweeperTest, WhoTurnsOutToBeTheWorkersIsNotTouched) {
  AddMarked(20);
  proc_.on_hold = [&](pid_t) { AddMarked(20, kSelf); };
  EXPECT_EQ(Sweep().found, 1);
  EXPECT_THAT(proc_.killed, IsEmpty());
}

TEST_F(SweeperTest, ItLooksUntilNothingComesAnyMore) {
  AddMarked(20);
  int next = 21;
  proc_.on_wait = [&] {
    if (next < 30) AddMarked(next++);
  };
  const SweepOutcome outcome = Sweep();
  EXPECT_TRUE(outcome.all_gone);
  EXPECT_EQ(outcome.killed, 10);
}

TEST_F(SweeperTest, WhatDoesNotDieIsReportedAfterItsTime) {
  proc_.Add(20, {.environment = FakeProc::Mark("w"), .immortal = true});
  AddMarked(21);
  const absl::Duration start = proc_.Now();
  const SweepOutcome outcome = Sweep();
  EXPECT_EQ(proc_.Now() - start, kSweepMax);
  EXPECT_FALSE(outcome.all_gone);
  EXPECT_EQ(outcome.found, 2);
  EXPECT_EQ(outcome.killed, 1);
  EXPECT_FALSE(outcome.result.processes(0).killed());
  EXPECT_TRUE(outcome.result.processes(1).killed());
}

TEST_F(SweeperTest, WhatMayNotBeKilledIsNotGone) {
  options_.recorded = {{{20, 100}, FoundBy::kTaskRecord}};
  proc_.Add(20, {.refused = true});
  const SweepOutcome outcome = Sweep();
  EXPECT_FALSE(outcome.all_gone);
  EXPECT_FALSE(outcome.result.processes(0).killed());
}

TEST_F(SweeperTest, ADescendantWhoseParentDiedFirstIsKilledAllTheSame) {
  AddMarked(20);
  proc_.Add(21, {.parent = 20, .environment = "", .immortal = true});
  int waits = 0;
  proc_.on_wait = [&] {
    if (++waits == 3) proc_.Add(21, {});
  };
  EXPECT_TRUE(Sweep().all_gone);
  EXPECT_EQ(proc_.killed.back(), 21);
}

TEST_F(SweeperTest, MoreAreKilledThanListed) {
  const int all = static_cast<int>(kSweptListedMax) + 5;
  for (int i = 0; i < all; ++i) AddMarked(1000 + i);
  const SweepOutcome outcome = Sweep();
  EXPECT_EQ(outcome.killed, all);
  EXPECT_EQ(outcome.result.processes_size(), static_cast<int>(kSweptListedMax));
}

TEST_F(SweeperTest, TheUnreadableAreCountedAndLeftAlone) {
  if (!FakeProc::HasUnreadable()) GTEST_SKIP() << "no unreadable file here";
  proc_.Add(20, {.readable = false});
  proc_.Add(11, {.parent = kSelf, .readable = false});
  const SweepOutcome outcome = Sweep();
  EXPECT_TRUE(outcome.all_gone);
  EXPECT_EQ(outcome.result.unreadable(), 1);
  EXPECT_THAT(proc_.killed, IsEmpty());
}

}  // namespace
}  // namespace vigil::sweep
