// Proves that text is shown as it is and that no line becomes what it is not.
#include "client/cli/generator/markdown.h"

#include "gtest/gtest.h"

namespace vigil::cli::generator {
namespace {

TEST(MarkdownTest, EscapesWhatMarkdownWouldTakeForItsOwn) {
  EXPECT_EQ(Escaped("a*b <c> [d] e\\f"), "a\\*b \\<c> \\[d\\] e\\\\f");
  EXPECT_EQ(Escaped("max_in_flight VIGIL_ _x"), "max_in_flight VIGIL\\_ \\_x");
}

TEST(MarkdownTest, LeavesCodeAsItIs) {
  EXPECT_EQ(Escaped("`<a_ *>` *"), "`<a_ *>` \\*");
}

TEST(MarkdownTest, WrapsAtTheLastBlankThatFits) {
  const std::string word(39, 'x');
  // 39 + 1 + 40 are 80 columns.
  EXPECT_EQ(Wrapped(word + " " + word + "y", 0), word + " " + word + "y\n");
  EXPECT_EQ(Wrapped(word + " " + word + "yz", 0), word + "\n" + word + "yz\n");
  EXPECT_EQ(Wrapped(word + " " + word + "y", 1),
            " " + word + "\n " + word + "y\n");
  EXPECT_EQ(Wrapped("", 0), "");
}

TEST(MarkdownTest, BeginsNoLineWithAMark) {
  for (const std::string mark : {"-", "+", "*", "#x", ">x", "1.", "24)"}) {
    // The first two words fill 79 columns.
    const std::string first(70, 'x');
    const std::string second(8, 'y');
    EXPECT_EQ(Wrapped(first + " " + second + " " + mark + " z", 0),
              first + "\n" + second + " " + mark + " z\n");
  }
}

TEST(MarkdownTest, BeginsALineWithANumber) {
  const std::string first(77, 'x');
  EXPECT_EQ(Wrapped(first + " 1.5 2", 0), first + "\n1.5 2\n");
}

TEST(MarkdownTest, PartsNoCodeOfALengthThatFits) {
  const std::string before(30, 'x');
  const std::string begin = "`" + std::string(40, 'y');
  const std::string end = std::string(17, 'z') + "`";
  // 60 characters.
  EXPECT_EQ(Wrapped(before + " " + begin + " " + end, 0),
            before + "\n" + begin + " " + end + "\n");
  // One more, and it is as other text.
  EXPECT_EQ(Wrapped(before + " " + begin + " z" + end, 0),
            before + " " + begin + "\nz" + end + "\n");
}

TEST(MarkdownTest, ABlockHasParagraphsAndLists) {
  EXPECT_EQ(Block("One.\n\nTwo:\n- A.\n- B.", 2),
            "  One.\n\n  Two:\n  - A.\n  - B.\n");
  EXPECT_EQ(Block("", 2), "");
}

TEST(MarkdownTest, AnItemHasAHeadAndAComment) {
  EXPECT_EQ(Item("`a`", "One.\n\nTwo.", 0), "- `a`: One.\n\n  Two.\n");
  EXPECT_EQ(Item("`a`", "One:\n- B.", 2), "  - `a`: One:\n    - B.\n");
  EXPECT_EQ(Item("`a`", "", 0), "- `a`\n");
  EXPECT_EQ(Item("", "One.", 0), "- One.\n");
}

TEST(MarkdownTest, AnAnchorIsAsGitHubMakesIt) {
  EXPECT_EQ(Anchor("JobService.GetJob"), "jobservicegetjob");
  EXPECT_EQ(Anchor("vigil job read-output"), "vigil-job-read-output");
  EXPECT_EQ(Anchor("batch_service.proto"), "batch_serviceproto");
}

}  // namespace
}  // namespace vigil::cli::generator
