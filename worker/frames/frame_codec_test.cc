// Proves that frames come out as they went in, whatever the pieces, and that
// what is no frame is refused, bounded and quoted. Bytes go in, frames come
// out.
#include "worker/frames/frame_codec.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "vigil/task/v1/frames.pb.h"
#include "worker/frames/limits.h"

namespace vigil::worker {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::vigil::task::v1::TaskFrame;
using ::vigil::task::v1::WorkerFrame;

TaskFrame Token(const std::string& text) {
  TaskFrame frame;
  frame.set_attempt_id("j/1");
  frame.mutable_token()->set_text(text);
  return frame;
}

// The texts of token frames as they come out, and the error after them.
struct Read {
  std::vector<std::string> tokens;
  absl::Status status;
};

// Everything that is there now.
void ReadAll(FrameDecoder& decoder, Read& read) {
  TaskFrame frame;
  while (true) {
    const absl::StatusOr<bool> next = decoder.Next(&frame);
    if (!next.ok()) {
      read.status = next.status();
      return;
    }
    if (!*next) return;
    read.tokens.push_back(frame.token().text());
  }
}

Read Decode(FrameFormat format, absl::string_view bytes, size_t piece) {
  FrameDecoder decoder(format);
  Read read;
  for (; !bytes.empty(); bytes.remove_prefix(std::min(piece, bytes.size()))) {
    decoder.Add(bytes.substr(0, piece));
    ReadAll(decoder, read);
  }
  return read;
}

// Why a line of JSON is refused; empty if it is not.
std::string LineError(absl::string_view line) {
  return std::string(
      Decode(FrameFormat::kJson, absl::StrCat(line, "\n"), 1 << 20)
          .status.message());
}

class FrameCodecTest : public testing::TestWithParam<FrameFormat> {};

INSTANTIATE_TEST_SUITE_P(Formats, FrameCodecTest,
                         testing::Values(FrameFormat::kJson,
                                         FrameFormat::kProtobuf));

TEST_P(FrameCodecTest, FramesComeOutAsTheyWentInWhateverThePieces) {
  // Newlines, quotes, NUL and letters of every length lie inside a frame.
  const std::vector<std::string> tokens = {"one",
                                           "",
                                           "two\r\n\n",
                                           std::string("\0\"\\\x7f", 4),
                                           "käse € \U0001f4a9",
                                           std::string(5000, 'x'),
                                           "\u2028\ufeff\uffff"};
  std::string bytes;
  for (const std::string& token : tokens) {
    absl::StrAppend(&bytes, EncodeFrame(GetParam(), Token(token)));
  }
  for (const size_t piece : {1, 2, 3, 7, 100, 1 << 20}) {
    const Read read = Decode(GetParam(), bytes, piece);
    EXPECT_TRUE(read.status.ok()) << read.status;
    EXPECT_EQ(read.tokens, tokens) << piece;
  }
}

TEST_P(FrameCodecTest, EveryFieldSurvives) {
  WorkerFrame frame;
  frame.set_attempt_id("j/7");
  frame.set_optional(true);
  auto& start = *frame.mutable_start();
  start.mutable_input()->set_data(std::string("\xff\0\n", 3));
  start.mutable_checkpoint();  // There, and empty.
  start.set_job_id("j");
  start.set_attempt(7);
  start.set_namespace_("default");
  start.mutable_start_to_close_timeout()->set_nanos(5'000'000);
  FrameDecoder decoder(GetParam());
  decoder.Add(EncodeFrame(GetParam(), frame));
  WorkerFrame read;
  read.set_attempt_id("of the last frame");
  read.mutable_stop();
  ASSERT_TRUE(decoder.Next(&read).value());
  EXPECT_EQ(read.SerializeAsString(), frame.SerializeAsString());
}

TEST_P(FrameCodecTest, AnIncompleteFrameIsHeldUntilTheRestComes) {
  const std::string bytes = EncodeFrame(GetParam(), Token("one"));
  FrameDecoder decoder(GetParam());
  TaskFrame frame;
  decoder.Add(bytes.substr(0, bytes.size() - 1));
  EXPECT_FALSE(decoder.Next(&frame).value());
  EXPECT_FALSE(decoder.Next(&frame).value());
  EXPECT_EQ(decoder.held_bytes(), bytes.size() - 1);
  decoder.Add(bytes.substr(bytes.size() - 1));
  EXPECT_TRUE(decoder.Next(&frame).value());
  EXPECT_EQ(decoder.held_bytes(), 0u);
}

TEST_P(FrameCodecTest, APieceMayEndALongFrameAndHoldAShortOne) {
  const std::string bytes =
      absl::StrCat(EncodeFrame(GetParam(), Token(std::string(500, 'x'))),
                   EncodeFrame(GetParam(), Token("two")));
  EXPECT_THAT(Decode(GetParam(), bytes, 400).tokens,
              ElementsAre(std::string(500, 'x'), "two"));
}

TEST_P(FrameCodecTest, AfterAnErrorThereIsOnlyThatErrorAndNothingHeld) {
  // A line that is not JSON; 110 bytes that are no message.
  std::string bytes = EncodeFrame(GetParam(), Token("one"));
  absl::StrAppend(&bytes, "no frame\n", std::string(200, 'n'), "\n",
                  EncodeFrame(GetParam(), Token("two")));
  FrameDecoder decoder(GetParam());
  Read read;
  decoder.Add(bytes);
  ReadAll(decoder, read);
  EXPECT_THAT(read.tokens, ElementsAre("one"));
  const absl::Status first = read.status;
  EXPECT_TRUE(absl::IsInvalidArgument(first));
  EXPECT_THAT(std::string(first.message()), HasSubstr(": \""));
  decoder.Add(EncodeFrame(GetParam(), Token("three")));
  ReadAll(decoder, read);
  EXPECT_THAT(read.tokens, ElementsAre("one"));
  EXPECT_EQ(read.status, first);
  EXPECT_EQ(decoder.held_bytes(), 0u);
}

TEST_P(FrameCodecTest, UnknownFieldsAreIgnored) {
  const std::string bytes =
      GetParam() == FrameFormat::kJson
          ? "{\"later\": [{\"a\": null}], \"attempt_id\": \"j/1\", "
            "\"token\": {\"text\": \"one\", \"x\": 1}}\n"
          // Field 100 of the frame, a varint, before what EncodeFrame gives.
          : absl::StrCat(std::string("\x0f\xa0\x06\x05", 4),
                         Token("one").SerializeAsString());
  EXPECT_THAT(Decode(GetParam(), bytes, 1).tokens, ElementsAre("one"));
}

TEST(FrameCodecJsonTest, AFrameIsOneLineWithTheNamesOfTheProto) {
  EXPECT_EQ(EncodeFrame(FrameFormat::kJson, Token("a\nb")),
            "{\"attempt_id\":\"j/1\",\"token\":{\"text\":\"a\\nb\"}}\n");
}

TEST(FrameCodecJsonTest, TakesCarriageReturnsSpacesAndBothFieldNames) {
  const Read read = Decode(FrameFormat::kJson,
                           "{\"token\":{\"text\":\"one\"}}\r\n"
                           "  { \"attemptId\": \"j/1\", \"token\" :\t"
                           "{\"text\": \"\\u0074wo\"}} \n",
                           1);
  EXPECT_TRUE(read.status.ok()) << read.status;
  EXPECT_THAT(read.tokens, ElementsAre("one", "two"));
}

TEST(FrameCodecJsonTest, AnEmptyObjectIsAFrameOfNoKind) {
  FrameDecoder decoder(FrameFormat::kJson);
  decoder.Add("{}\n");
  TaskFrame frame = Token("of the last frame");
  EXPECT_TRUE(decoder.Next(&frame).value());
  EXPECT_EQ(frame.ByteSizeLong(), 0u);
}

TEST(FrameCodecJsonTest, AnEmptyLineIsRefused) {
  EXPECT_EQ(LineError(""), "an empty line where a frame should be");
  EXPECT_EQ(LineError("\r"), "an empty line where a frame should be");
}

TEST(FrameCodecJsonTest, WhatIsNotAJsonObjectIsRefused) {
  for (const char* line :
       {" ", "null", "5", "\"x\"", "[]", "[{}]", "{", "{}{}", "{} x", "\x7f",
        "{\"token\":{\"text\":\"one\"}", "{\"token\":\"one\"}",
        "{\"token\":{\"data\":\"!\"}}", "{\"started\":{},\"heartbeat\":{}}",
        "{\"token\":{\"text\":\"\\ud800\"}}"}) {
    EXPECT_THAT(LineError(line),
                testing::StartsWith("a line that is not a frame in JSON ("))
        << line;
  }
}

TEST(FrameCodecJsonTest, BytesThatAreNotUtf8AreRefusedAndEscaped) {
  for (const char* bytes : {"\xff", "\xc3(", "\xed\xa0\x80", "\xf0\x9f"}) {
    const std::string error =
        LineError(absl::StrCat("{\"token\":{\"text\":\"", bytes, "\"}}"));
    EXPECT_THAT(error, HasSubstr("UTF-8"));
    EXPECT_THAT(error, HasSubstr("\\x"));
    EXPECT_THAT(error, Not(HasSubstr(bytes)));
  }
}

TEST(FrameCodecJsonTest, DeepNestingIsRefused) {
  EXPECT_NE(LineError(absl::StrCat("{\"x\":", std::string(1 << 20, '['))), "");
}

TEST(FrameCodecJsonTest, AnErrorQuotesTheLineAndCutsIt) {
  EXPECT_THAT(LineError("Loading \"model\"\x1b[0m"),
              AllOf(HasSubstr(": \"Loading \\\"model\\\"\\x1b[0m\""),
                    Not(HasSubstr("..."))));
  const std::string error = LineError(
      absl::StrCat("{\"optional\":\"", std::string(100'000, 'x'), "\"}"));
  EXPECT_THAT(error, HasSubstr("xxx...\""));
  EXPECT_LT(error.size(), 2 * kFrameQuoteBytesMax + 100);
}

TEST(FrameCodecJsonTest, ALineOfTheMaximumIsTakenAndALongerOneRefusedAtOnce) {
  const std::string frame = "{\"token\":{\"text\":\"one\"}}";
  const std::string line =
      frame + std::string(kFrameBytesMax - frame.size(), ' ');
  Read read = Decode(FrameFormat::kJson, line + "\n", 64 << 10);
  EXPECT_THAT(read.tokens, ElementsAre("one"));
  EXPECT_TRUE(read.status.ok()) << read.status;

  // With its newline, and before that.
  EXPECT_THAT(LineError(line + " "),
              HasSubstr("a line of more than 4198400 bytes: \"{"));
  FrameDecoder decoder(FrameFormat::kJson);
  decoder.Add(line);
  TaskFrame next;
  EXPECT_FALSE(decoder.Next(&next).value());
  decoder.Add(" ");
  EXPECT_TRUE(absl::IsInvalidArgument(decoder.Next(&next).status()));
}

TEST(FrameCodecProtobufTest, AFrameIsItsLengthAndTheMessage) {
  EXPECT_EQ(EncodeFrame(FrameFormat::kProtobuf, Token(std::string(300, 'x'))),
            absl::StrCat("\xb7\x02",
                         Token(std::string(300, 'x')).SerializeAsString()));
}

TEST(FrameCodecProtobufTest, ALengthOfZeroIsAFrameOfNoKind) {
  FrameDecoder decoder(FrameFormat::kProtobuf);
  decoder.Add(absl::string_view("\0", 1));
  TaskFrame frame = Token("of the last frame");
  EXPECT_TRUE(decoder.Next(&frame).value());
  EXPECT_EQ(frame.ByteSizeLong(), 0u);
}

TEST(FrameCodecProtobufTest, AFrameOfTheMaximumIsTakenAndALongerLengthRefused) {
  TaskFrame frame;
  frame.mutable_result()->set_data(std::string(kFrameBytesMax - 10, 'x'));
  ASSERT_EQ(frame.ByteSizeLong(), kFrameBytesMax);
  Read read = Decode(FrameFormat::kProtobuf,
                     EncodeFrame(FrameFormat::kProtobuf, frame), 64 << 10);
  EXPECT_EQ(read.tokens.size(), 1u);
  EXPECT_TRUE(read.status.ok()) << read.status;

  // 4,198,401 as a varint; nothing of the message is there yet.
  read = Decode(FrameFormat::kProtobuf, "\x81\xa0\x80\x02", 1);
  EXPECT_EQ(read.status.message(),
            "a frame of 4198401 bytes, more than 4198400: "
            "\"\\x81\\xa0\\x80\\x02\"");
}

TEST(FrameCodecProtobufTest, ALengthOfMoreThanFiveBytesIsRefused) {
  const std::string zero_in_five("\x80\x80\x80\x80\0", 5);
  Read read = Decode(FrameFormat::kProtobuf, zero_in_five, 1);
  EXPECT_EQ(read.tokens.size(), 1u);
  EXPECT_TRUE(read.status.ok()) << read.status;
  read = Decode(FrameFormat::kProtobuf, std::string(5, '\x80'), 1);
  EXPECT_THAT(std::string(read.status.message()), HasSubstr("not a varint"));
  read = Decode(FrameFormat::kProtobuf, "\xff\xff\xff\xff\x7f", 1);
  EXPECT_THAT(std::string(read.status.message()),
              HasSubstr("a frame of 34359738367 bytes"));
}

TEST(FrameCodecProtobufTest, WhatIsNotAMessageIsRefusedAndQuoted) {
  // A field that is cut; a text that is not UTF-8, in a token.
  for (const absl::string_view bytes :
       {absl::string_view("\x02\x0a\x05", 3),
        absl::string_view("\x05\x22\x03\x0a\x01\xff", 6)}) {
    const Read read = Decode(FrameFormat::kProtobuf, bytes, 1);
    EXPECT_THAT(read.tokens, IsEmpty());
    EXPECT_THAT(
        std::string(read.status.message()),
        AllOf(HasSubstr("not a protobuf message: \""), HasSubstr("\\x")));
  }
}

TEST(FrameCodecProtobufTest, TheMaximumCanBeChosen) {
  FrameDecoder decoder(FrameFormat::kProtobuf, 3);
  TaskFrame frame;
  decoder.Add(absl::string_view("\x02\x78\x01\x04", 4));
  EXPECT_TRUE(decoder.Next(&frame).value());
  EXPECT_TRUE(frame.optional());
  EXPECT_FALSE(decoder.Next(&frame).ok());
}

}  // namespace
}  // namespace vigil::worker
