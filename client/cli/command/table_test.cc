// Proves that columns line up as rows come, and how rows are cut to a terminal,
// one character either side of its width.
#include "client/cli/command/table.h"

#include <string>
#include <vector>

#include "client/cli/command/printer_fixture.h"
#include "client/cli/command/printer_test.pb.h"
#include "gtest/gtest.h"

namespace vigil::cli {
namespace {

// The columns ROW, SIZE, TEXT and RATIO.
Table NarrowTable(size_t columns_max, size_t indent = 0) {
  std::vector<Column> columns;
  for (const Column& column : Column::Of(*test::Row::descriptor())) {
    if (!column.is_wide()) columns.push_back(column);
  }
  Table::Options options;
  options.columns_max = columns_max;
  options.indent = indent;
  return Table(columns, options);
}

test::Row RowOf(const std::string& id, const std::string& text) {
  test::Row row;
  row.mutable_inner()->set_row_id(id);
  row.set_text(text);
  row.set_ratio(0.5);
  return row;
}

TEST(Table, IsAsWideAsItsRowsNeed) {
  const test::Row a = RowOf("a", "some text");
  const test::Row b = RowOf("a-long-id", "\xc3\xa9");
  EXPECT_EQ(NarrowTable(0).Rows({&a, &b}),
            "ROW        SIZE  TEXT       RATIO\n"
            "a          0 B   some text  50.0 %\n"
            "a-long-id  0 B   \xc3\xa9          50.0 %\n");
}

TEST(Table, GrowsWithLaterRowsAndNeverShrinks) {
  const test::Row a = RowOf("a", "b");
  const test::Row wide = RowOf("a-long-id", "b");
  Table table = NarrowTable(0);
  EXPECT_EQ(table.Rows({&a}),
            "ROW  SIZE  TEXT  RATIO\n"
            "a    0 B   b     50.0 %\n");
  EXPECT_EQ(table.Rows({&wide}), "a-long-id  0 B   b     50.0 %\n");
  EXPECT_EQ(table.Rows({&a}), "a          0 B   b     50.0 %\n");
}

TEST(Table, CutsItsLastTextFirst) {
  const test::Row row = RowOf("a", "twelve chars");
  EXPECT_EQ(NarrowTable(31).Rows({&row}),
            "ROW  SIZE  TEXT          RATIO\n"
            "a    0 B   twelve chars  50.0 %\n");
  EXPECT_EQ(NarrowTable(30).Rows({&row}),
            "ROW  SIZE  TEXT         RATIO\n"
            "a    0 B   twelve c...  50.0 %\n");
  // As narrow as it gets.
  EXPECT_EQ(NarrowTable(27).Rows({&row}),
            "ROW  SIZE  TEXT      RATIO\n"
            "a    0 B   twelv...  50.0 %\n");
}

TEST(Table, CutsItsEndWhereThatIsNotEnough) {
  const test::Row row = RowOf("a", "twelve chars");
  EXPECT_EQ(NarrowTable(26).Rows({&row}),
            "ROW  SIZE  TEXT      RATIO\n"
            "a    0 B   twelv...  50...\n");
  // Dots alone say nothing.
  EXPECT_EQ(NarrowTable(24).Rows({&row}),
            "ROW  SIZE  TEXT\n"
            "a    0 B   twelv...\n");
  EXPECT_EQ(NarrowTable(3).Rows({&row}), "ROW\na\n");
  EXPECT_EQ(NarrowTable(1).Rows({&row}), "\n\n");
}

TEST(Table, CountsItsIndentAndLetsNoLineBeLonger) {
  const test::Row row = RowOf("a-rather-long-id", "twelve chars");
  EXPECT_EQ(NarrowTable(0, 2).Rows({&row}),
            "  ROW               SIZE  TEXT          RATIO\n"
            "  a-rather-long-id  0 B   twelve chars  50.0 %\n");
  for (size_t columns = 2; columns < 60; ++columns) {
    const std::string text = NarrowTable(columns, 2).Rows({&row});
    for (const absl::string_view line : absl::StrSplit(text, '\n')) {
      EXPECT_LE(line.size(), columns) << line;
    }
  }
}

TEST(Table, ShowsWhatIsNotSetAsADash) {
  const test::Row row;
  EXPECT_EQ(NarrowTable(0).Rows({&row}),
            "ROW  SIZE  TEXT  RATIO\n"
            "-    -     -     0.0 %\n");
}

}  // namespace
}  // namespace vigil::cli
