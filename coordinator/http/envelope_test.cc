// Proves what is an envelope and what is not, byte by byte.
#include "coordinator/http/envelope.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace vigil::coordinator {
namespace {

using std::string_literals::operator""s;

std::string ErrorFor(const std::string& body) {
  const absl::StatusOr<absl::string_view> message = OnlyMessage(body);
  EXPECT_EQ(message.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(message.status().message());
}

TEST(EnvelopeTest, HasFlagsLengthAndMessage) {
  EXPECT_EQ(Enveloped(EnvelopeKind::kMessage, ""), "\0\0\0\0\0"s);
  EXPECT_EQ(Enveloped(EnvelopeKind::kMessage, "abc"), "\0\0\0\0\3abc"s);
  EXPECT_EQ(Enveloped(EnvelopeKind::kEndStream, "{}"), "\2\0\0\0\2{}"s);
}

TEST(EnvelopeTest, CountsInFourBytesTheMostSignificantFirst) {
  const std::string envelope =
      Enveloped(EnvelopeKind::kMessage, std::string(0x010203, 'x'));
  EXPECT_EQ(envelope.substr(0, kEnvelopeHeadBytes), "\0\0\1\2\3"s);
  EXPECT_EQ(envelope.size(), kEnvelopeHeadBytes + 0x010203);
}

TEST(EnvelopeTest, GivesTheOneMessageBack) {
  for (const std::string& message :
       {""s, "{}"s, std::string(255, 'a'), std::string(256, 'b'),
        std::string(70000, 'c')}) {
    const std::string body = Enveloped(EnvelopeKind::kMessage, message);
    const absl::StatusOr<absl::string_view> found = OnlyMessage(body);
    ASSERT_TRUE(found.ok()) << found.status();
    EXPECT_EQ(*found, message);
  }
}

TEST(EnvelopeTest, RefusesAHeadThatIsCutShort) {
  EXPECT_THAT(ErrorFor(""), testing::HasSubstr("has 0 bytes"));
  EXPECT_THAT(ErrorFor("\0\0\0\0"s), testing::HasSubstr("has 4 bytes"));
}

TEST(EnvelopeTest, RefusesAMessageOfAnotherLength) {
  EXPECT_THAT(ErrorFor("\0\0\0\0\3ab"s),
              testing::HasSubstr("has 3 bytes, and 2 follow"));
  EXPECT_THAT(ErrorFor("\0\0\0\0\3abcd"s),
              testing::HasSubstr("has 3 bytes, and 4 follow"));
  EXPECT_THAT(ErrorFor("\0\xff\xff\xff\xff"s),
              testing::HasSubstr("has 4294967295 bytes, and 0 follow"));
}

TEST(EnvelopeTest, RefusesASecondMessage) {
  EXPECT_THAT(ErrorFor(Enveloped(EnvelopeKind::kMessage, "{}") +
                       Enveloped(EnvelopeKind::kMessage, "{}")),
              testing::HasSubstr("send exactly one message"));
}

TEST(EnvelopeTest, RefusesFlagsThatARequestMayNotHave) {
  EXPECT_THAT(ErrorFor("\1\0\0\0\0"s), testing::HasSubstr("identity"));
  EXPECT_THAT(ErrorFor("\3\0\0\0\0"s), testing::HasSubstr("identity"));
  EXPECT_THAT(ErrorFor("\2\0\0\0\2{}"s), testing::HasSubstr("flags are 2"));
  EXPECT_THAT(ErrorFor("\x80\0\0\0\0"s), testing::HasSubstr("flags are 128"));
}

}  // namespace
}  // namespace vigil::coordinator
