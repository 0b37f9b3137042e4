// Proves how the values of all types of fields are written, in a type without
// options.
#include "client/cli/command/value_format.h"

#include <string>

#include "absl/strings/string_view.h"
#include "client/cli/command/printer_fixture.h"
#include "client/cli/command/printer_test.pb.h"
#include "gtest/gtest.h"
#include "vigil/v1/job.pb.h"

namespace vigil::cli {
namespace {

using test::Every;

Cell CellOf(const Every& message, const char* field,
            v1::CliColumn::Format format = v1::CliColumn::FORMAT_UNSPECIFIED) {
  return FormatValue(message, *Every::descriptor()->FindFieldByName(field),
                     format, {kTestNow, absl::FixedTimeZone(3600)});
}

// Of the field that the text sets.
std::string TextOf(
    const std::string& text,
    v1::CliColumn::Format format = v1::CliColumn::FORMAT_UNSPECIFIED) {
  const auto message = ParseText<Every>(text);
  return CellOf(message, text.substr(0, text.find_first_of(": {")).c_str(),
                format)
      .text;
}

TEST(FormatValue, WritesNumbersInDigits) {
  EXPECT_EQ(TextOf("small: -7"), "-7");
  EXPECT_EQ(TextOf("large: 9223372036854775807"), "9223372036854775807");
  EXPECT_EQ(TextOf("natural: 4294967295"), "4294967295");
  EXPECT_EQ(TextOf("huge: 18446744073709551615"), "18446744073709551615");
  EXPECT_EQ(TextOf("real: 17.5"), "17.50");
  EXPECT_EQ(TextOf("precise: 0.0012345"), "0.00123");
  EXPECT_EQ(TextOf("precise: 123456.789"), "123456.79");
}

TEST(FormatValue, WritesBytesWithTheirUnitWhereTheNameSaysSo) {
  EXPECT_EQ(TextOf("size_bytes: 1536"), "1.5 KiB");
}

TEST(FormatValue, WritesRatiosAsPercent) {
  EXPECT_EQ(TextOf("precise: 0.125", v1::CliColumn::FORMAT_PERCENT), "12.5 %");
}

TEST(FormatValue, WritesTextInOneLineThatATerminalDoesNotObey) {
  EXPECT_EQ(TextOf("text: 'a\\n\\033[31m\\302\\233m'"), "a\\n\\x1b[31m\\x9bm");
  EXPECT_EQ(TextOf("words: 'a\\r' words: '\\007'"), "a\\x0d,\\x07");
}

TEST(FormatValue, WritesBytesAsTextOnlyIfTheyAreThat) {
  EXPECT_EQ(TextOf("data: 'caf\\303\\251\\n'"), "caf\xc3\xa9\\n");
  EXPECT_EQ(TextOf("data: '\\377\\000'"), "base64:/wA=");
  EXPECT_EQ(TextOf("data: 'a\\033'"), "base64:YRs=");
}

TEST(FormatValue, WritesEnumsWithoutTheirPrefixAndWithTheirTone) {
  const Cell cell =
      CellOf(ParseText<Every>("colour: COLOUR_LIGHT_GREEN"), "colour");
  EXPECT_EQ(cell.text, "LIGHT_GREEN");
  EXPECT_EQ(cell.tone, v1::CLI_TONE_GOOD);
  EXPECT_EQ(TextOf("colour: 99"), "COLOUR_99");
  EXPECT_EQ(TextOf("colours: COLOUR_RED colours: COLOUR_LIGHT_GREEN"),
            "RED,LIGHT_GREEN");
}

TEST(FormatValue, WritesTimesForPeople) {
  EXPECT_EQ(TextOf("delay { seconds: 90 }"), "1m30s");
  EXPECT_EQ(TextOf("end_time { seconds: 1795679900 }"), "2026-11-26 08:58:20");
  EXPECT_EQ(
      TextOf("end_time { seconds: 1795679900 }", v1::CliColumn::FORMAT_AGE),
      "1m40s");
  // Clocks differ a little.
  EXPECT_EQ(
      TextOf("end_time { seconds: 1795680002 }", v1::CliColumn::FORMAT_AGE),
      "0s");
}

TEST(FormatValue, JoinsWhatIsRepeatedAndCountsMessages) {
  EXPECT_EQ(TextOf("numbers: 1 numbers: 0 numbers: 3"), "1,0,3");
  EXPECT_EQ(TextOf("counts { key: 'b' value: 2 } counts { key: 'a' }"),
            "a=0,b=2");
  EXPECT_EQ(TextOf("colour_of { key: 7 value: COLOUR_RED }"), "7=RED");
  EXPECT_EQ(TextOf("rows {} rows {}"), "2");
  EXPECT_EQ(TextOf("row { text: 'a\\n' }"), "{text: \"a\\n\"}");
}

TEST(FormatValue, TellsAbsentFromZeroFromSet) {
  const Every nothing;
  for (const char* field : {"text", "data", "colour", "delay", "end_time",
                            "words", "counts", "maybe", "perhaps", "row"}) {
    EXPECT_EQ(CellOf(nothing, field).kind, Cell::Kind::kAbsent) << field;
  }
  for (const char* field : {"small", "huge", "precise", "flag", "rows"}) {
    EXPECT_EQ(CellOf(nothing, field).kind, Cell::Kind::kZero) << field;
  }
  const auto zeros = ParseText<Every>("maybe: 0 perhaps: false delay {}");
  for (const char* field : {"maybe", "perhaps", "delay"}) {
    EXPECT_EQ(CellOf(zeros, field).kind, Cell::Kind::kSet) << field;
  }
  EXPECT_EQ(CellOf(zeros, "perhaps").text, "no");
}

TEST(EnumName, DropsWholeWordsOnly) {
  EXPECT_EQ(EnumName(*v1::Job::State_descriptor(), v1::Job::STATE_SUCCEEDED),
            "SUCCEEDED");
  EXPECT_EQ(EnumName(*Every::Colour_descriptor(), Every::COLOUR_UNSPECIFIED),
            "UNSPECIFIED");
  EXPECT_EQ(EnumName(*Every::Place_descriptor(), Every::PLACE_UNDER), "UNDER");
}

}  // namespace
}  // namespace vigil::cli
