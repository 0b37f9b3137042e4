// Proves by messages of its own what is data and what is talk, in each shape
// that a call's answers can have, and that a printer minds a reader that left.
#include "client/cli/command/printer.h"

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "client/cli/command/printer_fixture.h"
#include "client/cli/command/printer_test.pb.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vigil::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

template <typename Response>
std::string Printed(const std::string& text, OutputFormat format) {
  return PrintedPages(std::vector<Response>{ParseText<Response>(text)},
                      PlainOptions(format));
}

template <typename Event>
std::string PrintedEvent(const std::string& text, OutputFormat format) {
  return PrintedEvents(std::vector<Event>{ParseText<Event>(text)},
                       PlainOptions(format));
}

absl::Status NameOf(const google::protobuf::Descriptor& type,
                    Streaming streaming) {
  return Printer::Check(type, streaming, OutputFormat::kName);
}

TEST(Printer, ShowsAllSimpleFieldsOfATypeWithoutOptions) {
  EXPECT_EQ(
      Printed<test::ListEveryResponse>(
          "things { small: 1 text: 'a' flag: true }", OutputFormat::kTable),
      "SMALL  LARGE  NATURAL  HUGE  REAL  PRECISE  FLAG  TEXT  DATA  "
      "COLOUR  DELAY  END TIME  SIZE  WORDS  NUMBERS  COLOURS  COUNTS  "
      "COLOUR OF  MAYBE  PERHAPS  PLACE\n"
      "1      0      0        0     0     0        yes   a     -     "
      "-       -      -         0 B   -      -        -        -       "
      "-          -      -        -\n");
}

TEST(Printer, ShowsTheMessageInAnAnswerWithWhatStandsBesideIt) {
  const char kResponse[] = R"pb(
    row {
      inner { row_id: "r1" size_bytes: 2048 }
      parts {
        text: "first"
        parts { text: "deep" }
      }
      parts { text: "last" }
      start_time { seconds: 1795679990 }
    }
    existed: true
  )pb";
  const char kLines[] =
      "ROW:        r1\n"
      "SIZE:       2.0 KiB\n"
      "RATIO:      0.0 %\n"
      "PARTS:      2\n"
      "LAST PART:  last\n"
      "ALL PARTS:  first,last\n"
      "INNER:      {row_id: \"r1\" size_bytes: 2048}\n"
      "AGE:        10s\n"
      "EXISTED:    yes\n"
      "\n"
      "parts:\n";
  EXPECT_EQ(Printed<test::GetRowResponse>(kResponse, OutputFormat::kTable),
            absl::StrCat(kLines,
                         "  ROW  SIZE  TEXT   RATIO\n"
                         "  -    -     first  0.0 %\n"
                         "  -    -     last   0.0 %\n"
                         "\n"
                         "parts:\n"
                         "  ROW  SIZE  TEXT  RATIO\n"
                         "  -    -     deep  0.0 %\n"));
  EXPECT_THAT(
      Printed<test::GetRowResponse>(kResponse, OutputFormat::kWide),
      AllOf(HasSubstr(kLines), HasSubstr("TEXT   RATIO  PARTS  LAST PART")));
  EXPECT_EQ(Printed<test::GetRowResponse>(kResponse, OutputFormat::kName),
            "r1\n");
}

TEST(Printer, ShowsAnAnswerByItselfThatHoldsNoOrSeveralMessages) {
  EXPECT_EQ(Printed<test::ScalarsResponse>("answer: 'yes' number: 0",
                                           OutputFormat::kTable),
            "ANSWER:  yes\nNUMBER:  0\n");
  EXPECT_EQ(Printed<test::SeveralResponse>("first {} answer: 'yes'",
                                           OutputFormat::kTable),
            "ANSWER:  yes\n");
}

TEST(Printer, SaysWhatAnAnswerDoesNotHold) {
  EXPECT_EQ(Printed<test::EmptyResponse>("", OutputFormat::kTable),
            "stderr: done\n");
  EXPECT_EQ(Printed<test::EmptyResponse>("", OutputFormat::kJson), "{}\n");
  EXPECT_EQ(Printed<test::GetRowResponse>("", OutputFormat::kTable),
            "stderr: no row\n");
  EXPECT_EQ(Printed<test::ListRowsResponse>("", OutputFormat::kTable),
            "stderr: no rows of it\n");
  EXPECT_EQ(Printed<test::ListRowsResponse>("", OutputFormat::kName),
            "stderr: no rows of it\n");
  EXPECT_EQ(Printed<test::ListRowsResponse>("", OutputFormat::kJsonl), "");
}

TEST(Printer, MergesPagesIntoOneJsonDocument) {
  const std::vector<test::ListRowsResponse> pages = {
      ParseText<test::ListRowsResponse>(
          "rows_of_it { text: 'a' } warnings: 'w1' total: 7 "
          "next_page_token: 't1'"),
      ParseText<test::ListRowsResponse>("next_page_token: 't2'"),
      ParseText<test::ListRowsResponse>(
          "rows_of_it { text: 'b' } rows_of_it {} warnings: 'w2' total: 8")};
  EXPECT_EQ(PrintedPages(pages, PlainOptions(OutputFormat::kJson)),
            R"({
 "rows_of_it": [
  {
   "text": "a"
  },
  {
   "text": "b"
  },
  {}
 ],
 "warnings": [
  "w1",
  "w2"
 ],
 "total": 8
}
)");
}

TEST(Printer, WritesNoControlCharactersOfTwoBytesIntoJsonOrText) {
  const char kResponse[] = "rows_of_it { text: 'a\\302\\233m' }";
  EXPECT_EQ(Printed<test::ListRowsResponse>(kResponse, OutputFormat::kJsonl),
            "{\"text\":\"a\\u009bm\"}\n");
  EXPECT_EQ(
      Printed<test::ListRowsResponse>(kResponse, OutputFormat::kTextproto),
      "text: \"a\\302\\233m\"\n");
}

TEST(Printer, ShowsEventsWithoutRowsAsRows) {
  const std::vector<test::RowEvent> events = {
      ParseText<test::RowEvent>("row { inner { row_id: 'r1' } }"),
      ParseText<test::RowEvent>(""),
      ParseText<test::RowEvent>("row { inner { row_id: 'r2' } }")};
  EXPECT_EQ(PrintedEvents(events, PlainOptions(OutputFormat::kTable)),
            "ROW  SIZE  TEXT  RATIO\n"
            "r1   0 B   -     0.0 %\n"
            "r2   0 B   -     0.0 %\n");
  EXPECT_EQ(PrintedEvents(events, PlainOptions(OutputFormat::kName)),
            "r1\nr2\n");
}

TEST(Printer, FindsWhatAProgramWroteTwoLevelsDown) {
  const char kEvent[] = R"pb(
    envelope {
      letter {
        piece { data: "raw\033\377" }
        row {
          inner { row_id: "r1" }
          text: "two words"
        }
        cursor: "c"
      }
    }
  )pb";
  EXPECT_EQ(PrintedEvent<test::RawEvent>(kEvent, OutputFormat::kTable),
            "raw\x1b\xff"
            "stderr: row r1: two words\n");
}

TEST(Printer, RefusesNamesOfWhatHasNone) {
  EXPECT_TRUE(
      NameOf(*test::ListRowsResponse::descriptor(), Streaming::kNone).ok());
  EXPECT_TRUE(
      NameOf(*test::GetRowResponse::descriptor(), Streaming::kNone).ok());
  EXPECT_TRUE(NameOf(*test::RowEvent::descriptor(), Streaming::kServer).ok());
  const absl::Status every =
      NameOf(*test::ListEveryResponse::descriptor(), Streaming::kNone);
  EXPECT_EQ(every.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(every.message()),
              AllOf(HasSubstr("vigil.cli.test.Every"), HasSubstr("jsonl")));
  EXPECT_FALSE(
      NameOf(*test::EmptyResponse::descriptor(), Streaming::kNone).ok());
  EXPECT_FALSE(NameOf(*test::RawEvent::descriptor(), Streaming::kBoth).ok());
  EXPECT_TRUE(Printer::Check(*test::EmptyResponse::descriptor(),
                             Streaming::kNone, OutputFormat::kTable)
                  .ok());
}

TEST(Printer, StopsWhenTheReaderIsGone) {
  int writes = 0;
  Printer printer(
      PlainOptions(OutputFormat::kTable),
      [&writes](absl::string_view) { return ++writes < 2; },
      [](absl::string_view) { return true; });
  const auto page =
      ParseText<test::ListRowsResponse>("rows_of_it { text: 'a' }");
  EXPECT_TRUE(printer.PrintResponse(page));
  EXPECT_FALSE(printer.PrintResponse(page));
  EXPECT_FALSE(printer.PrintResponse(page));
  EXPECT_FALSE(printer.Finish());
  EXPECT_EQ(writes, 2);
}

TEST(Printer, WritesAPageAtOnce) {
  int writes = 0;
  Printer printer(
      PlainOptions(OutputFormat::kTable),
      [&writes](absl::string_view) { return ++writes > 0; },
      [](absl::string_view) { return true; });
  test::ListRowsResponse page;
  for (int i = 0; i < 1000; ++i) page.add_rows_of_it()->set_text("a");
  EXPECT_TRUE(printer.PrintResponse(page));
  EXPECT_TRUE(printer.Finish());
  EXPECT_EQ(writes, 1);
}

TEST(Printer, EndsTheProgramForATableOfFieldsThatAreNot) {
  EXPECT_DEATH(Printed<test::Misspelt>("text: 'a'", OutputFormat::kTable),
               "vigil.cli.test.Misspelt.*txet");
}

TEST(OutputFormat, IsKnownByItsName) {
  EXPECT_EQ(ParseOutputFormat("jsonl").value(), OutputFormat::kJsonl);
  const auto unknown = ParseOutputFormat("yaml");
  EXPECT_EQ(unknown.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(unknown.status().message()),
              HasSubstr("table, wide, json, jsonl, textproto, name"));
}

}  // namespace
}  // namespace vigil::cli
