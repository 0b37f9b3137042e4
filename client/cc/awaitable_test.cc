// Proves where a coroutine goes on, whichever comes first: its wait or what it
// waits for.
#include "client/cc/awaitable.h"

#include <utility>
#include <vector>

#include "client/cc/task.h"
#include "gtest/gtest.h"

namespace vigil::client {
namespace {

using Done = absl::AnyInvocable<void(int)>;

Task<int> Await(Awaitable<int>& awaitable) { co_return co_await awaitable; }

class AwaitableTest : public ::testing::Test {
 protected:
  // Puts what it is given aside.
  Executor PutAside() {
    return [this](absl::AnyInvocable<void()> function) {
      aside_.push_back(std::move(function));
    };
  }

  std::vector<absl::AnyInvocable<void()>> aside_;
};

TEST_F(AwaitableTest, AResultThatIsThereAtOnceGoesByTheExecutorToo) {
  Awaitable<int> awaitable([](Done done) { done(7); }, PutAside());
  Task<int> task = Await(awaitable);
  ASSERT_EQ(aside_.size(), 1);
  aside_[0]();
  EXPECT_EQ(std::move(task).Wait(), 7);
}

TEST_F(AwaitableTest, AResultThatComesLaterGoesByTheExecutor) {
  Done later;
  Awaitable<int> awaitable([&](Done done) { later = std::move(done); },
                           PutAside());
  Task<int> task = Await(awaitable);
  EXPECT_TRUE(aside_.empty());
  later(7);
  ASSERT_EQ(aside_.size(), 1);
  aside_[0]();
  EXPECT_EQ(std::move(task).Wait(), 7);
}

TEST_F(AwaitableTest, WithoutAnExecutorItGoesOnAtOnce) {
  Awaitable<int> awaitable([](Done done) { done(7); });
  EXPECT_EQ(Await(awaitable).Wait(), 7);
}

}  // namespace
}  // namespace vigil::client
