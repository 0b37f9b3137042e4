// Proves which bytes are UTF-8, at the edges of every form. Each case lies
// alone, and after ASCII that is looked at eight bytes at a time.
#include "base/utf8.h"

#include <string>
#include <string_view>

#include "gtest/gtest.h"

namespace vigil {
namespace {

void ExpectUtf8(const std::string& bytes, bool expected) {
  EXPECT_EQ(IsUtf8(bytes), expected) << testing::PrintToString(bytes);
  for (size_t before = 1; before <= 9; ++before) {
    EXPECT_EQ(IsUtf8(std::string(before, 'a') + bytes + "b"), expected)
        << before << testing::PrintToString(bytes);
  }
}

TEST(Utf8Test, CharactersOfEveryLength) {
  for (const char* text :
       {"", "a", "\x7f", "\u0080", "\u07ff", "\u0800", "\ud7ff", "\ue000",
        "\uffff", "\U00010000", "\U0010ffff", "käse €"}) {
    ExpectUtf8(text, true);
  }
  ExpectUtf8(std::string(1, '\0'), true);
}

TEST(Utf8Test, NoOverlongFormsSurrogatesOrPieces) {
  for (const char* text :
       {"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc2", "\xc3(", "\xe0\x9f\xbf",
        "\xe2\x82", "\xed\xa0\x80", "\xed\xbf\xbf", "\xf0\x8f\xbf\xbf",
        "\xf0\x9f\x92", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff"}) {
    ExpectUtf8(text, false);
  }
}

TEST(Utf8Test, WhatLiesBehindTheTextIsNotLookedAt) {
  EXPECT_FALSE(IsUtf8(std::string_view("€", 2)));
  EXPECT_TRUE(IsUtf8(std::string_view("a€", 1)));
}

TEST(Utf8Test, WhatIsNotUtf8IsEscapedAndTheWholeCutAtACharacter) {
  EXPECT_EQ(ToUtf8("käse €", 100), "käse €");
  EXPECT_EQ(ToUtf8("a\xff\xc3(", 100), "a\\xff\\xc3(");
  EXPECT_EQ(ToUtf8("€€", 6), "€€");
  EXPECT_EQ(ToUtf8("€€", 5), "€");
  EXPECT_EQ(ToUtf8("a\xff", 4), "a");
}

}  // namespace
}  // namespace vigil
