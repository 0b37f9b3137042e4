// Proves that each caller who waits for a cleared cache is answered once, by
// whatever comes first.
#include "coordinator/engine/cache_clears.h"

#include <vector>

#include "gtest/gtest.h"

namespace vigil::coordinator {
namespace {

constexpr absl::Duration kTick = absl::Nanoseconds(1);

class CacheClearsTest : public ::testing::Test {
 protected:
  void Add(StreamId stream, int64_t number, absl::Time deadline) {
    clears_.Add(stream, number, deadline, [this](const absl::Status& status) {
      answers_.push_back(status.code());
    });
  }
  using Codes = std::vector<absl::StatusCode>;

  const absl::Time now_ = absl::FromUnixSeconds(1'000'000);
  CacheClears clears_;
  Codes answers_;
};

TEST_F(CacheClearsTest, TheWorkersAnswerIsPassedOnOnce) {
  Add(1, 1, now_);
  Add(1, 2, now_);
  clears_.Answer(1, 2, absl::FailedPreconditionError("it runs"));
  EXPECT_EQ(answers_, Codes{absl::StatusCode::kFailedPrecondition});
  clears_.Answer(1, 1, absl::OkStatus());
  EXPECT_EQ(answers_.back(), absl::StatusCode::kOk);
  clears_.Answer(1, 1, absl::OkStatus());
  clears_.Answer(2, 1, absl::OkStatus());
  clears_.StreamLost(1);
  clears_.Expire(absl::InfiniteFuture());
  EXPECT_EQ(answers_.size(), 2u);
}

TEST_F(CacheClearsTest, ALostStreamAnswersItsOwn) {
  Add(1, 1, now_);
  Add(2, 1, now_);
  Add(1, 2, now_);
  clears_.StreamLost(1);
  EXPECT_EQ(answers_, (Codes{absl::StatusCode::kFailedPrecondition,
                             absl::StatusCode::kFailedPrecondition}));
  clears_.Answer(2, 1, absl::OkStatus());
  EXPECT_EQ(answers_.back(), absl::StatusCode::kOk);
}

TEST_F(CacheClearsTest, TimeRunsOutAtTheDeadlineAndNotOneTickBefore) {
  EXPECT_EQ(clears_.NextDeadline(), absl::InfiniteFuture());
  Add(1, 1, now_ + absl::Seconds(2));
  Add(1, 2, now_ + absl::Seconds(1));
  EXPECT_EQ(clears_.NextDeadline(), now_ + absl::Seconds(1));
  clears_.Expire(now_ + absl::Seconds(1) - kTick);
  EXPECT_TRUE(answers_.empty());
  clears_.Expire(now_ + absl::Seconds(1));
  EXPECT_EQ(answers_, Codes{absl::StatusCode::kDeadlineExceeded});
  EXPECT_EQ(clears_.NextDeadline(), now_ + absl::Seconds(2));
}

TEST_F(CacheClearsTest, IsFullAtItsMaximum) {
  for (size_t i = 1; i < kCacheClearsMax; ++i) {
    Add(1, static_cast<int64_t>(i), now_);
  }
  EXPECT_FALSE(clears_.full());
  Add(2, 1, now_);
  EXPECT_TRUE(clears_.full());
}

}  // namespace
}  // namespace vigil::coordinator
