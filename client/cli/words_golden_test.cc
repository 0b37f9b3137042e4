// Shows, to the letter, what the program says of itself: help, and what a shell
// is given while a command is typed. The texts of all other commands are in
// client/cli/REFERENCE.md.
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/cli/command/golden.h"
#include "client/cli/vigil_fixture.h"
#include "gtest/gtest.h"

namespace vigil::cli {
namespace {

class WordsGoldenTest : public VigilFixture {
 protected:
  // What is written to stdout, which is no terminal.
  std::string Said(std::vector<std::string> words) {
    VigilProcess vigil = Start(std::move(words));
    EXPECT_EQ(vigil.Wait(), 0);
    EXPECT_EQ(vigil.err(), "");
    return vigil.out();
  }
};

TEST_F(WordsGoldenTest, HelpOfTheWhole) {
  ExpectGolden("vigil_help.txt", Said({"--help"}));
}

TEST_F(WordsGoldenTest, HelpOfANoun) {
  ExpectGolden("vigil_help_job.txt", Said({"job", "--help"}));
}

TEST_F(WordsGoldenTest, HelpOfACommand) {
  ExpectGolden("vigil_help_job_list.txt", Said({"help", "job", "list"}));
}

TEST_F(WordsGoldenTest, HelpOfAVerbWrittenByHand) {
  ExpectGolden("vigil_help_watch.txt", Said({"watch", "--help"}));
}

TEST_F(WordsGoldenTest, CompletionOfTheFirstWord) {
  ExpectGolden("vigil_complete.txt", Said({"__complete", ""}));
}

TEST_F(WordsGoldenTest, CompletionOfVerbs) {
  ExpectGolden("vigil_complete_job.txt", Said({"__complete", "job", ""}));
}

TEST_F(WordsGoldenTest, CompletionOfFlags) {
  ExpectGolden("vigil_complete_job_list.txt",
               Said({"__complete", "job", "list", "--"}));
}

TEST_F(WordsGoldenTest, ScriptsOfCompletion) {
  for (const char* shell : {"bash", "zsh", "fish"}) {
    ExpectGolden(absl::StrCat("vigil_completion_", shell, ".txt"),
                 Said({"completion", shell}));
  }
}

}  // namespace
}  // namespace vigil::cli
