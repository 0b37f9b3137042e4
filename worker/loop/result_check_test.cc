// Proves what each validator accepts as a result.
#include "worker/loop/result_check.h"

#include "gtest/gtest.h"

namespace vigil::worker {
namespace {

using v1::TaskType;

bool Accepts(TaskType::ResultValidator validator, const std::string& result) {
  const std::optional<Failure> failure = CheckResult(validator, result);
  if (failure.has_value()) {
    EXPECT_EQ(failure->reason, Reason::kInvalidResult);
  }
  return !failure.has_value();
}

TEST(ResultCheckTest, AcceptsAnythingWhereNothingIsDeclared) {
  EXPECT_TRUE(Accepts(TaskType::RESULT_VALIDATOR_UNSPECIFIED, ""));
  EXPECT_TRUE(Accepts(TaskType::RESULT_VALIDATOR_UNSPECIFIED, "\xff"));
}

TEST(ResultCheckTest, NonemptyWantsAByte) {
  EXPECT_FALSE(Accepts(TaskType::RESULT_VALIDATOR_NONEMPTY, ""));
  EXPECT_TRUE(Accepts(TaskType::RESULT_VALIDATOR_NONEMPTY, "\xff"));
}

TEST(ResultCheckTest, Utf8WantsText) {
  EXPECT_FALSE(Accepts(TaskType::RESULT_VALIDATOR_UTF8, ""));
  EXPECT_FALSE(Accepts(TaskType::RESULT_VALIDATOR_UTF8, "a\xff"));
  EXPECT_TRUE(Accepts(TaskType::RESULT_VALIDATOR_UTF8, "gr\xc3\xbcn"));
}

TEST(ResultCheckTest, JsonWantsOneValue) {
  for (const char* bad : {"", "{", "{\"a\":1} {\"b\":2}", "\"\xff\"", "[1,"}) {
    EXPECT_FALSE(Accepts(TaskType::RESULT_VALIDATOR_JSON, bad)) << bad;
  }
  for (const char* good : {"{\"a\": [1, 2.5, null, true]}", "[]", "\"x\"", "17",
                           "null", " {} \n"}) {
    EXPECT_TRUE(Accepts(TaskType::RESULT_VALIDATOR_JSON, good)) << good;
  }
}

TEST(ResultCheckTest, AValidatorOfALaterReleaseAcceptsNothing) {
  EXPECT_FALSE(Accepts(static_cast<TaskType::ResultValidator>(99), "x"));
}

}  // namespace
}  // namespace vigil::worker
