// Proves that a sleep ends by itself, that it is ended by another thread, and
// that one which was ended before does not begin.
#include "base/sleeper.h"

#include <thread>

#include "base/clock.h"
#include "gtest/gtest.h"

namespace vigil {
namespace {

TEST(SleeperTest, SleepsForAsLongAsItIsTold) {
  Sleeper sleeper;
  const absl::Duration begin = BoottimeNow();
  EXPECT_FALSE(sleeper.Sleep(absl::Milliseconds(20)));
  EXPECT_GE(BoottimeNow() - begin, absl::Milliseconds(20));
}

TEST(SleeperTest, IsWokenForGood) {
  Sleeper sleeper;
  std::thread other([&] { sleeper.Wake(); });
  EXPECT_TRUE(sleeper.Sleep(absl::InfiniteDuration()));
  other.join();
  EXPECT_TRUE(sleeper.Sleep(absl::Hours(1)));
}

}  // namespace
}  // namespace vigil
