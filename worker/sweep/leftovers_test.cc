// Proves who is judged a leftover: by record, mark and descent, never the
// worker's own tree, a stranger, or somebody of whom two lists of processes do
// not tell the same. How: lists made by hand.
#include "worker/sweep/leftovers.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "worker/slot/record.h"
#include "worker/sweep/process_table.h"

namespace vigil::sweep {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

using Processes = std::vector<Process>;

constexpr pid_t kSelf = 10;

Process Plain(pid_t pid, pid_t parent, uint64_t start_ticks = 5) {
  Process process;
  process.key = {pid, start_ticks};
  process.parent = parent;
  return process;
}
Process Marked(pid_t pid, pid_t parent, uint64_t start_ticks = 5) {
  Process process = Plain(pid, parent, start_ticks);
  process.marked = true;
  return process;
}
Process Dead(Process process) {
  process.dead = true;
  return process;
}

const Process kInit = Plain(1, 0);
const Process kWorker = Plain(kSelf, 1);

std::vector<pid_t> PidsOf(const Findings& findings) {
  std::vector<pid_t> pids;
  for (const Leftover& leftover : findings.leftovers) {
    pids.push_back(leftover.process.key.pid);
  }
  return pids;
}

Findings FindIn(const Processes& processes, const Recognised& recognised = {}) {
  return FindLeftovers(processes, processes, kSelf, recognised);
}

TEST(LeftoversTest, NobodyIsLeftWhereOnlyTheWorkerIs) {
  const Findings findings = FindIn({kInit, kWorker, Plain(20, 1)});
  EXPECT_THAT(findings.leftovers, IsEmpty());
  EXPECT_FALSE(findings.unsettled);
}

TEST(LeftoversTest, MarkedProcessesOutsideOfTheWorkersTreeAreLeft) {
  const Findings findings = FindIn({kInit, kWorker, Marked(20, 1)});
  ASSERT_THAT(PidsOf(findings), ElementsAre(20));
  EXPECT_EQ(findings.leftovers[0].found_by, FoundBy::kMark);
}

TEST(LeftoversTest, TheWorkersOwnTreeIsNotTouchedWhateverItsMark) {
  Process worker = kWorker;
  worker.marked = true;
  EXPECT_THAT(PidsOf(FindIn({kInit, worker, Plain(11, kSelf), Marked(12, 11),
                             Marked(13, 12), Marked(14, kSelf)},
                            {{{11, 5}, FoundBy::kSlotRecord},
                             {{12, 5}, FoundBy::kTaskRecord}})),
              IsEmpty());
}

TEST(LeftoversTest, AWorkerThatALeftoverStartedIsItsOwn) {
  Process worker = kWorker;
  worker.parent = 20;
  EXPECT_THAT(PidsOf(FindIn({kInit, Marked(20, 1), worker, Marked(11, kSelf)})),
              ElementsAre(20));
}

TEST(LeftoversTest, TheRecordedStartDecidesWhoseThePidIs) {
  const Recognised recorded = {{{20, 5}, FoundBy::kSlotRecord},
                               {{21, 6}, FoundBy::kTaskRecord}};
  const Findings findings =
      FindIn({kInit, kWorker, Plain(20, 1, 6), Plain(21, 1, 6)}, recorded);
  ASSERT_THAT(PidsOf(findings), ElementsAre(21));
  EXPECT_EQ(findings.leftovers[0].found_by, FoundBy::kTaskRecord);
}

TEST(LeftoversTest, DescendantsAreLeftAndComeBeforeTheirAncestors) {
  const Findings findings =
      FindIn({kInit, kWorker, Marked(20, 1), Plain(21, 20), Plain(22, 21),
              Plain(30, 1), Plain(31, 30)});
  EXPECT_THAT(PidsOf(findings), ElementsAre(22, 21, 20));
  EXPECT_EQ(findings.leftovers[0].found_by, FoundBy::kDescent);
  EXPECT_EQ(findings.leftovers[2].found_by, FoundBy::kMark);
}

TEST(LeftoversTest, TheDeadAreNotLeft) {
  EXPECT_THAT(PidsOf(FindIn({kInit, kWorker, Dead(Marked(20, 1))})), IsEmpty());
}

TEST(LeftoversTest, AMarkThatOneListShowsIsThere) {
  // It was just starting a program, and had no environment.
  const Processes first = {kInit, kWorker, Marked(20, 1)};
  const Processes second = {kInit, kWorker, Plain(20, 1)};
  EXPECT_THAT(PidsOf(FindLeftovers(first, second, kSelf, {})), ElementsAre(20));
  EXPECT_THAT(PidsOf(FindLeftovers(second, first, kSelf, {})), ElementsAre(20));
  // Of another process with the same pid it says nothing.
  const Processes other = {kInit, kWorker, Plain(20, 1, 6)};
  EXPECT_THAT(PidsOf(FindLeftovers(first, other, kSelf, {})), IsEmpty());
}

TEST(LeftoversTest, WhoCameMovedOrGrewUpMeanwhileIsLookedAtAgain) {
  const Processes there = {kInit, kWorker, Plain(20, 1), Marked(21, 20)};
  for (const Processes& first : {
           Processes{kInit, kWorker, Plain(20, 1)},
           Processes{kInit, kWorker, Plain(20, 1), Marked(21, 1)},
           Processes{kInit, kWorker, Plain(20, 1), Marked(21, 20, 4)},
           Processes{kInit, kWorker, Plain(20, kSelf), Marked(21, 20)},
           Processes{kInit, kWorker, Plain(20, 1, 4), Marked(21, 20)},
       }) {
    const Findings findings = FindLeftovers(first, there, kSelf, {});
    EXPECT_THAT(findings.leftovers, IsEmpty());
    EXPECT_TRUE(findings.unsettled);
  }
}

TEST(LeftoversTest, AParentThatWentBetweenTheListsIsNoProofOfAnything) {
  // 11 is the worker's slot. It ended after its task was listed: the task was
  // not listed below it a second time.
  const Processes first = {kInit, kWorker, Plain(11, kSelf), Marked(12, 11)};
  const Processes second = {kInit, kWorker, Marked(12, 11)};
  const Findings findings = FindLeftovers(first, second, kSelf, {});
  EXPECT_THAT(findings.leftovers, IsEmpty());
  EXPECT_TRUE(findings.unsettled);
}

TEST(LeftoversTest, AParentHiddenFromThisUserIsNobodyOfOurs) {
  EXPECT_THAT(PidsOf(FindIn({kWorker, Marked(20, 1)})), ElementsAre(20));
}

TEST(LeftoversTest, WhoComesInTheWorkersOwnTreeUnsettlesNothing) {
  const Processes first = {kInit, kWorker, Plain(11, kSelf)};
  const Processes second = {kInit, kWorker, Plain(11, kSelf), Marked(12, 11)};
  EXPECT_FALSE(FindLeftovers(first, second, kSelf, {}).unsettled);
}

TEST(LeftoversTest, ARingOfParentsEnds) {
  EXPECT_TRUE(FindIn({kWorker, Marked(20, 21), Plain(21, 20)}).unsettled);
}

TEST(LeftoversTest, UnreadableProcessesAreCountedUnlessTheyAreJudgedOtherwise) {
  Process stranger = Plain(20, 1);
  Process own = Plain(11, kSelf);
  Process recorded = Plain(21, 1);
  stranger.unreadable = own.unreadable = recorded.unreadable = true;
  const Findings findings = FindIn({kInit, kWorker, stranger, own, recorded},
                                   {{{21, 5}, FoundBy::kTaskRecord}});
  ASSERT_EQ(findings.unreadable.size(), 1u);
  EXPECT_EQ(findings.unreadable[0].key.pid, 20);
  EXPECT_THAT(PidsOf(findings), ElementsAre(21));
}

}  // namespace
}  // namespace vigil::sweep
