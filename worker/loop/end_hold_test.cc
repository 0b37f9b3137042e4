// Proves that ends wait for one another, for a bounded time, and that nothing
// is waited for when nothing waits. How: instants go in.
#include "worker/loop/end_hold.h"

#include "gtest/gtest.h"

namespace vigil::worker {
namespace {

constexpr absl::Time kNow = absl::FromUnixSeconds(1000);
constexpr absl::Duration kTick = absl::Nanoseconds(1);

TEST(EndHoldTest, WaitsFromTheFirstEndOnAndNoLonger) {
  EndHold hold;
  EXPECT_EQ(hold.deadline(), absl::InfiniteFuture());
  EXPECT_TRUE(hold.Holds(true, kNow));
  EXPECT_EQ(hold.deadline(), kNow + kEndsHeldMax);
  EXPECT_TRUE(hold.Holds(true, kNow + kEndsHeldMax - kTick));
  EXPECT_EQ(hold.deadline(), kNow + kEndsHeldMax);
  EXPECT_FALSE(hold.Holds(true, kNow + kEndsHeldMax));
  EXPECT_EQ(hold.deadline(), absl::InfiniteFuture());
}

TEST(EndHoldTest, TheNextEndWaitsAnew) {
  EndHold hold;
  EXPECT_TRUE(hold.Holds(true, kNow));
  EXPECT_FALSE(hold.Holds(true, kNow + kEndsHeldMax));
  EXPECT_TRUE(hold.Holds(true, kNow + kEndsHeldMax));
  EXPECT_EQ(hold.deadline(), kNow + 2 * kEndsHeldMax);
}

TEST(EndHoldTest, WhatMayNotWaitEndsTheWait) {
  EndHold hold;
  EXPECT_TRUE(hold.Holds(true, kNow));
  EXPECT_FALSE(hold.Holds(false, kNow + kTick));
  // Nothing wakes the loop for it any more.
  EXPECT_EQ(hold.deadline(), absl::InfiniteFuture());
}

}  // namespace
}  // namespace vigil::worker
