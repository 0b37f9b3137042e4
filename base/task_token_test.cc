// Proves that a task's token says what it was made of, that nothing else is
// taken for one, and that whatever stands in its place can be sent and named.
#include "base/task_token.h"

#include "gtest/gtest.h"

namespace vigil {
namespace {

const TaskToken kAttempt = AttemptId{JobId("0Az.b_c-d"), 12};
const TaskToken kWarm = WarmSlot{"count-letters", WorkerId("5f.1"), 0};

TEST(TaskTokenTest, NamesAnAttemptOrASlot) {
  EXPECT_EQ(FormatTaskToken(kAttempt), "job=0Az.b_c-d;attempt=12");
  EXPECT_EQ(FormatTaskToken(kWarm), "type=count-letters;worker=5f.1;slot=0");
}

TEST(TaskTokenTest, ParsesWhatItFormats) {
  for (const TaskToken& token : {kAttempt, kWarm}) {
    EXPECT_EQ(ParseTaskToken(FormatTaskToken(token)), token);
  }
  const std::string longest(64, 'j');
  EXPECT_TRUE(ParseTaskToken("job=" + longest + ";attempt=1").has_value());
}

TEST(TaskTokenTest, TakesNothingElseForAToken) {
  const std::string too_long(65, 'j');
  for (const std::string& text : {std::string(),
                                  std::string("job"),
                                  std::string("job=j"),
                                  std::string("job=j;"),
                                  std::string("job=j;attempt="),
                                  std::string("job=j;attempt=0"),
                                  std::string("job=j;attempt=-1"),
                                  std::string("job=j;attempt=1x"),
                                  std::string("job=j;attempt=1;"),
                                  std::string("job=j;attempt=99999999999"),
                                  std::string("job=;attempt=1"),
                                  std::string("job=j j;attempt=1"),
                                  std::string("job=j;number=1"),
                                  std::string(" job=j;attempt=1"),
                                  "job=" + too_long + ";attempt=1",
                                  std::string("type=t;worker=w"),
                                  std::string("type=t;slot=1"),
                                  std::string("type=t;worker=w;slot=-1"),
                                  std::string("worker=w;type=t;slot=1"),
                                  std::string("type=t;worker=;slot=1")}) {
    EXPECT_FALSE(ParseTaskToken(text).has_value()) << text;
  }
}

TEST(TaskTokenTest, CanBeSentWhateverItIs) {
  EXPECT_EQ(CleanTaskToken("job=j;attempt=1"), "job=j;attempt=1");
  EXPECT_EQ(CleanTaskToken("a\nb\xC3\xA4\x7F~ "), "a?b???~ ");
  EXPECT_EQ(CleanTaskToken(std::string(1000, 'x')),
            std::string(kTaskTokenBytesMax, 'x'));
}

TEST(TaskTokenTest, C1TheMessagesNameTheTaskAndWhatToDo) {
  EXPECT_EQ(NestedDispatchMessage("job=j;attempt=2"),
            "NESTED_DISPATCH: job j (attempt 2) is a task of Vigil and cannot "
            "submit jobs: it would wait for a slot that it holds itself; "
            "submit from the client instead");
  EXPECT_EQ(NestedStartMessage("type=t;worker=w;slot=1", "a worker"),
            "NESTED_DISPATCH: a warm task of type t (worker w, slot 1) is a "
            "task of Vigil and cannot start a worker: it would end with the "
            "task; start it outside of tasks, without VIGIL_TASK in its "
            "environment");
  EXPECT_EQ(DescribeTask("some\ttext"), "what runs with VIGIL_TASK=some?text");
}

}  // namespace
}  // namespace vigil
