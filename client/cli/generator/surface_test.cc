// Proves which commands protos give, in which order, and that what cannot be a
// command is refused with file and line. The protos are texts of the test.
#include "client/cli/generator/surface.h"

#include "absl/strings/str_cat.h"
#include "client/cli/generator/proto_files.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vigil::cli::generator {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// The text of a proto, its services from line 4.
std::string Proto(const std::string& services) {
  return absl::StrCat(R"(syntax = "proto3";
package t;
import "vigil/v1/cli.proto";
)",
                      services, R"(
message R {
  string job_id = 1;
  In in = 2;
  map<string, string> labels = 3;
  repeated string words = 4;
}
message In { string name = 1; }
message A {})");
}

std::vector<std::string> Names(const Surface& surface) {
  std::vector<std::string> names;
  for (const Noun& noun : surface) {
    for (const Command& command : noun.commands) {
      names.push_back(absl::StrCat(noun.noun, " ", command.verb));
    }
  }
  return names;
}

class SurfaceTest : public ::testing::Test {
 protected:
  Surface Make(const std::string& services) {
    const absl::StatusOr<Surface> surface =
        MakeSurface({files_.Add("t.proto", Proto(services))});
    EXPECT_TRUE(surface.ok()) << surface.status();
    return surface.value_or(Surface());
  }

  std::string ProblemOf(const std::string& services) {
    return std::string(MakeSurface({files_.Add("t.proto", Proto(services))})
                           .status()
                           .message());
  }

  ProtoFiles files_;
};

TEST_F(SurfaceTest, AMethodIsACommand) {
  EXPECT_THAT(Names(Make("service JobService { rpc GetJob(R) returns (A);"
                         " rpc ListJobs(R) returns (A); }")),
              ElementsAre("job get", "job list"));
}

TEST_F(SurfaceTest, TheOnlyMethodOfAServiceIsItsNoun) {
  EXPECT_THAT(Names(Make("service JobService { rpc GetJob(R) returns (A); }")),
              ElementsAre("job "));
}

TEST_F(SurfaceTest, AVerbCanBeGivenInstead) {
  EXPECT_THAT(Names(Make("service JobService { rpc GetJob(R) returns (A) {"
                         " option (vigil.v1.cli_method).verb = \"look-at\"; }"
                         " rpc ListJobs(R) returns (A); }")),
              ElementsAre("job look-at", "job list"));
}

TEST_F(SurfaceTest, AHiddenServiceHasNoCommands) {
  EXPECT_THAT(
      Names(Make("service JobService {"
                 " option (vigil.v1.cli_service).hidden = true;"
                 " rpc GetJob(R) returns (A); rpc ListJobs(R) returns (A); }")),
      IsEmpty());
}

TEST_F(SurfaceTest, AServiceWithoutMethodsHasNoNoun) {
  EXPECT_TRUE(Make("service JobService {}").empty());
}

TEST_F(SurfaceTest, FilesAreInOrderOfTheirNames) {
  const auto* b = files_.Add("b.proto",
                             "syntax = \"proto3\"; message B {}"
                             "service XService { rpc M(B) returns (B); }"
                             "service AService { rpc M(B) returns (B); }");
  const auto* a = files_.Add("a.proto",
                             "syntax = \"proto3\"; message C {}"
                             "service ZService { rpc M(C) returns (C); }");
  const absl::StatusOr<Surface> surface = MakeSurface({b, a});
  ASSERT_TRUE(surface.ok());
  EXPECT_THAT(Names(*surface), ElementsAre("z ", "x ", "a "));
}

TEST_F(SurfaceTest, HelpIsTheCommentAndItsFirstSentence) {
  const Surface surface = Make(R"(
// Jobs. All of them.
service JobService {
  // Gets one.
  // Or none.
  //
  // - NOT_FOUND: none.
  rpc GetJob(R) returns (A);
})");
  EXPECT_EQ(surface[0].summary, "Jobs.");
  EXPECT_EQ(surface[0].help, "Jobs. All of them.");
  EXPECT_EQ(surface[0].commands[0].summary, "Gets one.");
  EXPECT_EQ(surface[0].commands[0].help,
            "Gets one. Or none.\n\n- NOT_FOUND: none.");
}

TEST_F(SurfaceTest, ANounsIdIsAWord) {
  EXPECT_THAT(Make("service JobService { rpc Get(R) returns (A); }")[0]
                  .commands[0]
                  .positionals,
              ElementsAre("job_id"));
}

TEST_F(SurfaceTest, AnotherNounsIdIsNone) {
  EXPECT_THAT(Make("service TaskService { rpc Get(R) returns (A); }")[0]
                  .commands[0]
                  .positionals,
              IsEmpty());
}

TEST_F(SurfaceTest, WordsCanBeGivenInstead) {
  EXPECT_THAT(
      Make("service JobService { rpc Get(R) returns (A) {"
           " option (vigil.v1.cli_method).positionals = \"in.name\";"
           " option (vigil.v1.cli_method).positionals = \"words\"; } }")[0]
          .commands[0]
          .positionals,
      ElementsAre("in.name", "words"));
}

// Two methods, so that their verbs count; the second is in line 5.
std::string WithOption(const std::string& option) {
  return absl::StrCat(
      "service JobService { rpc GetJob(R) returns (A);\n"
      "rpc SubmitJob(R) returns (A) { option (vigil.v1.cli_method).",
      option, "; } }");
}

TEST_F(SurfaceTest, RefusesAWordOfNoField) {
  for (const char* path : {"in", "in.nmae", "name", "in.name.x", ""}) {
    ProtoFiles files;
    EXPECT_EQ(
        MakeSurface({files.Add("t.proto", Proto(WithOption(absl::StrCat(
                                              "positionals = '", path, "'"))))})
            .status()
            .message(),
        absl::StrCat("t.proto:5: t.JobService.SubmitJob: "
                     "(cli_method).positionals: \"",
                     path, "\": no field that has a flag has this path"));
  }
}

TEST_F(SurfaceTest, RefusesAWordOfAMap) {
  EXPECT_THAT(ProblemOf(WithOption("positionals = 'labels'")),
              HasSubstr("\"labels\": a map is no word"));
}

TEST_F(SurfaceTest, RefusesWordsBehindARepeatedField) {
  EXPECT_EQ(ProblemOf(WithOption("positionals = 'words';"
                                 "option (vigil.v1.cli_method).positionals = "
                                 "'job_id'")),
            "t.proto:5: t.JobService.SubmitJob: (cli_method).positionals: "
            "\"words\": a repeated field takes all words, so it is the last "
            "one");
}

TEST_F(SurfaceTest, RefusesAWordTwice) {
  EXPECT_THAT(ProblemOf(WithOption("positionals = 'job_id';"
                                   "option (vigil.v1.cli_method).positionals "
                                   "= 'job_id'")),
              HasSubstr("\"job_id\": is there twice"));
}

TEST_F(SurfaceTest, RefusesAVerbThatCannotBeTyped) {
  EXPECT_EQ(ProblemOf(WithOption("verb = 'Submit one'")),
            "t.proto:5: t.JobService.SubmitJob: (cli_method).verb: \"Submit "
            "one\" is not words of small letters and digits, joined by dashes");
}

TEST_F(SurfaceTest, RefusesAVerbThatTwoMethodsHave) {
  EXPECT_EQ(ProblemOf("service JobService { rpc SubmitJob(R) returns (A);\n"
                      "rpc SubmitJobs(R) returns (A); }"),
            "t.proto:5: t.JobService.SubmitJobs: its command `job submit` is "
            "also that of SubmitJob (t.proto:4); give one of them another by "
            "(cli_method).verb");
}

TEST_F(SurfaceTest, RefusesAMethodWithoutAVerb) {
  EXPECT_EQ(ProblemOf("service JobService { rpc GetJob(R) returns (A);\n"
                      "rpc Jobs(R) returns (A); }"),
            "t.proto:5: t.JobService.Jobs: its name without the noun \"job\" "
            "is empty; give it a verb by (cli_method).verb");
}

TEST_F(SurfaceTest, RefusesANounThatTwoServicesHave) {
  EXPECT_EQ(ProblemOf("service Job { rpc Get(R) returns (A); }\n"
                      "service JobService { rpc Get(R) returns (A); }"),
            "t.proto:5: t.JobService: its noun `job` is also that of t.Job "
            "(t.proto:4)");
}

TEST_F(SurfaceTest, TellsAllThatIsWrongAtOnce) {
  EXPECT_THAT(ProblemOf(WithOption("verb = 'X'; option "
                                   "(vigil.v1.cli_method).positionals = 'x'")),
              HasSubstr("joined by dashes\nt.proto:5: "));
}

}  // namespace
}  // namespace vigil::cli::generator
