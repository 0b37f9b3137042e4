// Proves how many slots the attempts of a worker need, also after what one
// process may be handed has changed under them.
#include "coordinator/core/worker_load.h"

#include "gtest/gtest.h"

namespace vigil::coordinator {
namespace {

TEST(WorkerLoadTest, WithoutMoreInFlightEachAttemptNeedsASlot) {
  WorkerLoad load;
  EXPECT_EQ(load.SlotsWith(""), 1);
  load.Add("");
  load.Add("");
  load.Add("t");
  EXPECT_EQ(load.attempts(), 3);
  EXPECT_EQ(load.slots(), 3);
  EXPECT_EQ(load.spare(), 0);
  EXPECT_EQ(load.SlotsWith("t"), 4);
  EXPECT_EQ(load.SlotsOfTypeWith("t"), 2);
}

TEST(WorkerLoadTest, AttemptsOfOneTypeShareSlotsAndThoseOfTwoDoNot) {
  WorkerLoad load;
  load.SetInFlight("t", 3);
  load.SetInFlight("u", 3);
  load.Add("t");
  EXPECT_EQ(load.spare(), 2);
  load.Add("t");
  load.Add("t");
  EXPECT_EQ(load.slots(), 1);
  EXPECT_EQ(load.spare(), 0);
  EXPECT_EQ(load.SlotsWith("t"), 2);
  EXPECT_EQ(load.SlotsWith("u"), 2);
  load.Add("u");
  EXPECT_EQ(load.slots(), 2);
  EXPECT_EQ(load.SlotsWith("u"), 2);
  EXPECT_EQ(load.SlotsOfTypeWith("t"), 2);
}

TEST(WorkerLoadTest, AChangeOfInFlightIsCountedAtOnce) {
  WorkerLoad load;
  for (int i = 0; i < 5; ++i) load.Add("t");
  EXPECT_EQ(load.slots(), 5);
  load.SetInFlight("t", 4);
  EXPECT_EQ(load.slots(), 2);
  EXPECT_EQ(load.spare(), 3);
  load.SetInFlight("t", 2);
  EXPECT_EQ(load.slots(), 3);
  EXPECT_EQ(load.spare(), 1);
}

TEST(WorkerLoadTest, WhatWasAddedAndRemovedLeavesNoTrace) {
  WorkerLoad load;
  load.SetInFlight("t", 2);
  for (int i = 0; i < 3; ++i) load.Add("t");
  for (int i = 0; i < 3; ++i) load.Remove("t");
  EXPECT_EQ(load.slots(), 0);
  EXPECT_EQ(load.spare(), 0);
  load.SetInFlight("t", 1);
  EXPECT_EQ(load, WorkerLoad());
}

}  // namespace
}  // namespace vigil::coordinator
