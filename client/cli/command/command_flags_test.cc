// Proves which flags a generated command has, and how its words are read.
#include "client/cli/command/command_flags.h"

#include <set>
#include <string>
#include <vector>

#include "client/cli/command/command_lookup.h"
#include "client/cli/command/lamp_commands.h"
#include "client/cli/command/testdata/lamp.pb.h"
#include "client/cli/generator/reserved_flags.h"
#include "client/cli/limits.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vigil::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class CommandFlagsTest : public ::testing::Test {
 protected:
  // The flags of `vigil lamp VERB` after the words were read.
  CommandFlags& Parsed(const std::string& verb,
                       const std::vector<std::string>& words) {
    const CommandSpec& command =
        *FindVerb(*FindNoun(LampCommands(), "lamp"), verb);
    flags_ = std::make_unique<CommandFlags>(command, MethodShape::Of(command));
    status_ = flags_->Parse(words);
    return *flags_;
  }

  std::unique_ptr<CommandFlags> flags_;
  absl::Status status_;
};

TEST_F(CommandFlagsTest, FieldsAreFlagsInTheirOrder) {
  const auto& request =
      Parsed("set", {"--watts=5", "l1", "--shade.reach", "2s", "--dimmed"})
          .values()
          .request;
  ASSERT_TRUE(status_.ok()) << status_;
  ASSERT_EQ(request.flags.size(), 3u);
  EXPECT_EQ(request.flags[0].flag->path, "watts");
  EXPECT_EQ(request.flags[1].flag->path, "shade.reach_timeout");
  EXPECT_EQ(request.flags[1].value, "2s");
  EXPECT_EQ(request.flags[2].value, "true");
  EXPECT_THAT(request.positionals, ElementsAre("l1"));
}

TEST_F(CommandFlagsTest, AListIsLimitedUnlessAllOfItIsWanted) {
  EXPECT_EQ(Parsed("list", {}).values().limit, kRowsDefault);
  EXPECT_EQ(Parsed("list", {"--limit=7"}).values().limit, 7);
  EXPECT_EQ(Parsed("list", {"--all"}).values().limit, std::nullopt);
  Parsed("list", {"--all", "--limit=7"});
  EXPECT_EQ(status_.message(), "--limit and --all exclude each other");
  Parsed("list", {"--limit=0"});
  EXPECT_THAT(status_.message(), HasSubstr("whole number from 1"));
  Parsed("get", {"--limit=7"});
  EXPECT_THAT(status_.message(), HasSubstr("unknown flag `--limit`"));
}

TEST_F(CommandFlagsTest, AStreamMayLastForEver) {
  EXPECT_EQ(Parsed("get", {}).values().timeout, kCommandTimeout);
  EXPECT_EQ(Parsed("watch", {}).values().timeout, absl::InfiniteDuration());
  EXPECT_EQ(Parsed("watch", {"--timeout=2s"}).values().timeout,
            absl::Seconds(2));
  Parsed("get", {"--timeout=0"});
  EXPECT_THAT(status_.message(), HasSubstr("--timeout: `0` is no time at all"));
}

TEST_F(CommandFlagsTest, TheWordsOfAProgramAreItsOwn) {
  const auto& read =
      Parsed("read", {"--pages=2", "prog", "--pages=3", "x"}).values();
  ASSERT_TRUE(status_.ok()) << status_;
  EXPECT_EQ(read.request.flags.size(), 1u);
  EXPECT_THAT(read.request.positionals, ElementsAre("prog", "--pages=3", "x"));
}

TEST_F(CommandFlagsTest, AMisspeltFlagIsCorrected) {
  Parsed("set", {"--shade.reech=2s"});
  EXPECT_EQ(status_.message(),
            "unknown flag `--shade.reech`; did you mean --shade.reach?");
}

TEST_F(CommandFlagsTest, AnUnknownFormatIsRefused) {
  EXPECT_EQ(Parsed("get", {"-ojson"}).values().output, OutputFormat::kJson);
  Parsed("get", {"-oyaml"});
  EXPECT_THAT(status_.message(), HasSubstr("yaml"));
}

TEST_F(CommandFlagsTest, ItsOwnNamesAreReserved) {
  for (const char* verb : {"list", "watch", "feed"}) {
    CommandFlags& flags = Parsed(verb, {});
    bool own = false;
    for (const Flag& flag : flags.set()->flags()) {
      // Those that the fields gave come before.
      own = own || flag.name == "output";
      EXPECT_TRUE(!own || IsReservedFlag(flag.name)) << flag.name;
    }
    EXPECT_TRUE(own);
  }
}

TEST_F(CommandFlagsTest, WhatMayBeGivenManyTimesSaysSo) {
  const std::string help = Parsed("set", {}).set()->Describe();
  EXPECT_THAT(help, HasSubstr("May be given many times."));
  EXPECT_THAT(help, HasSubstr("May be many, with commas between."));
}

}  // namespace
}  // namespace vigil::cli
