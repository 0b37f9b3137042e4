// Proves that each caller who waits for a worker is answered once, by whatever
// comes first.
#include "coordinator/engine/worker_calls.h"

#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "gtest/gtest.h"

namespace vigil::coordinator {
namespace {

constexpr absl::Duration kTick = absl::Nanoseconds(1);

class WorkerCallsTest : public ::testing::Test {
 protected:
  void Add(StreamId stream, int64_t number, absl::Time deadline) {
    calls_.Add(stream, number, deadline, [this](const absl::Status& status) {
      answers_.push_back(status.code());
    });
  }
  using Codes = std::vector<absl::StatusCode>;

  const absl::Time now_ = absl::FromUnixSeconds(1'000'000);
  WorkerCalls<absl::Status> calls_;
  Codes answers_;
};

TEST_F(WorkerCallsTest, TheWorkersAnswerIsPassedOnOnce) {
  Add(1, 1, now_);
  Add(1, 2, now_);
  calls_.Answer(1, 2, absl::FailedPreconditionError("it runs"));
  EXPECT_EQ(answers_, Codes{absl::StatusCode::kFailedPrecondition});
  calls_.Answer(1, 1, absl::OkStatus());
  EXPECT_EQ(answers_.back(), absl::StatusCode::kOk);
  calls_.Answer(1, 1, absl::OkStatus());
  calls_.Answer(2, 1, absl::OkStatus());
  calls_.StreamLost(1);
  calls_.Expire(absl::InfiniteFuture());
  EXPECT_EQ(answers_.size(), 2u);
}

TEST_F(WorkerCallsTest, ALostStreamAnswersItsOwn) {
  Add(1, 1, now_);
  Add(2, 1, now_);
  Add(1, 2, now_);
  calls_.StreamLost(1);
  EXPECT_EQ(answers_, (Codes{absl::StatusCode::kFailedPrecondition,
                             absl::StatusCode::kFailedPrecondition}));
  calls_.Answer(2, 1, absl::OkStatus());
  EXPECT_EQ(answers_.back(), absl::StatusCode::kOk);
}

TEST_F(WorkerCallsTest, TimeRunsOutAtTheDeadlineAndNotOneTickBefore) {
  EXPECT_EQ(calls_.NextDeadline(), absl::InfiniteFuture());
  Add(1, 1, now_ + absl::Seconds(2));
  Add(1, 2, now_ + absl::Seconds(1));
  EXPECT_EQ(calls_.NextDeadline(), now_ + absl::Seconds(1));
  calls_.Expire(now_ + absl::Seconds(1) - kTick);
  EXPECT_TRUE(answers_.empty());
  calls_.Expire(now_ + absl::Seconds(1));
  EXPECT_EQ(answers_, Codes{absl::StatusCode::kDeadlineExceeded});
  EXPECT_EQ(calls_.NextDeadline(), now_ + absl::Seconds(2));
}

TEST(WorkerCallsOfValuesTest, AnAnswerMayBeAValue) {
  WorkerCalls<absl::StatusOr<int>> calls;
  std::vector<absl::StatusOr<int>> answers;
  const auto take = [&answers](absl::StatusOr<int> answer) {
    answers.push_back(std::move(answer));
  };
  calls.Add(1, 1, absl::InfiniteFuture(), take);
  calls.Add(1, 2, absl::InfiniteFuture(), take);
  calls.Answer(1, 1, 7);
  calls.StreamLost(1);
  ASSERT_EQ(answers.size(), 2u);
  EXPECT_EQ(answers[0].value_or(0), 7);
  EXPECT_TRUE(absl::IsFailedPrecondition(answers[1].status()));
}

TEST_F(WorkerCallsTest, IsFullAtItsMaximum) {
  for (size_t i = 1; i < kWorkerCallsMax; ++i) {
    Add(1, static_cast<int64_t>(i), now_);
  }
  EXPECT_FALSE(calls_.full());
  Add(2, 1, now_);
  EXPECT_TRUE(calls_.full());
}

}  // namespace
}  // namespace vigil::coordinator
