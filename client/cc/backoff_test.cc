// Proves the waits between tries and the moment of giving up; time and chance
// are handed in.
#include "client/cc/backoff.h"

#include "gtest/gtest.h"

namespace vigil::client {
namespace {

const absl::Time kStart = absl::FromUnixSeconds(1000);

BackoffOptions Plain() {
  BackoffOptions options;
  options.initial_interval = absl::Milliseconds(100);
  options.maximum_interval = absl::Milliseconds(300);
  options.give_up_after = absl::Seconds(10);
  return options;
}

TEST(Backoff, DoublesUpToItsMaximum) {
  Backoff backoff(Plain());
  EXPECT_EQ(backoff.Next(kStart, std::nullopt, 0.5), absl::Milliseconds(100));
  EXPECT_EQ(backoff.Next(kStart, std::nullopt, 0.5), absl::Milliseconds(200));
  EXPECT_EQ(backoff.Next(kStart, std::nullopt, 0.5), absl::Milliseconds(300));
  EXPECT_EQ(backoff.Next(kStart, std::nullopt, 0.5), absl::Milliseconds(300));
}

TEST(Backoff, SpreadsWaitsByItsJitter) {
  EXPECT_EQ(Backoff(Plain()).Next(kStart, std::nullopt, 0),
            absl::Milliseconds(80));
  EXPECT_GT(*Backoff(Plain()).Next(kStart, std::nullopt, 0.999),
            absl::Milliseconds(119));
}

TEST(Backoff, GivesUpAtTheEndOfItsTimeAndTriesOnceMoreJustThere) {
  Backoff backoff(Plain());
  ASSERT_TRUE(backoff.Next(kStart, std::nullopt, 0.5).has_value());
  const absl::Time almost = kStart + absl::Seconds(10) - absl::Milliseconds(1);
  EXPECT_EQ(backoff.Next(almost, std::nullopt, 0.5), absl::Milliseconds(1));
  EXPECT_EQ(backoff.Next(kStart + absl::Seconds(10), std::nullopt, 0.5),
            std::nullopt);
}

TEST(Backoff, BeginsAnewAfterASuccess) {
  Backoff backoff(Plain());
  backoff.Next(kStart, std::nullopt, 0.5);
  backoff.Next(kStart, std::nullopt, 0.5);
  backoff.Reset();
  EXPECT_EQ(backoff.Next(kStart + absl::Hours(1), std::nullopt, 0.5),
            absl::Milliseconds(100));
}

TEST(Backoff, WaitsAsLongAsTheServerAsks) {
  Backoff backoff(Plain());
  EXPECT_EQ(backoff.Next(kStart, absl::Seconds(4), 0.5), absl::Seconds(4));
  EXPECT_EQ(backoff.Next(kStart, absl::Seconds(-1), 0.5), std::nullopt);
  EXPECT_EQ(backoff.Next(kStart, absl::Hours(1), 0.5), std::nullopt);
}

TEST(Backoff, NeverTriesAgainWithoutTime) {
  BackoffOptions options = Plain();
  options.give_up_after = absl::ZeroDuration();
  EXPECT_EQ(Backoff(options).Next(kStart, std::nullopt, 0.5), std::nullopt);
}

}  // namespace
}  // namespace vigil::client
