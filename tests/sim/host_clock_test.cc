// Proves that a HostClock is what timers need it to be: When is the very first
// instant at which the clock shows a time, at any rate, and what the judge
// grants to clocks is just what they can run wrong.
#include "tests/sim/host_clock.h"

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "tests/sim/event_queue.h"

namespace vigil::sim {
namespace {

constexpr absl::Duration kTick = absl::Nanoseconds(1);

class HostClockTest : public testing::TestWithParam<int64_t> {
 protected:
  EventQueue queue_;
  const HostClock clock_{&queue_, {GetParam(), absl::Hours(5)}};
};

TEST_P(HostClockTest, WhenIsTheFirstInstantAtWhichItShowsATime) {
  const absl::Time begin = clock_.now();
  for (int64_t ns = 0; ns < 1'000'000'000'000; ns = ns * 7 + 1) {
    const absl::Time shown = begin + absl::Nanoseconds(ns);
    const absl::Time when = clock_.When(shown);
    EXPECT_GE(clock_.Shows(when), shown) << ns;
    EXPECT_LT(clock_.Shows(when - kTick), shown) << ns;
  }
}

TEST_P(HostClockTest, CountsWithinWhatIsGranted) {
  for (int64_t ns = 1; ns < 1'000'000'000'000; ns = ns * 7 + 1) {
    const absl::Duration counted = absl::Nanoseconds(ns);
    const absl::Duration taken = clock_.When(clock_.now() + counted) - kStart;
    EXPECT_GE(taken, HostClock::Shortest(counted)) << ns;
    EXPECT_LE(taken, HostClock::Longest(counted)) << ns;
  }
}

TEST_P(HostClockTest, NeverIsNeverOnAnyClock) {
  EXPECT_EQ(clock_.When(absl::InfiniteFuture()), absl::InfiniteFuture());
  EXPECT_EQ(clock_.When(absl::InfinitePast()), absl::InfinitePast());
  EXPECT_EQ(clock_.Shows(absl::InfiniteFuture()), absl::InfiniteFuture());
}

INSTANTIATE_TEST_SUITE_P(Rates, HostClockTest,
                         testing::Values(0, 1, -1, 333, HostClock::kErrorPpmMax,
                                         -HostClock::kErrorPpmMax));

// 30 s on the slowest clock, then 30.3 s on the fastest one.
TEST(HostClockBoundTest, AMarginOfAHundredthCoversTheFarthestClocks) {
  EventQueue queue;
  const HostClock slow(&queue, {-HostClock::kErrorPpmMax, {}});
  const HostClock fast(&queue, {HostClock::kErrorPpmMax, {}});
  const absl::Duration lease = absl::Seconds(30);
  EXPECT_LT(slow.When(kStart + lease), fast.When(kStart + lease * 1.01));
  EXPECT_GT(slow.When(kStart + lease), fast.When(kStart + lease * 1.0098));
}

}  // namespace
}  // namespace vigil::sim
