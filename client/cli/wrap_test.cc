// Proves how help is broken into lines.
#include "client/cli/wrap.h"

#include "gtest/gtest.h"

namespace vigil::cli {
namespace {

TEST(WrapTest, BreaksBetweenWordsAtTheWidthAndNotBefore) {
  EXPECT_EQ(Wrap("one two three", 7, 0), "one two\nthree\n");
  EXPECT_EQ(Wrap("one two three", 6, 0), "one\ntwo\nthree\n");
  EXPECT_EQ(Wrap("one two", 9, 2), "  one two\n");
  EXPECT_EQ(Wrap("one two", 8, 2), "  one\n  two\n");
}

TEST(WrapTest, LineBreaksMeanNothingAndEmptyLinesPartParagraphs) {
  EXPECT_EQ(Wrap("one\ntwo\n\n\nthree\n", 80, 0), "one two\n\nthree\n");
}

TEST(WrapTest, ListItemsHang) {
  EXPECT_EQ(Wrap("Errors:\n- AB: it is\n  so.\n- CD.\n\nEnd.", 9, 1),
            " Errors:\n - AB: it\n   is so.\n - CD.\n\n End.\n");
  EXPECT_EQ(Wrap("Text.\n\n- item", 80, 0), "Text.\n\n- item\n");
}

TEST(WrapTest, AWordLongerThanTheLineIsNotCut) {
  EXPECT_EQ(Wrap("a abcdefgh b", 4, 0), "a\nabcdefgh\nb\n");
}

TEST(WrapTest, CountsCharactersAndNotBytes) {
  EXPECT_EQ(Wrap("\xc3\xa4\xc3\xb6 \xc3\xbc", 4, 0),
            "\xc3\xa4\xc3\xb6 \xc3\xbc\n");
}

TEST(WrapTest, NothingIsNothing) { EXPECT_EQ(Wrap(" \n", 80, 2), ""); }

}  // namespace
}  // namespace vigil::cli
