// Proves which frames of a task are refused, one unit on either side of each
// bound, and that bytes go in and out of a payload as they are.
#include "worker/frames/frame_check.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "worker/frames/limits.h"

namespace vigil::worker {
namespace {

using ::testing::HasSubstr;
using ::vigil::task::v1::Payload;
using ::vigil::task::v1::TaskFrame;

TaskFrame Frame(const std::string& text) {
  TaskFrame frame;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &frame))
      << text;
  return frame;
}

// "" if it is taken, "ignored", or why it is refused.
std::string Check(const TaskFrame& frame) {
  const absl::StatusOr<bool> checked = CheckTaskFrame(frame);
  if (checked.ok()) return *checked ? "" : "ignored";
  EXPECT_TRUE(absl::IsInvalidArgument(checked.status()));
  return std::string(checked.status().message());
}

TEST(FrameCheckTest, AFrameOfEveryKindIsTaken) {
  for (const char* text :
       {"hello { version: 1 features: 'a' }", "reset_done {}",
        "attempt_id: 'j/1' started {}", "attempt_id: 'j/1' token {}",
        "attempt_id: 'j/1' progress {}", "attempt_id: 'j/1' heartbeat {}",
        "attempt_id: 'j/1' checkpoint {}", "attempt_id: 'j/1' result {}",
        "attempt_id: 'j/1' error { reason: 99 }",
        "attempt_id: 'j/1' token {} optional: true"}) {
    EXPECT_EQ(Check(Frame(text)), "") << text;
  }
}

TEST(FrameCheckTest, AnUnknownKindIsIgnoredIfItIsOptional) {
  EXPECT_EQ(Check(Frame("attempt_id: 'j/1' optional: true")), "ignored");
  EXPECT_EQ(Check(Frame("optional: true")), "ignored");
  EXPECT_THAT(Check(Frame("attempt_id: 'j/1'")), HasSubstr("of no kind"));
}

TEST(FrameCheckTest, OnlyFramesOfAnAttemptNameOne) {
  for (const char* kind : {"started", "token", "progress", "heartbeat",
                           "checkpoint", "result", "error"}) {
    EXPECT_EQ(Check(Frame(absl::StrCat(kind, " {}"))),
              "a frame without an attempt_id");
  }
  for (const char* kind : {"hello { version: 1 }", "reset_done {}"}) {
    EXPECT_EQ(Check(Frame(absl::StrCat("attempt_id: 'j/1' ", kind))),
              "`hello` or `reset_done` with an attempt_id");
  }
}

TEST(FrameCheckTest, AnAttemptIdIsBounded) {
  TaskFrame frame = Frame("started {}");
  frame.set_attempt_id(std::string(kAttemptIdBytesMax, 'x'));
  EXPECT_EQ(Check(frame), "");
  frame.set_attempt_id(std::string(kAttemptIdBytesMax + 1, 'x'));
  EXPECT_EQ(Check(frame), "an attempt_id of 97 bytes, more than 96");
}

TEST(FrameCheckTest, OnlyOneVersionIsSpoken) {
  EXPECT_THAT(Check(Frame("hello {}")), HasSubstr("version 0"));
  EXPECT_EQ(Check(Frame("hello { version: 2 }")),
            "`hello` of version 2; version 1 is spoken here");
}

TEST(FrameCheckTest, FeaturesAreBounded) {
  TaskFrame frame = Frame("hello { version: 1 }");
  for (int i = 0; i < kFeaturesMax; ++i) {
    frame.mutable_hello()->add_features(std::string(kFeatureBytesMax, 'x'));
  }
  EXPECT_EQ(Check(frame), "");
  frame.mutable_hello()->mutable_features(3)->push_back('x');
  EXPECT_EQ(Check(frame), "a feature of 65 bytes, more than 64");
  frame.mutable_hello()->mutable_features(3)->pop_back();
  frame.mutable_hello()->add_features("x");
  EXPECT_EQ(Check(frame), "`hello` with 33 features, more than 32");
}

TEST(FrameCheckTest, PayloadsAreBoundedAsTextAndAsData) {
  TaskFrame frame;
  frame.set_attempt_id("j/1");
  struct Kind {
    Payload* (TaskFrame::*payload)();
    size_t bytes_max;
    const char* error;
  };
  for (const Kind& kind : {
           Kind{&TaskFrame::mutable_token, kTokenBytesMax,
                "`token` of 262145 bytes, more than 262144"},
           Kind{&TaskFrame::mutable_checkpoint, kCheckpointBytesMax,
                "`checkpoint` of 1048577 bytes, more than 1048576"},
           Kind{&TaskFrame::mutable_result, kResultBytesMax,
                "`result` of 3145729 bytes, more than 3145728"},
       }) {
    const std::string most(kind.bytes_max, 'x');
    Payload* payload = (frame.*kind.payload)();
    payload->set_text(most);
    EXPECT_EQ(Check(frame), "");
    payload->set_data(most);
    EXPECT_EQ(Check(frame), "");
    payload->set_text(most + "x");
    EXPECT_EQ(Check(frame), kind.error);
    payload->set_data(most + "x");
    EXPECT_EQ(Check(frame), kind.error);
  }
}

TEST(FrameCheckTest, ProgressIsNotNegative) {
  EXPECT_EQ(Check(Frame("attempt_id: 'j/1' progress { done: 5 total: 3 }")),
            "");
  EXPECT_EQ(Check(Frame("attempt_id: 'j/1' progress { done: -1 }")),
            "`progress` of -1 of 0, which is negative");
  EXPECT_EQ(Check(Frame("attempt_id: 'j/1' progress { done: 1 total: -1 }")),
            "`progress` of 1 of -1, which is negative");
}

TEST(PayloadTest, BytesThatAreUtf8AreText) {
  Payload payload;
  SetBytes("käse\n", &payload);
  EXPECT_EQ(payload.text(), "käse\n");
  SetBytes("", &payload);
  EXPECT_TRUE(payload.has_text());
  SetBytes("\xff", &payload);
  EXPECT_EQ(payload.data(), "\xff");
}

TEST(PayloadTest, BytesAreMovedOutOfEither) {
  Payload payload;
  EXPECT_EQ(TakeBytes(&payload), "");
  payload.set_text("text");
  EXPECT_EQ(TakeBytes(&payload), "text");
  payload.set_data("\xff");
  EXPECT_EQ(TakeBytes(&payload), "\xff");
  EXPECT_EQ(payload.content_case(), Payload::CONTENT_NOT_SET);
}

}  // namespace
}  // namespace vigil::worker
