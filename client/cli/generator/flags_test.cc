// Proves which flags a request has, what stands for their values, and that a
// name which means two things is refused. The protos are texts of the test.
#include "client/cli/generator/flags.h"

#include "absl/strings/str_cat.h"
#include "client/cli/generator/limits.h"
#include "client/cli/generator/proto_files.h"
#include "client/cli/generator/reserved_flags.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vigil::cli::generator {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// A method of the request R and what the text adds to it.
class FlagsTest : public ::testing::Test {
 protected:
  std::vector<Flag> Flags(const std::string& messages) {
    const std::string text = absl::StrCat(
        "syntax = \"proto3\"; package t;\n"
        "import \"vigil/v1/cli.proto\";\n"
        "import \"google/protobuf/duration.proto\";\n"
        "service S { rpc M(R) returns (A); }\n",
        messages);
    return RequestFlags(*files_.Add("t.proto", text)->service(0)->method(0),
                        &problems_);
  }

  std::vector<std::string> Names(const std::string& messages) {
    std::vector<std::string> names;
    for (const Flag& flag : Flags(messages)) {
      names.push_back(absl::StrCat(flag.name, "=", flag.path));
    }
    return names;
  }

  ProtoFiles files_;
  Problems problems_;
};

TEST_F(FlagsTest, AFieldWithinAMessageIsADottedFlag) {
  EXPECT_THAT(Names("message R { B b_timeout = 1; string c = 2; }"
                    "message B { google.protobuf.Duration d_timeout = 1; }"
                    "message A {}"),
              ElementsAre("b.d=b_timeout.d_timeout", "c=c"));
  EXPECT_TRUE(problems_.empty());
}

TEST_F(FlagsTest, AFlattenedMessageLendsItsFlagsWithoutItsName) {
  EXPECT_THAT(
      Names("message R { B b = 1 [(vigil.v1.cli_field).flatten = true]; }"
            "message B { string c = 1; D d = 2; }"
            "message D { string e = 1; } message A {}"),
      ElementsAre("c=b.c", "d.e=b.d.e"));
}

TEST_F(FlagsTest, AHiddenFieldHasNoFlag) {
  EXPECT_THAT(Names("message R { B b = 1 [(vigil.v1.cli_field).hidden = true];"
                    " string c = 2; }"
                    "message B { string d = 1; } message A {}"),
              ElementsAre("c=c"));
}

TEST_F(FlagsTest, AMessageWithinItselfIsGivenWhole) {
  const std::vector<Flag> flags = Flags(
      "message R { B b = 1; } message B { string c = 1; B b = 2; }"
      "message A {}");
  ASSERT_EQ(flags.size(), 2u);
  EXPECT_EQ(flags[0].name, "b.c");
  EXPECT_EQ(flags[1].name, "b.b");
  EXPECT_EQ(flags[1].value, "JSON");
}

// R, M0, M1... each within the one before, and a number in the last.
std::string Nested(size_t messages) {
  std::string text = "message R { M0 m = 1; } message A {}";
  for (size_t i = 0; i + 2 < messages; ++i) {
    absl::StrAppend(&text, "message M", i, " { M", i + 1, " m = 1; }");
  }
  return absl::StrCat(text, "message M", messages - 2, " { int32 n = 1; }");
}

TEST_F(FlagsTest, AFieldOfTheDeepestMessageHasAFlag) {
  const std::vector<Flag> flags = Flags(Nested(kFlagDepthMax));
  ASSERT_EQ(flags.size(), 1u);
  EXPECT_EQ(flags[0].name, "m.m.m.m.m.m.m.n");
  EXPECT_EQ(flags[0].value, "N");
}

TEST_F(FlagsTest, AMessageBelowTheDeepestIsGivenWhole) {
  const std::vector<Flag> flags = Flags(Nested(kFlagDepthMax + 1));
  ASSERT_EQ(flags.size(), 1u);
  EXPECT_EQ(flags[0].name, "m.m.m.m.m.m.m.m");
  EXPECT_EQ(flags[0].value, "JSON");
}

TEST_F(FlagsTest, ThePagesOfAPagedMethodHaveNoFlags) {
  EXPECT_THAT(Names("message R { int32 page_size = 1; string page_token = 2;"
                    " string c = 3; B b = 4; }"
                    "message B { int32 page_size = 1; }"
                    "message A { string next_page_token = 1; }"),
              ElementsAre("c=c", "b.page_size=b.page_size"));
}

TEST_F(FlagsTest, AMethodWithoutPagesKeepsFieldsOfTheirNames) {
  EXPECT_THAT(Names("message R { int32 page_size = 1; string page_token = 2; }"
                    "message A {}"),
              ElementsAre("page_size=page_size", "page_token=page_token"));
}

TEST_F(FlagsTest, HelpIsTheFieldsCommentOrElseItsTypes) {
  const std::vector<Flag> flags = Flags(R"(
message R {
  // Of the field.
  E a = 1;
  E b = 2;
  repeated B c = 3;
  map<string, B> d = 4;
}
// Of the enum. More.
enum E { E_UNSPECIFIED = 0; E_X = 1; E_Y = 2; }
// Of the message. More.
message B { int32 n = 1; }
message A {})");
  ASSERT_EQ(flags.size(), 4u);
  EXPECT_EQ(flags[0].help, "Of the field.");
  EXPECT_EQ(flags[1].help, "Of the enum.");
  EXPECT_EQ(flags[2].help, "Of the message.");
  EXPECT_EQ(flags[3].help, "");
}

// An enum of so many values of a length, without the one that is none.
std::string Enum(size_t values, size_t length) {
  std::string text = "enum E { E_UNSPECIFIED = 0;";
  for (size_t i = 1; i <= values; ++i) {
    absl::StrAppend(&text, " E_", std::string(length - 1, 'A'),
                    std::string(1, 'A' + i), " = ", i, ";");
  }
  return text + " }";
}

TEST_F(FlagsTest, ShortValuesOfAnEnumStandForItsValue) {
  // With their bars they are as long as kEnumValuesLengthMax.
  EXPECT_EQ(Flags("message R { E e = 1; } message A {}" + Enum(3, 16))[0].value,
            "AAAAAAAAAAAAAAAB|AAAAAAAAAAAAAAAC|AAAAAAAAAAAAAAAD");
}

TEST_F(FlagsTest, AnEnumOfOneValueStandsByItsName) {
  EXPECT_EQ(Flags("message R { E e = 1; } message A {}" + Enum(1, 2))[0].value,
            "E");
}

TEST_F(FlagsTest, LongValuesOfAnEnumAreItsName) {
  const std::vector<Flag> flags =
      Flags("message R { E e = 1; map<string, E> m = 2; } message A {}" +
            Enum(3, 17));
  EXPECT_EQ(flags[0].value, "E");
  EXPECT_EQ(flags[1].value, "KEY=VALUE");
}

TEST_F(FlagsTest, RefusesAFlagThatTwoFieldsHave) {
  Flags(
      "message R { string c = 1;\n"
      " B b = 2 [(vigil.v1.cli_field).flatten = true]; }\n"
      "message B {\n string c = 1; } message A {}");
  EXPECT_EQ(problems_.Text(),
            "t.proto:8: t.B.c: its flag --c is also that of t.R.c "
            "(t.proto:5); give one of them another name, or no flag by "
            "(cli_field).hidden");
}

TEST_F(FlagsTest, RefusesFieldsThatDifferOnlyInTimeout) {
  Flags("message R { string c = 1;\n string c_timeout = 2; } message A {}");
  EXPECT_THAT(problems_.Text(), HasSubstr("t.proto:6: t.R.c_timeout: its flag "
                                          "--c is also that of t.R.c"));
}

TEST_F(FlagsTest, RefusesTheCommandLinesOwnFlags) {
  for (absl::string_view name : kReservedFlags) {
    ProtoFiles files;
    Problems problems;
    const auto* file = files.Add(
        "r.proto", absl::StrCat("syntax = \"proto3\";"
                                "service S { rpc M(R) returns (R); }\n"
                                "message R { string ",
                                name, " = 1; }"));
    RequestFlags(*file->service(0)->method(0), &problems);
    EXPECT_EQ(problems.Text(),
              absl::StrCat("r.proto:2: R.", name, ": its flag --", name,
                           " is the command line's own; give the field another "
                           "name, or no flag by (cli_field).hidden"));
  }
}

TEST_F(FlagsTest, AllowsTheCommandLinesNamesWithinMessages) {
  EXPECT_THAT(Names("message R { B b = 1; } message B { string limit = 1; }"
                    "message A {}"),
              ElementsAre("b.limit=b.limit"));
  EXPECT_TRUE(problems_.empty());
}

TEST_F(FlagsTest, RefusesToFlattenWhatHasNoFlagsOfItsOwn) {
  Flags(
      "message R { repeated B b = 1 [(vigil.v1.cli_field).flatten = true];\n"
      "string c = 2 [(vigil.v1.cli_field).flatten = true]; }"
      "message B { string d = 1; } message A {}");
  EXPECT_THAT(problems_.Text(), HasSubstr("t.proto:5: t.R.b: "));
  EXPECT_THAT(problems_.Text(), HasSubstr("t.proto:6: t.R.c: "));
}

TEST_F(FlagsTest, AnEmptyRequestHasNoFlags) {
  EXPECT_THAT(Names("message R {} message A {}"), IsEmpty());
}

}  // namespace
}  // namespace vigil::cli::generator
