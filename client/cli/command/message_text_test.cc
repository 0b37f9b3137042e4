// Proves which texts are messages, and what is said of those that are not.
#include "client/cli/command/message_text.h"

#include <string>

#include "client/cli/command/testdata/lamp.pb.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vigil::cli {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::SetLampRequest;

// The message, or why there is none.
std::string Parsed(absl::string_view text) {
  SetLampRequest request;
  const absl::Status status = ParseMessage(text, &request);
  return status.ok() ? request.ShortDebugString()
                     : std::string(status.message());
}

TEST(ParseMessageTest, ReadsEitherForm) {
  EXPECT_EQ(Parsed("lamp_id: 'a'"), "lamp_id: \"a\"");
  EXPECT_EQ(Parsed(" \n{\"lamp_id\": \"a\"}"), "lamp_id: \"a\"");
  EXPECT_EQ(Parsed(""), "");
}

TEST(ParseMessageTest, PassesOverAByteOrderMark) {
  EXPECT_EQ(Parsed("\xef\xbb\xbf{\"watts\": 5}"), "watts: 5");
  EXPECT_EQ(Parsed("\xef\xbb\xbfwatts: 5"), "watts: 5");
}

TEST(ParseMessageTest, AListIsJsonAndNoMessage) {
  EXPECT_THAT(Parsed("[{\"watts\": 5}]"), HasSubstr("SetLampRequest as JSON"));
}

TEST(ParseMessageTest, NamesTheFieldWhoseTextIsNotUtf8) {
  EXPECT_EQ(Parsed("lamp_id: '\\xff'"), "`lamp_id` is not UTF-8 text");
  EXPECT_EQ(Parsed("rooms: 'a' rooms: '\\xff'"), "`rooms` is not UTF-8 text");
  EXPECT_EQ(Parsed("shade { cloth: '\\xff' }"),
            "`shade.cloth` is not UTF-8 text");
  EXPECT_EQ(Parsed("spares { lamp_id: 'a' } spares { lamp_id: '\\xff' }"),
            "`spares.lamp_id` is not UTF-8 text");
  EXPECT_EQ(Parsed("labels { key: 'k' value: '\\xff' }"),
            "`labels.value` is not UTF-8 text");
  EXPECT_EQ(Parsed("code: '\\xff'"), "code: \"\\377\"");
  EXPECT_THAT(Parsed("{\"lamp_id\": \"\xff\"}"),
              EndsWith("SetLampRequest as JSON: it is not UTF-8 text"));
}

TEST(ParseMessageTest, SaysWhereAnErrorIsInOneLine) {
  EXPECT_THAT(Parsed("watts: 5\nwatt: 5"),
              HasSubstr("as textproto: line 2, column 5: "));
  // It may be one of many lines, whose number is told already.
  EXPECT_THAT(Parsed("watt: 5\n"), AllOf(HasSubstr("as textproto: column 5: "),
                                         Not(HasSubstr("line "))));
  EXPECT_THAT(Parsed("{\"watts\": 5\n 7}"),
              AllOf(HasSubstr("as JSON: "), Not(HasSubstr("^")),
                    Not(HasSubstr("\\n"))));
}

}  // namespace
}  // namespace vigil::cli
