// Proves who is cut off when all together hold too much: those that stood still
// for longest, and only as many as need be.
#include "coordinator/http/held_bytes.h"

#include <gtest/gtest.h>

namespace vigil::coordinator {
namespace {

class Counted : public HeldBytes::Holder {
 public:
  void Cut() override { ++cuts; }
  int cuts = 0;
};

TEST(HeldBytesTest, CutsNobodyAtTheLimit) {
  HeldBytes held(100);
  Counted first, second;
  held.Set(&first, 40);
  held.Set(&second, 60);
  EXPECT_EQ(held.bytes(), 100);
  EXPECT_EQ(first.cuts + second.cuts, 0);
}

TEST(HeldBytesTest, CutsTheOneThatStoodStillForLongest) {
  HeldBytes held(100);
  Counted first, second, third;
  held.Set(&first, 40);
  held.Set(&second, 40);
  // It moves, and so is not the oldest any more.
  held.Set(&first, 39);
  held.Set(&third, 22);
  EXPECT_EQ(first.cuts, 0);
  EXPECT_EQ(second.cuts, 1);
  EXPECT_EQ(third.cuts, 0);
  EXPECT_EQ(held.bytes(), 61);
}

TEST(HeldBytesTest, CutsAsManyAsNeedBe) {
  HeldBytes held(100);
  Counted first, second, third, fourth;
  held.Set(&first, 30);
  held.Set(&second, 30);
  held.Set(&third, 30);
  held.Set(&fourth, 70);
  EXPECT_EQ(first.cuts, 1);
  EXPECT_EQ(second.cuts, 1);
  EXPECT_EQ(third.cuts, 0);
  EXPECT_EQ(held.bytes(), 100);
}

TEST(HeldBytesTest, CutsWhoHoldsTooMuchAlone) {
  HeldBytes held(100);
  Counted only;
  held.Set(&only, 101);
  EXPECT_EQ(only.cuts, 1);
  EXPECT_EQ(held.bytes(), 0);
}

TEST(HeldBytesTest, WhoHoldsNothingIsForgotten) {
  HeldBytes held(100);
  Counted gone, other;
  held.Set(&gone, 50);
  held.Set(&gone, 0);
  held.Set(&gone, 0);
  held.Set(&other, 100);
  EXPECT_EQ(gone.cuts + other.cuts, 0);
  EXPECT_EQ(held.bytes(), 100);
}

}  // namespace
}  // namespace vigil::coordinator
