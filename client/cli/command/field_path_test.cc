// Proves which fields a path names, and that a wrong one is refused by name.
#include "client/cli/command/field_path.h"

#include <string>
#include <vector>

#include "client/cli/command/printer_fixture.h"
#include "client/cli/command/printer_test.pb.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vigil::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// The texts at the path.
std::vector<std::string> TextsAt(const char* path, const test::Row& row) {
  const auto parsed = FieldPath::Parse(*test::Row::descriptor(), path);
  EXPECT_TRUE(parsed.ok()) << parsed.status();
  std::vector<std::string> texts;
  parsed->Visit(row, [&](const google::protobuf::Message& holder) {
    texts.push_back(holder.GetReflection()->GetString(holder, &parsed->leaf()));
  });
  return texts;
}

std::string ErrorOf(const char* path) {
  return std::string(
      FieldPath::Parse(*test::Row::descriptor(), path).status().message());
}

TEST(FieldPath, LeadsThroughMessagesAndElements) {
  const auto row = ParseText<test::Row>(R"pb(
    text: "top"
    inner { row_id: "id" }
    parts {
      text: "a"
      parts { text: "a1" }
    }
    parts {
      text: "b"
      parts { text: "b1" }
      parts { text: "b2" }
    }
  )pb");
  EXPECT_THAT(TextsAt("text", row), ElementsAre("top"));
  EXPECT_THAT(TextsAt("inner.row_id", row), ElementsAre("id"));
  EXPECT_THAT(TextsAt("parts[0].text", row), ElementsAre("a"));
  EXPECT_THAT(TextsAt("parts[-1].text", row), ElementsAre("b"));
  EXPECT_THAT(TextsAt("parts[-2].text", row), ElementsAre("a"));
  EXPECT_THAT(TextsAt("parts.text", row), ElementsAre("a", "b"));
  EXPECT_THAT(TextsAt("parts.parts.text", row), ElementsAre("a1", "b1", "b2"));
}

TEST(FieldPath, EndsWhereNothingIsSet) {
  const test::Row row;
  EXPECT_THAT(TextsAt("inner.row_id", row), IsEmpty());
  EXPECT_THAT(TextsAt("parts[-1].text", row), IsEmpty());
  EXPECT_THAT(TextsAt("parts[0].text", row), IsEmpty());
  EXPECT_THAT(TextsAt("parts[7].text", ParseText<test::Row>("parts {}")),
              IsEmpty());
  EXPECT_THAT(TextsAt("parts[-7].text", ParseText<test::Row>("parts {}")),
              IsEmpty());
}

TEST(FieldPath, IsRefusedWhereThereIsNoSuchField) {
  EXPECT_THAT(ErrorOf("inner.txet"), HasSubstr("vigil.cli.test.Row.Inner"));
  EXPECT_THAT(ErrorOf("inner.txet"), HasSubstr("txet"));
  EXPECT_THAT(ErrorOf("text.more"), HasSubstr("no message"));
  EXPECT_THAT(ErrorOf("inner[0].row_id"), HasSubstr("no element"));
  EXPECT_THAT(ErrorOf("parts[x].text"), HasSubstr("no element"));
  EXPECT_THAT(ErrorOf("parts[0.text"), HasSubstr("no element"));
  EXPECT_THAT(ErrorOf("parts[-1]"), HasSubstr("ends with an index"));
  EXPECT_THAT(ErrorOf(""), HasSubstr("no field"));
}

}  // namespace
}  // namespace vigil::cli
