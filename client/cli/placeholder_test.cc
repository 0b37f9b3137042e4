// Proves where an item goes among the words of a command.
#include "client/cli/placeholder.h"

#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vigil::cli {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> Place(absl::string_view item,
                               const std::vector<std::string>& words) {
  google::protobuf::RepeatedPtrField<std::string> fields(words.begin(),
                                                         words.end());
  PlaceItem(item, &fields);
  return {fields.begin(), fields.end()};
}

TEST(PlaceItem, ReplacesEveryPlaceholderWithinWords) {
  EXPECT_THAT(Place("x", {"cp", "{}", "out/{}.bak", "{}{}"}),
              ElementsAre("cp", "x", "out/x.bak", "xx"));
}

TEST(PlaceItem, BecomesTheLastWordWithoutOne) {
  EXPECT_THAT(Place("x", {"wc", "-l"}), ElementsAre("wc", "-l", "x"));
  EXPECT_THAT(Place("x", {}), ElementsAre("x"));
}

TEST(PlaceItem, LeavesPlaceholdersOfTheItemAlone) {
  EXPECT_THAT(Place("{}", {"echo", "a{}", "{}"}),
              ElementsAre("echo", "a{}", "{}"));
}

}  // namespace
}  // namespace vigil::cli
