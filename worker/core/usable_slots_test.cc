// Proves that exhaustion halves the usable slots once for each moment, and that
// each quiet minute gives one back: in simulated time, one tick before, at and
// after it.
#include "worker/core/usable_slots.h"

#include <string>

#include "gtest/gtest.h"
#include "worker/core/limits.h"

namespace vigil::worker {
namespace {

constexpr absl::Duration kTick = absl::Nanoseconds(1);
const absl::Time kStart = absl::FromUnixSeconds(1'000'000);

class UsableSlotsTest : public testing::Test {
 protected:
  void Exhaust(absl::Time begin, absl::Time now,
               const std::string& message = "can't start new thread") {
    usable_.Exhausted({JobId("j"), 2}, begin,
                      Failure{Reason::kResourceExhausted, message}, now);
  }
  // One that began long after the last halving.
  void ExhaustAt(absl::Time now) { Exhaust(now, now); }

  UsableSlots usable_;
};

TEST_F(UsableSlotsTest, AllAreUsableAtFirst) {
  usable_.SetSlots(8);
  EXPECT_EQ(usable_.count(), 8);
  EXPECT_FALSE(usable_.lowered().has_value());
  EXPECT_EQ(usable_.NextDeadline(), absl::InfiniteFuture());
}

TEST_F(UsableSlotsTest, ExhaustionHalvesThemRoundedDownToOneAtLeast) {
  usable_.SetSlots(9);
  for (const int expected : {4, 2, 1, 1}) {
    ExhaustAt(kStart);
    EXPECT_EQ(usable_.count(), expected);
  }
}

TEST_F(UsableSlotsTest, TheOnlySlotStaysUsable) {
  usable_.SetSlots(1);
  ExhaustAt(kStart);
  EXPECT_EQ(usable_.count(), 1);
  EXPECT_FALSE(usable_.lowered().has_value());
}

TEST_F(UsableSlotsTest, AnAttemptThatBeganBeforeTheHalvingDoesNotHalveAgain) {
  usable_.SetSlots(8);
  ExhaustAt(kStart);
  Exhaust(kStart - kTick, kStart + absl::Seconds(1));
  EXPECT_EQ(usable_.count(), 4);
  Exhaust(kStart, kStart + absl::Seconds(1));
  EXPECT_EQ(usable_.count(), 2);
  Exhaust(kStart + absl::Seconds(1) - kTick, kStart + absl::Seconds(2));
  EXPECT_EQ(usable_.count(), 2);
  Exhaust(kStart + absl::Seconds(1) + kTick, kStart + absl::Seconds(2));
  EXPECT_EQ(usable_.count(), 1);
}

TEST_F(UsableSlotsTest, EachQuietMinuteGivesOneBack) {
  usable_.SetSlots(4);
  ExhaustAt(kStart);
  EXPECT_EQ(usable_.NextDeadline(), kStart + kQuietForSlot);
  usable_.Tick(kStart + kQuietForSlot - kTick);
  EXPECT_EQ(usable_.count(), 2);
  usable_.Tick(kStart + kQuietForSlot);
  EXPECT_EQ(usable_.count(), 3);
  usable_.Tick(kStart + kQuietForSlot + kTick);
  EXPECT_EQ(usable_.count(), 3);
  EXPECT_TRUE(usable_.lowered().has_value());
  usable_.Tick(kStart + 2 * kQuietForSlot);
  EXPECT_EQ(usable_.count(), 4);
  EXPECT_FALSE(usable_.lowered().has_value());
  EXPECT_EQ(usable_.NextDeadline(), absl::InfiniteFuture());
}

TEST_F(UsableSlotsTest, MinutesThatPassedAtOnceGiveBackOneEach) {
  usable_.SetSlots(100);
  ExhaustAt(kStart);
  usable_.Tick(kStart + 3 * kQuietForSlot);
  EXPECT_EQ(usable_.count(), 53);
  usable_.Tick(kStart + 1000 * kQuietForSlot);
  EXPECT_EQ(usable_.count(), 100);
}

TEST_F(UsableSlotsTest, TheMinuteBeginsAnewWithAnyExhaustion) {
  usable_.SetSlots(8);
  ExhaustAt(kStart);
  const absl::Time again = kStart + kQuietForSlot - kTick;
  Exhaust(kStart - kTick, again);
  usable_.Tick(kStart + kQuietForSlot);
  EXPECT_EQ(usable_.count(), 4);
  usable_.Tick(again + kQuietForSlot);
  EXPECT_EQ(usable_.count(), 5);
}

TEST_F(UsableSlotsTest, TheyFollowTheSlotsDownAndNotUp) {
  usable_.SetSlots(8);
  ExhaustAt(kStart);
  usable_.SetSlots(16);
  EXPECT_EQ(usable_.count(), 4);
  EXPECT_TRUE(usable_.lowered().has_value());
  usable_.SetSlots(3);
  EXPECT_EQ(usable_.count(), 3);
  EXPECT_FALSE(usable_.lowered().has_value());
  usable_.SetSlots(8);
  EXPECT_EQ(usable_.count(), 8);
  usable_.SetSlots(0);
  EXPECT_EQ(usable_.count(), 0);
  ExhaustAt(kStart + absl::Seconds(1));
  EXPECT_FALSE(usable_.lowered().has_value());
}

TEST_F(UsableSlotsTest, TheCauseNamesTheAttemptAndTheFirstLineOfItsMessage) {
  usable_.SetSlots(8);
  Exhaust(kStart, kStart, "can't start new thread\nand more");
  EXPECT_EQ(usable_.lowered()->cause,
            "attempt 2 of job j ended RESOURCE_EXHAUSTED: can't start new "
            "thread");
  // One of the same moment is not the cause.
  Exhaust(kStart - kTick, kStart, "another");
  usable_.Tick(kStart + kQuietForSlot);
  EXPECT_EQ(usable_.count(), 5);
  EXPECT_EQ(usable_.lowered()->cause,
            "attempt 2 of job j ended RESOURCE_EXHAUSTED: can't start new "
            "thread");
}

TEST_F(UsableSlotsTest, TheCauseIsBounded) {
  usable_.SetSlots(8);
  Exhaust(kStart, kStart, std::string(10'000, 'x'));
  EXPECT_LT(usable_.lowered()->cause.size(), kUsableCauseBytesMax + 100);
}

}  // namespace
}  // namespace vigil::worker
