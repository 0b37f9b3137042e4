// Proves what is offered at each place of a command line, from a table that the
// generator made of protos of the tests' own: what an RPC there adds is
// offered.
#include "client/cli/command/complete.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "client/cli/command/lamp_commands.h"
#include "client/cli/command/testdata/lamp.pb.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vigil::cli {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;

// `line` is what stands behind `vigil`; its last word is completed. Each
// candidate is a word, with its help behind a bar.
std::vector<std::string> Offered(absl::string_view line) {
  std::vector<std::string> offered;
  const Completion completion =
      Complete(LampCommands(), absl::StrSplit(line, ' '));
  for (const Candidate& candidate : completion.candidates) {
    offered.push_back(candidate.help.empty()
                          ? candidate.word
                          : absl::StrCat(candidate.word, "|", candidate.help));
  }
  return offered;
}

// What only others know, with what stands before it and what is typed of it.
std::string Wanted(absl::string_view line) {
  const Completion completion =
      Complete(LampCommands(), absl::StrSplit(line, ' '));
  std::string wants;
  switch (completion.wants) {
    case Completion::Wants::kNothing:
      return "";
    case Completion::Wants::kIds:
      wants =
          absl::StrCat(completion.command->verb, " ", completion.positional);
      break;
    case Completion::Wants::kContexts:
      wants = "contexts";
      break;
    case Completion::Wants::kFiles:
      wants = "files";
      break;
    case Completion::Wants::kPrograms:
      wants = "programs";
      break;
  }
  return absl::StrCat(wants, "|", completion.before, "|", completion.typed);
}

TEST(CompleteTest, WhatOnlyOthersKnowIsAskedForWhereItStands) {
  EXPECT_EQ(Wanted("lamp get "), "get lamp_id||");
  EXPECT_EQ(Wanted("lamp get --namespace foo l"), "get lamp_id||l");
  EXPECT_EQ(Wanted("lamp get l1 "), "");
  EXPECT_EQ(Wanted("lamp get --namespace "), "");
  EXPECT_EQ(Wanted("lamp get --from_file "), "files||");
  EXPECT_EQ(Wanted("lamp get --from-file=a"), "files|--from-file=|a");
  EXPECT_EQ(Wanted("lamp get --context "), "contexts||");
  EXPECT_EQ(Wanted("ping --context=p"), "contexts|--context=|p");
  EXPECT_EQ(Wanted("lamp set --code=@/e"), "files|--code=@|/e");
  EXPECT_EQ(Wanted("lamp set --spares @"), "files|@|");
  EXPECT_EQ(Wanted("lamp set --rooms=@a"), "");
  EXPECT_EQ(Wanted("lamp read "), "programs||");
  EXPECT_EQ(Wanted("lamp read --pages 2 -- c"), "programs||c");
  EXPECT_EQ(Wanted("lamp read cat --from_file"), "files||--from_file");
  EXPECT_EQ(Wanted("lamp get --nosuch="), "");
  EXPECT_EQ(Wanted("lamp nosuch "), "");
}

TEST(CompleteTest, NounsFirst) {
  EXPECT_THAT(
      Offered(""),
      ElementsAre("lamp|Lamps: what the tests of generated commands call",
                  "ping|Whether anybody is there"));
  EXPECT_THAT(Offered("p"), ElementsAre("ping|Whether anybody is there"));
  EXPECT_THAT(Offered("x"), IsEmpty());
}

TEST(CompleteTest, ThenVerbs) {
  EXPECT_THAT(Offered("lamp "),
              ElementsAre("get|Returns one lamp", "list|Lists lamps",
                          "set|Changes a lamp in every way there is",
                          "watch|Streams what a lamp does, from a cursor on",
                          "feed|Takes lamps and says what became of them",
                          "count|Takes lamps and counts them",
                          "read|Runs a program by the light of a lamp"));
  EXPECT_THAT(Offered("lamp g"), ElementsAre("get|Returns one lamp"));
  EXPECT_THAT(Offered("lamps g"), IsEmpty());
}

TEST(CompleteTest, ThenFlagsWithTheFirstSentenceOfTheirHelp) {
  EXPECT_THAT(Offered("lamp get --n"), ElementsAre("--namespace=|The house"));
  EXPECT_THAT(Offered("lamp get l1 --lamp"),
              ElementsAre("--lamp_id=|The lamp"));
  EXPECT_THAT(Offered("lamp set --dim"), ElementsAre("--dimmed"));
  EXPECT_THAT(Offered("lamp set --shade.r"),
              ElementsAre("--shade.reach=|How far it may go"));
  EXPECT_THAT(Offered("lamp list -"),
              Contains("--limit=|Rows to print at most"));
  EXPECT_THAT(Offered("lamp list -"),
              Contains("--all|Print all rows, however many there are"));
  EXPECT_THAT(Offered("ping --time"),
              ElementsAre("--timeout=|How long an answer may take"));
}

TEST(CompleteTest, DashesAreKeptWhereTheyAreTyped) {
  EXPECT_THAT(Offered("lamp get --lamp-"), ElementsAre("--lamp-id=|The lamp"));
  EXPECT_THAT(Offered("lamp get --from-"),
              Contains(::testing::StartsWith("--from-file=|")));
}

TEST(CompleteTest, ValuesOfEnumsBehindEitherFormOfTheFlag) {
  EXPECT_THAT(Offered("lamp set --colour="),
              ElementsAre("--colour=warm-white", "--colour=red"));
  EXPECT_THAT(Offered("lamp set --colour w"), ElementsAre("warm-white"));
  EXPECT_THAT(Offered("lamp set --blinks=red,w"),
              ElementsAre("--blinks=red,warm-white"));
  EXPECT_THAT(Offered("lamp list --colours red,"),
              ElementsAre("red,warm-white", "red,red"));
  EXPECT_THAT(Offered("lamp set --dimmed=t"), ElementsAre("--dimmed=true"));
}

TEST(CompleteTest, FormatsOfOutput) {
  EXPECT_THAT(Offered("lamp get -o json"), ElementsAre("json", "jsonl"));
  EXPECT_THAT(Offered("lamp get --output=w"), ElementsAre("--output=wide"));
}

TEST(CompleteTest, NothingWhereAValueIsFree) {
  EXPECT_THAT(Offered("lamp get "), IsEmpty());
  EXPECT_THAT(Offered("lamp set --watts -"), IsEmpty());
  EXPECT_THAT(Offered("lamp set --watts="), IsEmpty());
  // A switch has no value in the next word.
  EXPECT_THAT(Offered("lamp set --dimmed --n"), ElementsAre("--namespace="));
}

TEST(CompleteTest, NothingInTheWordsOfAProgram) {
  EXPECT_THAT(Offered("lamp read --p"), ElementsAre("--pages="));
  EXPECT_THAT(Offered("lamp read prog --p"), IsEmpty());
  EXPECT_THAT(Offered("lamp read -- --p"), IsEmpty());
  EXPECT_THAT(Offered("lamp read --pages 2 --p"), ElementsAre("--pages="));
}

}  // namespace
}  // namespace vigil::cli
