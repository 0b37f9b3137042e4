// Proves how words find commands, and what is said of those that do not.
#include "client/cli/command/command_lookup.h"

#include "client/cli/command/lamp_commands.h"
#include "gtest/gtest.h"

namespace vigil::cli {
namespace {

TEST(CommandLookupTest, FindsNounsAndVerbsWithDashesOrUnderscores) {
  const NounSpec* lamp = FindNoun(LampCommands(), "lamp");
  ASSERT_NE(lamp, nullptr);
  ASSERT_NE(FindVerb(*lamp, "get"), nullptr);
  EXPECT_EQ(FindVerb(*lamp, "get")->method,
            "/vigil.cli.testing.LampService/GetLamp");
  EXPECT_EQ(FindNoun(LampCommands(), "lamps"), nullptr);
  EXPECT_EQ(FindVerb(*lamp, ""), nullptr);
  CommandSpec command{};
  command.verb = "set-slots";
  NounSpec noun{};
  noun.commands = absl::MakeConstSpan(&command, 1);
  EXPECT_EQ(FindVerb(noun, "set_slots"), &command);
}

TEST(CommandLookupTest, ANounWithOneMethodIsItsCommand) {
  const NounSpec* ping = FindNoun(LampCommands(), "ping");
  ASSERT_NE(ping, nullptr);
  const CommandSpec* only = OnlyCommand(*ping);
  ASSERT_NE(only, nullptr);
  EXPECT_EQ(CommandName(*ping, *only), "ping");
  EXPECT_EQ(FindVerb(*ping, ""), nullptr);
  const NounSpec* lamp = FindNoun(LampCommands(), "lamp");
  EXPECT_EQ(OnlyCommand(*lamp), nullptr);
  EXPECT_EQ(CommandName(*lamp, *FindVerb(*lamp, "list")), "lamp list");
}

TEST(CommandLookupTest, AMisspeltVerbIsCorrected) {
  const NounSpec* lamp = FindNoun(LampCommands(), "lamp");
  EXPECT_EQ(NoSuchVerb(*lamp, "wach"),
            "lamp has no `wach`; did you mean `watch`? (see `vigil lamp "
            "--help`)");
  EXPECT_EQ(NoSuchVerb(*lamp, "illuminate"),
            "lamp has no `illuminate` (see `vigil lamp --help`)");
}

}  // namespace
}  // namespace vigil::cli
