// Proves that claims above the budget wait in order, and that a stream is cut
// off only when it has held its claim for long and others wait.
#include "coordinator/rpc/write_budget.h"

#include <coroutine>
#include <memory>
#include <vector>

#include "absl/time/time.h"
#include "coordinator/rpc/task.h"
#include "gtest/gtest.h"

namespace vigil::coordinator {
namespace {

constexpr absl::Duration kTick = absl::Nanoseconds(1);

class WriteBudgetTest : public ::testing::Test {
 protected:
  // A stream that holds `bytes` until it is released.
  struct Stream {
    std::unique_ptr<WriteBudget::Claim> claim;
    bool granted = false;
    bool cut = false;
  };

  Stream* Claim(int64_t bytes) {
    streams_.push_back(std::make_unique<Stream>());
    Stream* stream = streams_.back().get();
    stream->claim = std::make_unique<WriteBudget::Claim>(
        &budget_, bytes, [stream] { stream->cut = true; });
    Await(stream);
    return stream;
  }
  static Detached Await(Stream* stream) {
    WriteBudget::Claim& claim = *stream->claim;
    co_await claim;
    stream->granted = true;
  }
  void Release(Stream* stream) {
    stream->claim.reset();
    ReadyList ready;
    ready.swap(ready_);
    for (std::coroutine_handle<> waiter : ready) waiter.resume();
  }

  absl::Time now_ = absl::UnixEpoch();
  ReadyList ready_;
  WriteBudget budget_{&ready_, 100};
  std::vector<std::unique_ptr<Stream>> streams_;
};

TEST_F(WriteBudgetTest, GrantsUpToTheMaximumAndNotOneByteMore) {
  EXPECT_TRUE(Claim(60)->granted);
  EXPECT_TRUE(Claim(40)->granted);
  EXPECT_FALSE(Claim(1)->granted);
  EXPECT_EQ(budget_.held_bytes(), 100);
}

TEST_F(WriteBudgetTest, WaitersGoOnInOrderWhenThereIsRoom) {
  Stream* first = Claim(100);
  Stream* large = Claim(90);
  Stream* small = Claim(20);
  Stream* last = Claim(80);
  Release(first);
  EXPECT_TRUE(large->granted);
  EXPECT_FALSE(small->granted);
  Release(large);
  EXPECT_TRUE(small->granted);
  EXPECT_TRUE(last->granted);
}

TEST_F(WriteBudgetTest, WhatIsLargerThanTheBudgetIsGrantedAlone) {
  Stream* first = Claim(1);
  Stream* huge = Claim(1000);
  EXPECT_FALSE(huge->granted);
  Release(first);
  EXPECT_TRUE(huge->granted);
  EXPECT_FALSE(Claim(1)->granted);
}

TEST_F(WriteBudgetTest, AWaiterThatGoesAwayIsForgotten) {
  Stream* first = Claim(100);
  Stream* gone = Claim(50);
  Stream* next = Claim(60);
  gone->claim.reset();
  Release(first);
  EXPECT_TRUE(next->granted);
  EXPECT_EQ(budget_.held_bytes(), 60);
}

TEST_F(WriteBudgetTest, CutsTheOldestOneAtTheTimeAndNotOneTickBefore) {
  Stream* oldest = Claim(50);
  budget_.Tick(now_);
  Stream* newer = Claim(50);
  budget_.Tick(now_ + kTick);
  EXPECT_EQ(budget_.NextDeadline(), absl::InfiniteFuture());
  Stream* waiting = Claim(50);
  EXPECT_EQ(budget_.NextDeadline(), now_ + kLargeWriteStuckMin);
  budget_.Tick(now_ + kLargeWriteStuckMin - kTick);
  EXPECT_FALSE(oldest->cut);
  budget_.Tick(now_ + kLargeWriteStuckMin);
  EXPECT_TRUE(oldest->cut);
  // There is room enough when it is gone.
  budget_.Tick(now_ + absl::Hours(1));
  EXPECT_FALSE(newer->cut);
  EXPECT_EQ(budget_.cut(), 1);
  Release(oldest);
  EXPECT_TRUE(waiting->granted);
}

TEST_F(WriteBudgetTest, WhoseReaderTakesSomethingIsNotCut) {
  Stream* alive = Claim(50);
  Stream* stuck = Claim(50);
  budget_.Tick(now_);
  Stream* waiting = Claim(50);
  alive->claim->Renew();
  budget_.Tick(now_ + kTick);
  budget_.Tick(now_ + kLargeWriteStuckMin);
  EXPECT_FALSE(alive->cut);
  EXPECT_TRUE(stuck->cut);
  Release(stuck);
  EXPECT_TRUE(waiting->granted);
}

TEST_F(WriteBudgetTest, NobodyIsCutWhileNobodyWaits) {
  Stream* stuck = Claim(100);
  budget_.Tick(now_);
  budget_.Tick(now_ + absl::Hours(24));
  EXPECT_FALSE(stuck->cut);
}

}  // namespace
}  // namespace vigil::coordinator
