// Proves that text fits into any width, and what it gives up first.
#include "client/cli/fitted_text.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vigil::cli {
namespace {

using ::testing::ElementsAre;

const Style kPlain(Style::Colour::kNone);
const Style kAnsi(Style::Colour::kAnsi);

TEST(WrapPieces, SharesLinesWhereThereIsRoomAndCutsWhatIsTooLong) {
  const std::vector<Toned> pieces = {{"abc"}, {""}, {"defg"}, {"hi"}};
  EXPECT_THAT(WrapPieces(pieces, 80, kPlain), ElementsAre("abc  defg  hi"));
  EXPECT_THAT(WrapPieces(pieces, 9, kPlain), ElementsAre("abc  defg", "hi"));
  EXPECT_THAT(WrapPieces(pieces, 8, kPlain), ElementsAre("abc", "defg  hi"));
  EXPECT_THAT(WrapPieces({{"abcdefgh"}}, 5, kPlain), ElementsAre("ab..."));
}

TEST(WrapPieces, DoesNotCountColoursAsWidth) {
  EXPECT_THAT(WrapPieces({{"ab", Tone::kBad}, {"cd", Tone::kGood}}, 6, kAnsi),
              ElementsAre("\033[31mab\033[0m  \033[32mcd\033[0m"));
}

const std::vector<FittedColumn> kTable = {
    {"NAME", 9},
    {"N", 2, FittedColumn::Side::kRight},
    {"ID", 1, FittedColumn::Side::kLeft, 6},
    {"NONE", 10}};
const std::vector<std::vector<Toned>> kRows = {
    {{"first"}, {"1"}, {"0123456789"}, {}}, {{"2nd"}, {"10"}, {}, {}}};

TEST(FitTable, AlignsItsColumnsAndLeavesEmptyOnesOut) {
  EXPECT_THAT(
      FitTable(kTable, kRows, 80, kPlain),
      ElementsAre("NAME    N  ID", "first   1  0123456789", "2nd    10"));
}

TEST(FitTable, CutsCellsThenLeavesOutTheLeastImportantColumns) {
  EXPECT_THAT(FitTable(kTable, kRows, 18, kPlain),
              ElementsAre("NAME    N  ID", "first   1  0123...", "2nd    10"));
  EXPECT_THAT(FitTable(kTable, kRows, 16, kPlain),
              ElementsAre("NAME    N", "first   1", "2nd    10"));
  EXPECT_THAT(FitTable(kTable, kRows, 8, kPlain),
              ElementsAre("NAME", "first", "2nd"));
  EXPECT_THAT(FitTable(kTable, kRows, 4, kPlain),
              ElementsAre("NAME", "f...", "2nd"));
}

TEST(FitTable, IsNeverWiderThanItsTerminal) {
  for (size_t columns = 0; columns < 40; ++columns) {
    for (const std::string& line : FitTable(kTable, kRows, columns, kPlain)) {
      EXPECT_LE(line.size(), columns) << line;
    }
  }
}

TEST(FitTable, ColoursTheTextAndNotTheBlanks) {
  EXPECT_THAT(
      FitTable({{"A"}, {"B"}}, {{{"x", Tone::kBad}, {"y"}}}, 9, kAnsi),
      ElementsAre("\033[2mA\033[0m  \033[2mB\033[0m", "\033[31mx\033[0m  y"));
}

TEST(ShareRows, GivesEachWhatItWantsOrAnEqualShareOfTheRest) {
  EXPECT_THAT(ShareRows({2, 9, 4}, 15), ElementsAre(2, 9, 4));
  EXPECT_THAT(ShareRows({2, 9, 4}, 10), ElementsAre(2, 4, 4));
  EXPECT_THAT(ShareRows({2, 9, 9}, 12), ElementsAre(2, 5, 5));
  EXPECT_THAT(ShareRows({2, 9, 4}, 0), ElementsAre(0, 0, 0));
  EXPECT_THAT(ShareRows({}, 5), ElementsAre());
}

}  // namespace
}  // namespace vigil::cli
