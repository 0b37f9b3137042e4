// Proves what is told of an attempt whose worker drains while its warm program
// loads, and after: handed back is only what had not begun. Programs are
// simulated (see warm_fixture.h); of warm-ups see core_warm_up_test.cc.
#include "gtest/gtest.h"
#include "worker/core/warm_fixture.h"

namespace vigil::worker {
namespace {

using WarmDrainTest = WarmFixture;

TEST_F(WarmDrainTest, AnAttemptDrainedWhileItsProgramLoadsIsHandedBack) {
  Start(1);
  const TaskTypeRulesPtr type = Offer(Warm());
  Assign(type, "a");
  Spawned(0);
  Stop("a", Reason::kDrained);
  Die();
  EXPECT_EQ(EndReason(), Reason::kDrained);
  EXPECT_TRUE(TheEnd().never_started);
  EXPECT_FALSE(TheEnd().process_failed);
}

TEST_F(WarmDrainTest, AnAttemptDrainedAfterItBeganIsNotHandedBack) {
  Start(1);
  Begin(Offer(Warm()), "a");
  Stop("a", Reason::kDrained);
  Die();
  EXPECT_EQ(EndReason(), Reason::kDrained);
  EXPECT_FALSE(TheEnd().never_started);
}

TEST_F(WarmDrainTest, AnAttemptCancelledWhileItsProgramLoadsIsNotHandedBack) {
  Start(1);
  const TaskTypeRulesPtr type = Offer(Warm());
  Assign(type, "a");
  Spawned(0);
  Stop("a");
  Die();
  EXPECT_EQ(EndReason(), Reason::kCancelled);
  EXPECT_FALSE(TheEnd().never_started);
}

}  // namespace
}  // namespace vigil::worker
