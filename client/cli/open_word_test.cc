// Proves what the last word of a command line is taken for.
#include "client/cli/open_word.h"

#include "client/cli/flag_values.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vigil::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Kind = OpenWord::Kind;

class OpenWordTest : public ::testing::Test {
 protected:
  explicit OpenWordTest(
      FlagSet::Positionals positionals = FlagSet::Positionals::kAnywhere)
      : flags_(positionals) {
    flags_.Add({.name = "output_dir",
                .letter = 'o',
                .value = "DIR",
                .help = "Help.",
                .set = SetText(&text_)});
    flags_.Add({.name = "null",
                .letter = '0',
                .help = "Help.",
                .set = SetSwitch(&switch_)});
  }

  OpenWord Find(const std::vector<std::string>& words) {
    return FindOpenWord(flags_, words);
  }

  std::string text_;
  bool switch_ = false;
  FlagSet flags_;
};

class OpenProgramTest : public OpenWordTest {
 protected:
  OpenProgramTest() : OpenWordTest(FlagSet::Positionals::kEndFlags) {}
};

TEST_F(OpenWordTest, IsAFlagBehindADash) {
  EXPECT_EQ(Find({"-"}).kind, Kind::kFlag);
  EXPECT_EQ(Find({"--"}).kind, Kind::kFlag);
  EXPECT_EQ(Find({"word", "--out"}).kind, Kind::kFlag);
}

TEST_F(OpenWordTest, IsAValueBehindEquals) {
  const OpenWord open = Find({"--output-dir=a=b"});
  EXPECT_EQ(open.kind, Kind::kValue);
  ASSERT_NE(open.flag, nullptr);
  EXPECT_EQ(open.flag->name, "output_dir");
  EXPECT_EQ(open.before, "--output-dir=");
  EXPECT_EQ(open.typed, "a=b");
}

TEST_F(OpenWordTest, IsAValueBehindAFlagThatWantsOne) {
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{
           {"--output_dir", "x"}, {"-o", "x"}, {"-0o", "x"}}) {
    const OpenWord open = Find(words);
    EXPECT_EQ(open.kind, Kind::kValue) << words[0];
    EXPECT_EQ(open.flag->name, "output_dir");
    EXPECT_EQ(open.before, "");
    EXPECT_EQ(open.typed, "x");
  }
  EXPECT_EQ(Find({"--null", "x"}).kind, Kind::kWord);
  EXPECT_EQ(Find({"-odir", "x"}).kind, Kind::kWord);
  EXPECT_EQ(Find({"--output_dir=d", "x"}).kind, Kind::kWord);
}

TEST_F(OpenWordTest, OfAFlagThatThereIsNotNothingCanBeSaid) {
  EXPECT_EQ(Find({"--nonsense=x"}).kind, Kind::kUnknown);
}

TEST_F(OpenWordTest, CountsWordsAndNotFlagsOrTheirValues) {
  EXPECT_THAT(Find({"a", "-o", "x", "--null", "b", ""}).words,
              ElementsAre("a", "b"));
  EXPECT_THAT(Find({""}).words, IsEmpty());
  EXPECT_EQ(Find({""}).kind, Kind::kWord);
}

TEST_F(OpenWordTest, DashesEndTheFlags) {
  const OpenWord open = Find({"--", "a", "--out"});
  EXPECT_EQ(open.kind, Kind::kWord);
  EXPECT_THAT(open.words, ElementsAre("a"));
}

TEST_F(OpenProgramTest, AProgramEndsTheFlags) {
  const OpenWord open = Find({"--null", "prog", "--its", "--out"});
  EXPECT_EQ(open.kind, Kind::kWord);
  EXPECT_THAT(open.words, ElementsAre("prog", "--its"));
  EXPECT_EQ(Find({"--null", "--out"}).kind, Kind::kFlag);
}

}  // namespace
}  // namespace vigil::cli
