// Proves that a Clock starts at the wall clock or at what was recorded last,
// whichever is later, never goes back, and converts to boot time and back.
#include "base/clock.h"

#include "absl/time/clock.h"
#include "gtest/gtest.h"

namespace vigil {
namespace {

TEST(ClockTest, StartsAtTheWallClock) {
  const absl::Time before = absl::Now();
  const Clock clock;
  const absl::Time now = clock.Now();
  EXPECT_GE(now, before - absl::Milliseconds(100));
  EXPECT_LE(now, absl::Now() + absl::Milliseconds(100));
}

TEST(ClockTest, DoesNotStartBeforeWhatWasRecordedLast) {
  const absl::Time recorded = absl::Now() + absl::Hours(5);
  const Clock clock(recorded);
  EXPECT_GE(clock.Now(), recorded);
  EXPECT_LT(clock.Now(), recorded + absl::Hours(1));
}

TEST(ClockTest, ARecordInThePastDoesNotHoldItBack) {
  const absl::Time before = absl::Now();
  const Clock clock(before - absl::Hours(5));
  EXPECT_GE(clock.Now(), before - absl::Seconds(1));
}

TEST(ClockTest, NeverGoesBack) {
  const Clock clock;
  absl::Time last = clock.Now();
  for (int i = 0; i < 10'000; ++i) {
    const absl::Time now = clock.Now();
    ASSERT_GE(now, last);
    last = now;
  }
}

TEST(ClockTest, ConvertsToBootTimeAndBack) {
  const Clock clock;
  const absl::Duration boot = BoottimeNow();
  const absl::Time now = clock.Now();
  EXPECT_GT(boot, absl::ZeroDuration());
  EXPECT_GE(clock.ToBoottime(now), boot);
  EXPECT_LE(clock.ToBoottime(now), BoottimeNow());
  EXPECT_EQ(clock.FromBoottime(clock.ToBoottime(now)), now);
  const absl::Time lease = now + absl::Seconds(30);
  EXPECT_EQ(clock.ToBoottime(lease) - clock.ToBoottime(now), absl::Seconds(30));
}

}  // namespace
}  // namespace vigil
