// Proves what counts as "lately", one moment on either side of the window.
#include "client/cli/rate_meter.h"

#include "gtest/gtest.h"

namespace vigil::cli {
namespace {

const absl::Time kStart = absl::FromUnixSeconds(1000);

TEST(RateMeter, IsZeroUntilTimePassed) {
  RateMeter rate;
  EXPECT_EQ(rate.PerSecond(), 0);
  rate.Record(kStart, 5);
  EXPECT_EQ(rate.PerSecond(), 0);
  rate.Record(kStart, 7);
  EXPECT_EQ(rate.PerSecond(), 0);
}

TEST(RateMeter, CountsFromTheFirstRecordWithinTheWindow) {
  RateMeter rate;
  rate.Record(kStart, 0);
  rate.Record(kStart + absl::Seconds(4), 40);
  EXPECT_EQ(rate.PerSecond(), 10);
}

TEST(RateMeter, ForgetsWhatIsOlderThanTheWindow) {
  RateMeter rate;
  rate.Record(kStart, 0);
  rate.Record(kStart + absl::Seconds(1), 1000);
  rate.Record(kStart + absl::Seconds(1) + kRateWindow - absl::Nanoseconds(1),
              1000);
  EXPECT_GT(rate.PerSecond(), 0);
  rate.Record(kStart + absl::Seconds(1) + kRateWindow, 1000);
  EXPECT_EQ(rate.PerSecond(), 0);
}

}  // namespace
}  // namespace vigil::cli
