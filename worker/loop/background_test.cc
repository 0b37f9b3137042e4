// Proves that background work runs in order on another thread, and what follows
// it on the loop's, when that asks.
#include "worker/loop/background.h"

#include <poll.h>

#include <thread>
#include <vector>

#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vigil::worker {
namespace {

using ::testing::ElementsAre;

void WaitReadable(const Background& background) {
  pollfd wait = {background.event_fd(), POLLIN, 0};
  ASSERT_EQ(poll(&wait, 1, 60'000), 1);
}

TEST(BackgroundTest, RunsInOrderElsewhereAndFinishesHere) {
  Background background;
  std::vector<int> worked;
  std::vector<int> done;
  std::thread::id there;
  for (int i = 1; i <= 3; ++i) {
    background.Run(
        [&, i] {
          worked.push_back(i);
          there = std::this_thread::get_id();
        },
        [&, i] {
          EXPECT_GE(worked.size(), static_cast<size_t>(i));
          done.push_back(i);
        });
  }
  while (done.size() < 3) {
    WaitReadable(background);
    background.TakeDone();
  }
  EXPECT_THAT(worked, ElementsAre(1, 2, 3));
  EXPECT_THAT(done, ElementsAre(1, 2, 3));
  EXPECT_NE(there, std::this_thread::get_id());
}

TEST(BackgroundTest, FinishesNothingBeforeTheLoopAsks) {
  Background background;
  bool done = false;
  background.Run([] {}, [&done] { done = true; });
  WaitReadable(background);
  EXPECT_FALSE(done);
  background.TakeDone();
  EXPECT_TRUE(done);
}

TEST(BackgroundTest, ItsEndWaitsForWhatHasBegun) {
  absl::Notification begun;
  absl::Notification ending;
  bool finished = false;
  std::thread opener;
  {
    Background background;
    background.Run(
        [&] {
          begun.Notify();
          ending.WaitForNotification();
          finished = true;
        },
        [] {});
    begun.WaitForNotification();
    opener = std::thread([&ending] { ending.Notify(); });
  }
  EXPECT_TRUE(finished);
  opener.join();
}

}  // namespace
}  // namespace vigil::worker
