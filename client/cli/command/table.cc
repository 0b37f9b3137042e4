#include "client/cli/command/table.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "client/cli/limits.h"

namespace vigil::cli {
namespace {

constexpr size_t kGap = 2;
// Least characters of what is cut: one, and the dots.
constexpr size_t kCutColumnsMin = 4;

}  // namespace

Table::Table(std::vector<Column> columns, Options options)
    : columns_(std::move(columns)), options_(std::move(options)) {
  // The first column names the row: without it the rest is of no use.
  for (size_t i = 0; i < columns_.size(); ++i) {
    widths_.push_back(CharactersOf(columns_[i].header()));
    if (i > 0 && columns_[i].is_text()) text_column_ = i;
  }
}

std::string Table::Rows(
    const std::vector<const google::protobuf::Message*>& rows) {
  std::vector<std::vector<Cell>> lines;
  if (!begun_) {
    std::vector<Cell>& head = lines.emplace_back();
    for (const Column& column : columns_) {
      head.push_back({Cell::Kind::kSet, column.header()});
    }
  }
  for (const google::protobuf::Message* row : rows) {
    std::vector<Cell>& line = lines.emplace_back();
    for (size_t i = 0; i < columns_.size(); ++i) {
      Cell cell = columns_[i].Read(*row, options_.times);
      if (cell.kind == Cell::Kind::kAbsent) cell.text.push_back('-');
      widths_[i] = std::max(widths_[i], CharactersOf(cell.text));
      line.push_back(std::move(cell));
    }
  }
  const std::vector<size_t> widths = Fitted();
  std::string text;
  for (size_t i = 0; i < lines.size(); ++i) {
    const std::string line = Line(lines[i], widths);
    const std::string indented =
        absl::StrCat(std::string(options_.indent, ' '),
                     i == 0 && !begun_ ? options_.style.Bold(line) : line);
    absl::StrAppend(&text, indented, "\n");
  }
  begun_ = true;
  return text;
}

std::vector<size_t> Table::Fitted() const {
  std::vector<size_t> widths = widths_;
  if (options_.columns_max == 0 || text_column_ == kNone) return widths;
  const size_t others =
      std::accumulate(widths.begin(), widths.end(), options_.indent) +
      kGap * (widths.size() - 1) - widths[text_column_];
  const size_t left =
      options_.columns_max > others ? options_.columns_max - others : 0;
  const size_t least =
      std::max(CharactersOf(columns_[text_column_].header()), kTextColumnsMin);
  widths[text_column_] = std::min(widths[text_column_], std::max(left, least));
  return widths;
}

std::string Table::Line(const std::vector<Cell>& cells,
                        const std::vector<size_t>& widths) const {
  std::string line;
  size_t at = options_.indent;
  for (size_t i = 0; i < cells.size(); ++i) {
    size_t room = widths[i];
    if (options_.columns_max > 0) {
      if (at >= options_.columns_max) break;
      room = std::min(room, options_.columns_max - at);
      // No room for more than the dots.
      if (room < std::min(widths[i], kCutColumnsMin)) break;
    }
    const size_t characters = CharactersOf(cells[i].text);
    absl::StrAppend(
        &line,
        Toned(characters <= room ? cells[i].text : Fit(cells[i].text, room),
              cells[i].tone, options_.style),
        std::string(widths[i] + kGap - std::min(characters, room), ' '));
    at += widths[i] + kGap;
  }
  absl::StripTrailingAsciiWhitespace(&line);
  return line;
}

}  // namespace vigil::cli
