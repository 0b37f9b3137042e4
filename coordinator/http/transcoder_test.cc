// Proves how messages become JSON and come from it.
#include "coordinator/http/transcoder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "vigil/v1/job_service.pb.h"

namespace vigil::coordinator {
namespace {

using testing::HasSubstr;

absl::StatusOr<std::string> Parse(const std::string& json) {
  return ToBinary(v1::SubmitJobRequest::descriptor(), Codec::kJson, json);
}

TEST(TranscoderTest, TakesBothSpellingsOfAField) {
  for (const char* json : {R"({"requestId":"r"})", R"({"request_id":"r"})"}) {
    const absl::StatusOr<std::string> binary = Parse(json);
    ASSERT_TRUE(binary.ok()) << binary.status();
    v1::SubmitJobRequest request;
    ASSERT_TRUE(request.ParseFromString(*binary));
    EXPECT_EQ(request.request_id(), "r");
  }
}

TEST(TranscoderTest, RefusesAFieldThatThereIsNot) {
  const absl::Status status =
      Parse(R"({"spec":{"timeouts":{"inactivty_timeout":"45s"}}})").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("SubmitJobRequest"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("inactivty_timeout"));
}

TEST(TranscoderTest, RefusesWhatIsNotJson) {
  for (const char* json : {"", " \n", "{", "[]", "3", "{}x", "\xff",
                           R"({"requestId":3})", R"({"requestId":"\ud800"})"}) {
    EXPECT_EQ(Parse(json).status().code(), absl::StatusCode::kInvalidArgument)
        << json;
  }
  EXPECT_THAT(std::string(Parse("").status().message()), HasSubstr("is {}"));
}

TEST(TranscoderTest, RefusesJsonThatIsTooDeep) {
  std::string json;
  for (int i = 0; i < 100000; ++i) json += R"({"spec":)";
  EXPECT_EQ(Parse(json).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(TranscoderTest, WritesLowerCamelCaseWithoutWhatIsNotSet) {
  v1::SubmitJobRequest request;
  request.set_request_id("r");
  const absl::StatusOr<std::string> json =
      FromBinary(v1::SubmitJobRequest::descriptor(), Codec::kJson,
                 request.SerializeAsString());
  ASSERT_TRUE(json.ok()) << json.status();
  EXPECT_EQ(*json, R"({"requestId":"r"})");
}

TEST(TranscoderTest, SaysWhatHasNoFormInJson) {
  v1::GetJobResponse response;
  response.mutable_job()->mutable_create_time()->set_seconds(int64_t{1} << 60);
  const absl::Status status =
      FromBinary(v1::GetJobResponse::descriptor(), Codec::kJson,
                 response.SerializeAsString())
          .status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_THAT(std::string(status.message()), HasSubstr("in binary"));
}

TEST(TranscoderTest, RefusesBinaryThatIsNoSuchMessage) {
  // A tag without its end, and a request_id that is not UTF-8.
  for (const char* binary : {"\xff\xff\xff", "\x1a\x01\xff"}) {
    const absl::Status status =
        ToBinary(v1::SubmitJobRequest::descriptor(), Codec::kProto, binary)
            .status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(status.message()), HasSubstr("SubmitJobRequest"));
  }
}

TEST(TranscoderTest, HandsBinaryOnAsItIs) {
  v1::SubmitJobRequest request;
  request.set_request_id("r");
  // With a field that is not known here.
  const std::string binary = request.SerializeAsString() + "\xf8\x07\x01";
  EXPECT_EQ(
      *ToBinary(v1::SubmitJobRequest::descriptor(), Codec::kProto, binary),
      binary);
  EXPECT_EQ(*ToBinary(v1::SubmitJobRequest::descriptor(), Codec::kProto, ""),
            "");
}

TEST(TranscoderTest, DoesNotLookAtBinaryAnswers) {
  EXPECT_EQ(
      *FromBinary(v1::SubmitJobRequest::descriptor(), Codec::kProto, "\xff"),
      "\xff");
}

}  // namespace
}  // namespace vigil::coordinator
