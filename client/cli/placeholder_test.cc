// Proves where an item goes among the words and in the input of a job.
#include "client/cli/placeholder.h"

#include <vector>

#include "client/cli/limits.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vigil::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

using Syntax = InputTemplate::Syntax;

TEST(PlaceItem, ReplacesEveryPlaceholderWithinWords) {
  google::protobuf::RepeatedPtrField<std::string> words;
  for (const char* word : {"cp", "{}", "out/{}.bak", "{}{}"}) words.Add(word);
  EXPECT_TRUE(PlaceItem("x", &words));
  EXPECT_THAT(words, ElementsAre("cp", "x", "out/x.bak", "xx"));
}

TEST(PlaceItem, SaysWhenThereIsNone) {
  google::protobuf::RepeatedPtrField<std::string> words;
  EXPECT_FALSE(PlaceItem("x", &words));
  words.Add("wc");
  EXPECT_FALSE(PlaceItem("x", &words));
  EXPECT_THAT(words, ElementsAre("wc"));
}

TEST(PlaceItem, LeavesPlaceholdersOfTheItemAlone) {
  google::protobuf::RepeatedPtrField<std::string> words;
  for (const char* word : {"a{}", "{}"}) words.Add(word);
  EXPECT_TRUE(PlaceItem("{}", &words));
  EXPECT_THAT(words, ElementsAre("a{}", "{}"));
}

TEST(InputTemplate, PlainPutsTheItemAsItIsInEveryPlace) {
  const InputTemplate text("{}: {{}}\n", Syntax::kPlain);
  EXPECT_TRUE(text.has_place());
  EXPECT_EQ(*text.Fill("a\"{}"), "a\"{}: {a\"{}}\n");
}

TEST(InputTemplate, JsonPutsTheItemEscapedInPlacesWithinStrings) {
  const InputTemplate json(
      R"({"options": {}, "quote\"{}": "-{}-{}", "path": "\\", "o": {}})",
      Syntax::kJson);
  EXPECT_TRUE(json.has_place());
  EXPECT_EQ(*json.Fill("a\"b\\{}\n\xc3\xa4"),
            R"({"options": {}, "quote\"a\"b\\{}\nä": )"
            R"("-a\"b\\{}\nä-a\"b\\{}\nä", "path": "\\", "o": {}})");
}

TEST(InputTemplate, WithoutAPlaceIsTheSameForEveryItem) {
  const InputTemplate plain("same", Syntax::kPlain);
  EXPECT_FALSE(plain.has_place());
  EXPECT_EQ(*plain.Fill("x"), "same");
  const InputTemplate json(R"({"options": {}, "text": "\\"})", Syntax::kJson);
  EXPECT_FALSE(json.has_place());
  EXPECT_EQ(*json.Fill("x"), R"({"options": {}, "text": "\\"})");
  EXPECT_EQ(*InputTemplate("", Syntax::kPlain).Fill("x"), "");
}

TEST(InputTemplate, RefusesAnInputAboveItsBound) {
  const InputTemplate text("{}{}{}", Syntax::kPlain);
  const std::string third(kInputBytesMax / 3, 'x');
  EXPECT_EQ(text.Fill(third)->size(), kInputBytesMax);
  EXPECT_THAT(std::string(text.Fill(third + "x").status().message()),
              HasSubstr("more than 3145728 bytes"));
  // What counts is the escaped item.
  EXPECT_FALSE(InputTemplate("\"{}\"", Syntax::kJson)
                   .Fill(std::string(2 << 20, '"'))
                   .ok());
}

}  // namespace
}  // namespace vigil::cli
