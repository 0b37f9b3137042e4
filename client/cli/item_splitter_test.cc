// Proves how bytes are cut into items, wherever the reads happen to break them.
#include "client/cli/item_splitter.h"

#include <vector>

#include "client/cli/limits.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vigil::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<std::string> Split(ItemSplitter::Separator separator,
                               const std::vector<std::string>& reads) {
  ItemSplitter splitter(separator);
  std::deque<Item> items;
  for (const std::string& read : reads) splitter.Feed(read, &items);
  splitter.Finish(&items);
  std::vector<std::string> texts;
  for (const Item& item : items) texts.push_back(item.text);
  return texts;
}

constexpr auto kNewline = ItemSplitter::Separator::kNewline;
constexpr auto kNul = ItemSplitter::Separator::kNul;

TEST(ItemSplitter, MakesAnItemOfEachLine) {
  EXPECT_THAT(Split(kNewline, {"a\nb c\n"}), ElementsAre("a", "b c"));
}

TEST(ItemSplitter, LastLineNeedsNoEnd) {
  EXPECT_THAT(Split(kNewline, {"a\nb"}), ElementsAre("a", "b"));
}

TEST(ItemSplitter, LeavesEmptyLinesOut) {
  EXPECT_THAT(Split(kNewline, {"\n\na\n\nb\n\n"}), ElementsAre("a", "b"));
  EXPECT_THAT(Split(kNewline, {""}), ElementsAre());
}

TEST(ItemSplitter, JoinsWhatReadsBroke) {
  EXPECT_THAT(Split(kNewline, {"a", "b\nc", "", "\n", "d"}),
              ElementsAre("ab", "c", "d"));
}

TEST(ItemSplitter, NulSeparatedItemsMayHoldLinesAndBeEmpty) {
  EXPECT_THAT(Split(kNul, {std::string("a\nb\0\0c", 6)}),
              ElementsAre("a\nb", "", "c"));
}

TEST(ItemSplitter, CountsFromOne) {
  ItemSplitter splitter(kNewline);
  std::deque<Item> items;
  splitter.Feed("a\n\nb\n", &items);
  ASSERT_EQ(items.size(), 2u);
  EXPECT_EQ(items[0].index, 1);
  EXPECT_EQ(items[1].index, 2);
  EXPECT_EQ(splitter.count(), 2);
}

TEST(ItemSplitter, ItemThatIsNotTextIsMarkedAndTheNextIsNot) {
  ItemSplitter splitter(kNewline);
  std::deque<Item> items;
  splitter.Feed("a\n\xff\nb\n", &items);
  ASSERT_EQ(items.size(), 3u);
  EXPECT_EQ(items[0].error, "");
  EXPECT_EQ(items[1].error, "item 2 is not UTF-8 text and cannot be sent");
  EXPECT_EQ(items[2].error, "");
}

TEST(ItemSplitter, NulWithinALineIsMarked) {
  ItemSplitter splitter(kNewline);
  std::deque<Item> items;
  splitter.Feed(std::string("a\0b\n", 4), &items);
  EXPECT_THAT(items[0].error, HasSubstr("-0"));
}

TEST(ItemSplitter, LongestItemFitsAndALongerOneIsMarkedAndCut) {
  ItemSplitter splitter(kNewline);
  std::deque<Item> items;
  const std::string longest(kItemBytesMax, 'x');
  splitter.Feed(longest + "\n", &items);
  splitter.Feed(longest, &items);
  splitter.Feed("x\nnext\n", &items);
  ASSERT_EQ(items.size(), 3u);
  EXPECT_EQ(items[0].error, "");
  EXPECT_THAT(items[1].error, HasSubstr("item 2 has more than"));
  EXPECT_EQ(items[1].text.size(), kItemBytesMax);
  EXPECT_EQ(items[2].error, "");
  EXPECT_EQ(items[2].text, "next");
}

}  // namespace
}  // namespace vigil::cli
