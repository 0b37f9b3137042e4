// Proves that the main thread wakes for posted functions, signals and its
// descriptor, and only for them. Other threads and pipes stand in for the
// library and for stdin.
#include "client/cli/event_queue.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <thread>

#include "gtest/gtest.h"

namespace vigil::cli {
namespace {

class EventQueueTest : public ::testing::Test {
 protected:
  std::unique_ptr<EventQueue> events_ = *EventQueue::Create();
};

TEST_F(EventQueueTest, CallsWhatWasPostedInOrder) {
  std::string calls;
  events_->Post([&] { calls += "a"; });
  events_->Post([&] { calls += "b"; });
  events_->Wait(absl::InfiniteDuration());
  EXPECT_EQ(calls, "ab");
}

TEST_F(EventQueueTest, WakesForAPostFromAnotherThread) {
  bool called = false;
  std::thread thread([&] { events_->Post([&] { called = true; }); });
  while (!called) events_->Wait(absl::InfiniteDuration());
  thread.join();
}

TEST_F(EventQueueTest, WhatACallPostsIsCalledByTheNextWait) {
  int calls = 0;
  events_->Post([&] {
    ++calls;
    events_->Post([&] { ++calls; });
  });
  events_->Wait(absl::InfiniteDuration());
  EXPECT_EQ(calls, 1);
  events_->Wait(absl::InfiniteDuration());
  EXPECT_EQ(calls, 2);
}

TEST_F(EventQueueTest, ReturnsSignalsOneByOne) {
  raise(SIGINT);
  raise(SIGTERM);
  EXPECT_EQ(events_->Wait(absl::InfiniteDuration()).signal, SIGINT);
  EXPECT_EQ(events_->Wait(absl::InfiniteDuration()).signal, SIGTERM);
  EXPECT_EQ(events_->Wait(absl::ZeroDuration()).signal, 0);
}

TEST_F(EventQueueTest, ANewSizeOfTheTerminalIsNoSignalToEndBy) {
  raise(SIGWINCH);
  const EventQueue::Wakeup wakeup = events_->Wait(absl::InfiniteDuration());
  EXPECT_TRUE(wakeup.resized);
  EXPECT_EQ(wakeup.signal, 0);
  EXPECT_FALSE(events_->Wait(absl::ZeroDuration()).resized);
}

TEST_F(EventQueueTest, TellsWhenTheDescriptorIsReadableOrEnded) {
  int fds[2];
  ASSERT_EQ(pipe2(fds, O_CLOEXEC), 0);
  EXPECT_FALSE(events_->Wait(absl::ZeroDuration(), fds[0]).readable);
  ASSERT_EQ(write(fds[1], "x", 1), 1);
  EXPECT_TRUE(events_->Wait(absl::InfiniteDuration(), fds[0]).readable);
  char byte;
  ASSERT_EQ(read(fds[0], &byte, 1), 1);
  close(fds[1]);
  EXPECT_TRUE(events_->Wait(absl::InfiniteDuration(), fds[0]).readable);
  close(fds[0]);
}

TEST_F(EventQueueTest, ComesBackWhenItsTimeIsOver) {
  const EventQueue::Wakeup wakeup = events_->Wait(-absl::Seconds(1));
  EXPECT_EQ(wakeup.signal, 0);
  EXPECT_FALSE(wakeup.readable);
}

}  // namespace
}  // namespace vigil::cli
