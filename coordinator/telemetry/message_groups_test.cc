// Proves that like messages are counted together within the window, and that
// however many kinds there are, a bounded number is kept: the most frequent.
#include "coordinator/telemetry/message_groups.h"

#include <string>

#include "gtest/gtest.h"

namespace vigil::coordinator {
namespace {

class MessageGroupsTest : public testing::Test {
 protected:
  void Add(const std::string& message, int bucket = 0,
           Reason reason = Reason::kTaskError) {
    now_ += absl::Seconds(1);
    groups_.Add(bucket, Failure{reason, message}, JobId("of " + message), now_);
  }
  // A word of letters alone for each number.
  static std::string Word(int number) {
    std::string word;
    for (; word.size() < 4; number /= 26) {
      word.push_back(static_cast<char>('g' + number % 20));
      number = number / 20 * 26;
    }
    return word;
  }

  absl::Time now_ = absl::FromUnixSeconds(1'000'000);
  MessageGroups groups_;
};

TEST_F(MessageGroupsTest, CountsLikeOnesTogetherAndShowsTheLast) {
  Add("chunk 1 failed");
  Add("another");
  Add("chunk 22 failed");
  const auto top = groups_.Top(10);
  ASSERT_EQ(top.size(), 2u);
  EXPECT_EQ(top[0]->count, 2);
  EXPECT_EQ(top[0]->message, "chunk 22 failed");
  EXPECT_EQ(top[0]->job_id.value(), "of chunk 22 failed");
  EXPECT_EQ(top[0]->last_time, now_);
  EXPECT_EQ(top[1]->count, 1);
}

TEST_F(MessageGroupsTest, TellsReasonsApart) {
  Add("same", 0, Reason::kTaskError);
  Add("same", 0, Reason::kInvalidInput);
  EXPECT_EQ(groups_.size(), 2u);
}

TEST_F(MessageGroupsTest, ForgetsWhatABucketCounted) {
  Add("a", 0);
  Add("a", 1);
  Add("b", 1);
  groups_.Clear(1);
  ASSERT_EQ(groups_.Top(10).size(), 1u);
  EXPECT_EQ(groups_.Top(10)[0]->count, 1);
  groups_.Clear(0);
  EXPECT_EQ(groups_.size(), 0u);
}

TEST_F(MessageGroupsTest, ShowsNoMoreThanAskedFor) {
  for (const char* message : {"a", "b", "b", "c", "c", "c"}) Add(message);
  const auto top = groups_.Top(2);
  ASSERT_EQ(top.size(), 2u);
  EXPECT_EQ(top[0]->message, "c");
  EXPECT_EQ(top[1]->message, "b");
}

TEST_F(MessageGroupsTest, TheRarestMakesRoom) {
  Add("frequent");
  Add("frequent");
  for (size_t i = 0; i + 1 < kMessageGroupsMax; ++i) {
    Add(Word(static_cast<int>(i)));
  }
  ASSERT_EQ(groups_.size(), kMessageGroupsMax);
  Add("a new one");
  Add("another one");
  EXPECT_EQ(groups_.size(), kMessageGroupsMax);
  EXPECT_EQ(groups_.Top(1)[0]->message, "frequent");
  Add("a new one");
  EXPECT_EQ(groups_.Top(1)[0]->message, "a new one");
}

TEST_F(MessageGroupsTest, KeepsAMessageCutAndReadable) {
  Add(std::string(10'000, 'x') + "\xff");
  EXPECT_LE(groups_.Top(1)[0]->message.size(), kMessageBytesMax);
  Add("\xff");
  EXPECT_EQ(groups_.Top(1)[0]->message, "\\xff");
}

}  // namespace
}  // namespace vigil::coordinator
