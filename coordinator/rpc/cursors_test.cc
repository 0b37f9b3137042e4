// Proves that cursors and page tokens come back as they were given out, that
// those of other requests and damaged ones are refused, and that no place is
// taken that arithmetic could not be done with.
#include "coordinator/rpc/cursors.h"

#include <limits>
#include <string>

#include "coordinator/rpc/page_token.h"
#include "gtest/gtest.h"

namespace vigil::coordinator {
namespace {

constexpr int64_t kInt64Max = std::numeric_limits<int64_t>::max();

WatchCursor CursorAt(int attempt, int64_t stdout_offset,
                     int64_t stderr_offset) {
  WatchCursor cursor;
  cursor.set_job_id("j");
  cursor.set_attempt(attempt);
  cursor.set_stdout_offset(stdout_offset);
  cursor.set_stderr_offset(stderr_offset);
  return cursor;
}

bool IsRefused(const absl::Status& status) {
  return absl::IsInvalidArgument(status);
}

TEST(CursorsTest, WatchCursorsComeBack) {
  const WatchCursor cursor = CursorAt(3, 4, kPositionMax);
  const auto parsed = ParseWatchCursor(cursor.SerializeAsString(), "j");
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(parsed->SerializeAsString(), cursor.SerializeAsString());
}

TEST(CursorsTest, AnEmptyWatchCursorIsTheBeginningOfTheJob) {
  const auto parsed = ParseWatchCursor("", "j");
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(parsed->SerializeAsString(), CursorAt(0, 0, 0).SerializeAsString());
}

TEST(CursorsTest, RefusesWatchCursorsOfOthersAndOutOfBounds) {
  const auto refused = [](const std::string& bytes, const std::string& job) {
    return IsRefused(ParseWatchCursor(bytes, job).status());
  };
  EXPECT_TRUE(refused("\xff", "j"));
  EXPECT_TRUE(refused(CursorAt(1, 0, 0).SerializeAsString(), "k"));
  EXPECT_TRUE(refused(CursorAt(-1, 0, 0).SerializeAsString(), "j"));
  EXPECT_TRUE(refused(CursorAt(1, -1, 0).SerializeAsString(), "j"));
  EXPECT_TRUE(refused(CursorAt(1, 0, -1).SerializeAsString(), "j"));
  EXPECT_TRUE(
      refused(CursorAt(1, kPositionMax + 1, 0).SerializeAsString(), "j"));
  EXPECT_TRUE(refused(CursorAt(1, 0, kInt64Max).SerializeAsString(), "j"));
}

TEST(CursorsTest, BatchCursorsComeBackInTheirOrderOnly) {
  const std::string cursor =
      FormatBatchCursor("b", v1::RESULT_ORDER_BY_INDEX, 7);
  const auto position = PositionOf(cursor, v1::RESULT_ORDER_BY_INDEX, "b");
  ASSERT_TRUE(position.ok()) << position.status();
  EXPECT_EQ(*position, 7);
  EXPECT_TRUE(IsRefused(
      PositionOf(cursor, v1::RESULT_ORDER_AS_COMPLETED, "b").status()));
  EXPECT_TRUE(
      IsRefused(PositionOf(cursor, v1::RESULT_ORDER_BY_INDEX, "c").status()));
  EXPECT_TRUE(IsRefused(
      PositionOf(cursor, static_cast<v1::ResultOrder>(9), "b").status()));
}

TEST(CursorsTest, RefusesBatchPositionsOutOfBounds) {
  constexpr auto kOrder = v1::RESULT_ORDER_AS_COMPLETED;
  const auto status = [](int64_t position) {
    return PositionOf(FormatBatchCursor("b", kOrder, position), kOrder, "b")
        .status();
  };
  EXPECT_TRUE(IsRefused(status(-1)));
  EXPECT_TRUE(status(0).ok());
  EXPECT_TRUE(status(kPositionMax).ok());
  EXPECT_TRUE(IsRefused(status(kPositionMax + 1)));
  // One more than this is not a number: the watch adds one.
  EXPECT_TRUE(IsRefused(status(kInt64Max)));
}

TEST(CursorsTest, OutputTokensComeBackToTheirRequestOnly) {
  ReadOutputToken token;
  token.set_attempt(2);
  token.set_after_seq(5);
  token.set_stdout_offset(6);
  token.set_request_hash(8);
  const auto parsed = ParseOutputToken(FormatToken(token), 8);
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(parsed->SerializeAsString(), token.SerializeAsString());
  EXPECT_TRUE(IsRefused(ParseOutputToken(FormatToken(token), 9).status()));
  EXPECT_TRUE(IsRefused(ParseOutputToken("?", 8).status()));
}

TEST(CursorsTest, RefusesOutputTokensOutOfBounds) {
  const auto refused = [](const ReadOutputToken& token) {
    return IsRefused(ParseOutputToken(FormatToken(token), 0).status());
  };
  ReadOutputToken token;
  EXPECT_FALSE(refused(token));
  token.set_attempt(-1);
  EXPECT_TRUE(refused(token));
  token.Clear();
  token.set_after_seq(-1);
  EXPECT_TRUE(refused(token));
  token.Clear();
  token.set_stdout_offset(-1);
  EXPECT_TRUE(refused(token));
  token.Clear();
  token.set_stderr_offset(kInt64Max);
  EXPECT_TRUE(refused(token));
}

TEST(CursorsTest, WorkersTokensComeBack) {
  const auto session = ParseWorkersToken(FormatWorkersToken("after:s"));
  ASSERT_TRUE(session.ok()) << session.status();
  EXPECT_EQ(*session, "after:s");
  EXPECT_EQ(ParseWorkersToken("").value(), "");
  EXPECT_TRUE(IsRefused(ParseWorkersToken("s").status()));
}

}  // namespace
}  // namespace vigil::coordinator
