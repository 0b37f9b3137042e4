// Proves how words become flags: forms, spelling, errors, and the table for
// --help. No process surroundings are involved.
#include "client/cli/flags.h"

#include "client/cli/flag_values.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vigil::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class FlagSetTest : public ::testing::Test {
 protected:
  explicit FlagSetTest(
      FlagSet::Positionals positionals = FlagSet::Positionals::kEndFlags)
      : flags_(positionals) {
    flags_.Add({.name = "shutdown_grace",
                .value = "DURATION",
                .help = "Help.",
                .set = SetText(&grace_)});
    flags_.Add({.name = "jobs",
                .letter = 'j',
                .value = "N",
                .help = "Help.",
                .set = SetText(&jobs_)});
    flags_.Add({.name = "null",
                .letter = '0',
                .help = "Help.",
                .set = SetSwitch(&null_)});
  }

  absl::StatusOr<std::vector<std::string>> Parse(
      const std::vector<std::string>& arguments) {
    return flags_.Parse(arguments);
  }

  std::string grace_;
  std::string jobs_;
  bool null_ = false;
  FlagSet flags_;
};

class InterspersedFlagSetTest : public FlagSetTest {
 protected:
  InterspersedFlagSetTest() : FlagSetTest(FlagSet::Positionals::kAnywhere) {}
};

TEST_F(FlagSetTest, TakesValueBehindEqualsOrAsNextWord) {
  ASSERT_TRUE(Parse({"--shutdown_grace=3s"}).ok());
  EXPECT_EQ(grace_, "3s");
  ASSERT_TRUE(Parse({"--shutdown_grace", "4s"}).ok());
  EXPECT_EQ(grace_, "4s");
  ASSERT_TRUE(Parse({"--shutdown_grace=a=b"}).ok());
  EXPECT_EQ(grace_, "a=b");
}

TEST_F(FlagSetTest, TakesDashesAndUnderscoresAlike) {
  ASSERT_TRUE(Parse({"--shutdown-grace=3s"}).ok());
  EXPECT_EQ(grace_, "3s");
}

TEST_F(FlagSetTest, TakesLettersTogetherAndWithTheirValue) {
  ASSERT_TRUE(Parse({"-0j8"}).ok());
  EXPECT_TRUE(null_);
  EXPECT_EQ(jobs_, "8");
  ASSERT_TRUE(Parse({"-j", "9"}).ok());
  EXPECT_EQ(jobs_, "9");
}

TEST_F(FlagSetTest, SwitchCanBeTurnedOff) {
  ASSERT_TRUE(Parse({"--null", "--null=false"}).ok());
  EXPECT_FALSE(null_);
  EXPECT_FALSE(Parse({"--null=maybe"}).ok());
}

TEST_F(FlagSetTest, DashesEndTheFlags) {
  EXPECT_THAT(*Parse({"-0", "--", "ls", "--null", "--", "x"}),
              ElementsAre("ls", "--null", "--", "x"));
}

TEST_F(FlagSetTest, ProgramEndsTheFlags) {
  EXPECT_THAT(*Parse({"-0", "ls", "-l", "--unknown"}),
              ElementsAre("ls", "-l", "--unknown"));
}

TEST_F(FlagSetTest, SingleDashIsAWord) {
  EXPECT_THAT(*Parse({"-", "x"}), ElementsAre("-", "x"));
}

TEST_F(InterspersedFlagSetTest, FlagsMayStandBehindWords) {
  EXPECT_THAT(*Parse({"job", "-j", "3", "other"}), ElementsAre("job", "other"));
  EXPECT_EQ(jobs_, "3");
}

TEST_F(FlagSetTest, UnknownFlagNamesTheNearest) {
  const absl::Status status = Parse({"--shutdown-grave=3s"}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("--shutdown_grace"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("`--shutdown-grave`"));
  EXPECT_FALSE(Parse({"-x"}).ok());
}

TEST_F(FlagSetTest, MissingValueIsAnError) {
  EXPECT_THAT(std::string(Parse({"--jobs"}).status().message()),
              HasSubstr("--jobs=N"));
  EXPECT_FALSE(Parse({"-j"}).ok());
}

TEST_F(FlagSetTest, ErrorOfAValueNamesItsFlag) {
  flags_.Add({.name = "startup",
              .value = "DURATION",
              .help = "Help.",
              .set = [](absl::string_view) {
                return absl::InvalidArgumentError("not good");
              }});
  EXPECT_EQ(Parse({"--startup=x"}).status().message(), "--startup: not good");
}

TEST_F(FlagSetTest, DescribesItsFlagsWithinEightyColumns) {
  flags_.Add({.name = "long",
              .value = "VALUE",
              .help = std::string(60, 'a') + " " + std::string(40, 'b'),
              .set = SetText(&grace_)});
  const std::string text = flags_.Describe();
  EXPECT_THAT(text, HasSubstr("  -j, --jobs=N                Help.\n"));
  EXPECT_THAT(text, HasSubstr("\n" + std::string(30, ' ') +
                              std::string(40, 'b') + "\n"));
}

}  // namespace
}  // namespace vigil::cli
