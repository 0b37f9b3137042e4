// Proves what --help prints of nouns and commands, from a table that the
// generator made of protos of the tests' own: what an RPC there adds is in it.
#include "client/cli/command/command_help.h"

#include <string>

#include "client/cli/command/command_flags.h"
#include "client/cli/command/command_lookup.h"
#include "client/cli/command/golden.h"
#include "client/cli/command/lamp_commands.h"
#include "client/cli/command/testdata/lamp.pb.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vigil::cli {
namespace {

using ::testing::StartsWith;

const NounSpec& Lamp() { return *FindNoun(LampCommands(), "lamp"); }

std::string HelpOf(const NounSpec& noun, const CommandSpec& command,
                   size_t columns) {
  const MethodShape shape = MethodShape::Of(command);
  CommandFlags flags(command, shape);
  return CommandHelp(noun, command, shape, *flags.set(), columns);
}

TEST(CommandHelpTest, OfANounIsItsCommentAndItsVerbs) {
  ExpectGolden("help_lamp.txt", NounHelp(Lamp(), 80));
}

TEST(CommandHelpTest, OfACommandIsItsCommentItsFlagsAndTheirValues) {
  ExpectGolden("help_lamp_set.txt",
               HelpOf(Lamp(), *FindVerb(Lamp(), "set"), 80));
}

TEST(CommandHelpTest, FitsANarrowTerminal) {
  ExpectGolden("help_lamp_list_narrow.txt",
               HelpOf(Lamp(), *FindVerb(Lamp(), "list"), 50));
}

TEST(CommandHelpTest, OfAStreamSaysWhatIsRead) {
  ExpectGolden("help_lamp_feed.txt",
               HelpOf(Lamp(), *FindVerb(Lamp(), "feed"), 80));
}

TEST(CommandHelpTest, UsageShowsWhereWordsStand) {
  EXPECT_THAT(HelpOf(Lamp(), *FindVerb(Lamp(), "read"), 80),
              StartsWith("usage: vigil lamp read [flags] [--] ARGV...\n"));
  EXPECT_THAT(HelpOf(Lamp(), *FindVerb(Lamp(), "get"), 80),
              StartsWith("usage: vigil lamp get LAMP_ID [flags]\n"));
  const NounSpec& ping = *FindNoun(LampCommands(), "ping");
  EXPECT_THAT(HelpOf(ping, *OnlyCommand(ping), 80),
              StartsWith("usage: vigil ping [flags]\n"));
}

}  // namespace
}  // namespace vigil::cli
