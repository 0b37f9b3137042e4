// Proves that a (cli_table) is checked: each path leads to a field that can be
// shown as it says, and what does not is told with file and line.
#include "client/cli/generator/tables.h"

#include "absl/strings/str_cat.h"
#include "client/cli/generator/proto_files.h"
#include "gtest/gtest.h"

namespace vigil::cli::generator {
namespace {

// What is wrong with this option of the message M, in line 4.
std::string ProblemsOf(const std::string& option) {
  ProtoFiles files;
  const auto* file =
      files.Add("t.proto", absl::StrCat(R"(syntax = "proto3"; package t;
import "vigil/v1/cli.proto"; import "google/protobuf/timestamp.proto";
import "google/protobuf/duration.proto";
message M { option (vigil.v1.cli_table) = { )",
                                        option, R"( };
  string id = 1;
  Part part = 2;
  repeated Part parts = 3;
  map<string, string> labels = 4;
  google.protobuf.Timestamp time = 5;
  google.protobuf.Duration age = 6;
  double ratio = 7;
  bytes output = 8;
  repeated bytes outputs = 9;
}
message Part { string name = 1; repeated Part parts = 2; })"));
  Problems problems;
  CheckTables({file}, &problems);
  return problems.Text();
}

TEST(TablesTest, AllowsWhatCanBeShown) {
  EXPECT_EQ(ProblemsOf(R"(
      columns: {path: "id"} columns: {path: "part.name"}
      columns: {path: "parts"} columns: {path: "parts[-1].name"}
      columns: {path: "parts[-1].parts"} columns: {path: "labels"}
      columns: {path: "time"} columns: {path: "time", format: FORMAT_AGE}
      columns: {path: "age"} columns: {path: "ratio", format: FORMAT_PERCENT}
      columns: {path: "outputs"} name: "part.name" raw: "output"
      sections: "parts" sections: "parts.parts" sections: "part.parts")"),
            "");
}

TEST(TablesTest, RefusesAPathThatNamesNoField) {
  EXPECT_EQ(ProblemsOf("columns: {path: 'part.nmae'}"),
            "t.proto:4: t.M: (cli_table).columns: \"part.nmae\": t.Part has no "
            "field \"nmae\"");
  EXPECT_EQ(ProblemsOf("sections: ''"),
            "t.proto:4: t.M: (cli_table).sections: \"\": t.M has no field "
            "\"\"");
}

TEST(TablesTest, RefusesAPathThroughAValue) {
  EXPECT_EQ(ProblemsOf("columns: {path: 'id.x'}"),
            "t.proto:4: t.M: (cli_table).columns: \"id.x\": t.M.id has no "
            "fields");
  EXPECT_EQ(ProblemsOf("columns: {path: 'labels.x'}"),
            "t.proto:4: t.M: (cli_table).columns: \"labels.x\": t.M.labels has "
            "no fields");
}

TEST(TablesTest, RefusesAColumnOfManyValues) {
  EXPECT_EQ(ProblemsOf("columns: {path: 'parts.name'}"),
            "t.proto:4: t.M: (cli_table).columns: \"parts.name\": t.M.parts is "
            "repeated: say `parts[-1]` for its last one");
}

TEST(TablesTest, RefusesTheLastOfWhatHasNone) {
  EXPECT_EQ(ProblemsOf("columns: {path: 'id[-1]'}"),
            "t.proto:4: t.M: (cli_table).columns: \"id[-1]\": t.M.id has no "
            "last one");
  EXPECT_EQ(ProblemsOf("columns: {path: 'labels[-1]'}"),
            "t.proto:4: t.M: (cli_table).columns: \"labels[-1]\": t.M.labels "
            "has no last one");
}

TEST(TablesTest, RefusesAMessageAsAColumn) {
  for (const char* path : {"part", "parts[-1]"}) {
    EXPECT_EQ(ProblemsOf(absl::StrCat("columns: {path: '", path, "'}")),
              absl::StrCat("t.proto:4: t.M: (cli_table).columns: \"", path,
                           "\": a message is no column; name one of its "
                           "fields"));
  }
}

TEST(TablesTest, RefusesAFormatOfAnotherType) {
  EXPECT_EQ(ProblemsOf("columns: {path: 'age', format: FORMAT_AGE}"),
            "t.proto:4: t.M: (cli_table).columns: \"age\": FORMAT_AGE is for "
            "an instant");
  EXPECT_EQ(ProblemsOf("columns: {path: 'id', format: FORMAT_PERCENT}"),
            "t.proto:4: t.M: (cli_table).columns: \"id\": FORMAT_PERCENT is "
            "for a ratio");
}

TEST(TablesTest, RefusesASectionThatIsNoTable) {
  for (const char* path : {"id", "part", "labels", "outputs", "parts[-1]"}) {
    EXPECT_EQ(ProblemsOf(absl::StrCat("sections: '", path, "'")),
              absl::StrCat("t.proto:4: t.M: (cli_table).sections: \"", path,
                           "\": a section is a repeated message"));
  }
}

TEST(TablesTest, RefusesANameThatIsNoValue) {
  for (const char* path : {"part", "parts", "outputs", "time"}) {
    EXPECT_EQ(ProblemsOf(absl::StrCat("name: '", path, "'")),
              absl::StrCat("t.proto:4: t.M: (cli_table).name: \"", path,
                           "\": a name is one value"));
  }
}

TEST(TablesTest, RefusesRawOutputThatIsNotBytes) {
  for (const char* path : {"id", "outputs"}) {
    EXPECT_EQ(ProblemsOf(absl::StrCat("raw: '", path, "'")),
              absl::StrCat("t.proto:4: t.M: (cli_table).raw: \"", path,
                           "\": what is written as it is are bytes"));
  }
}

TEST(TablesTest, LooksIntoMessagesOfMessagesAndImports) {
  ProtoFiles files;
  files.Add("imported.proto", R"(syntax = "proto3";
import "vigil/v1/cli.proto";
message Outer {
  message Inner {
    option (vigil.v1.cli_table).name = "nothing";
  }
})");
  const auto* file = files.Add("importer.proto", R"(syntax = "proto3";
import "imported.proto";
message User { Outer outer = 1; })");
  Problems problems;
  CheckTables({file}, &problems);
  EXPECT_EQ(problems.Text(),
            "imported.proto:4: Outer.Inner: (cli_table).name: \"nothing\": "
            "Outer.Inner has no field \"nothing\"");
}

}  // namespace
}  // namespace vigil::cli::generator
