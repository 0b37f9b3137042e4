#include "client/cli/command/single_format.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "client/cli/command/column.h"
#include "client/cli/command/field_path.h"
#include "client/cli/command/shape.h"
#include "client/cli/command/table.h"

namespace vigil::cli {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

struct Line {
  std::string label;
  Cell cell;
};

void AddLines(const Message& message, const TimeView& times,
              std::vector<Line>* lines) {
  for (const Column& column : Column::Of(*message.GetDescriptor())) {
    Cell cell = column.Read(message, times);
    if (cell.kind == Cell::Kind::kAbsent) continue;
    if (cell.kind == Cell::Kind::kZero && column.is_wide()) continue;
    lines->push_back({column.header(), std::move(cell)});
  }
}

// "existed: yes" beside the job.
void AddLinesOfWrapper(const Message& wrapper, const TimeView& times,
                       std::vector<Line>* lines) {
  for (const Column& column : Column::Of(*wrapper.GetDescriptor())) {
    Cell cell = column.Read(wrapper, times);
    if (cell.kind != Cell::Kind::kSet) continue;
    lines->push_back({column.header(), std::move(cell)});
  }
}

std::string FormatSection(const Message& message, const std::string& path,
                          const SingleView& view) {
  const FieldPath section = PathOfOption(*message.GetDescriptor(), path);
  std::vector<const Message*> rows;
  section.Visit(message, [&](const Message& holder) {
    const auto& reflection = *holder.GetReflection();
    const FieldDescriptor* field = &section.leaf();
    for (int i = 0; i < reflection.FieldSize(holder, field); ++i) {
      rows.push_back(&reflection.GetRepeatedMessage(holder, field, i));
    }
  });
  if (rows.empty()) return "";
  const Descriptor& type = *section.leaf().message_type();
  // Narrow by default: a line each is for the message itself.
  Table table(view.sections == SingleView::Sections::kWide
                  ? Column::Of(type)
                  : Column::NarrowOf(type),
              {view.style, view.times, view.columns_max, /*indent=*/2});
  return absl::StrCat("\n",
                      absl::StrReplaceAll(section.leaf().name(), {{"_", " "}}),
                      ":\n", table.Rows(rows));
}

}  // namespace

std::string FormatSingle(const Message& message, const Message& wrapper,
                         const SingleView& view) {
  std::vector<Line> lines;
  AddLines(message, view.times, &lines);
  if (&wrapper != &message) AddLinesOfWrapper(wrapper, view.times, &lines);
  size_t width = 0;
  for (const Line& line : lines) {
    width = std::max(width, CharactersOf(line.label));
  }
  std::string text;
  for (const Line& line : lines) {
    absl::StrAppend(&text, view.style.Bold(absl::StrCat(line.label, ":")),
                    std::string(width - CharactersOf(line.label) + 2, ' '),
                    Toned(line.cell.text, line.cell.tone, view.style), "\n");
  }
  for (const std::string& path : TableOf(*message.GetDescriptor()).sections()) {
    absl::StrAppend(&text, FormatSection(message, path, view));
  }
  return text;
}

std::string FormatTalk(absl::string_view what, const Message& message,
                       const TimeView& times) {
  std::string name = absl::StrReplaceAll(what, {{"_", " "}});
  std::string text;
  bool is_first = true;
  bool has_state = false;
  for (const Column& column : Column::Of(*message.GetDescriptor())) {
    const bool names = std::exchange(is_first, false) && column.is_text();
    if (column.is_age() || (column.is_wide() && !column.is_enum())) continue;
    const Cell cell = column.Read(message, times);
    if (cell.kind != Cell::Kind::kSet) continue;
    if (names) {
      absl::StrAppend(&name, " ", cell.text);
      continue;
    }
    // A sentence and the foremost state speak for themselves.
    const bool is_state = column.is_enum() && !has_state;
    const bool is_sentence =
        column.is_text() && absl::StrContains(cell.text, ' ');
    absl::StrAppend(
        &text,
        text.empty()  ? ": "
        : is_sentence ? "; "
                      : ", ",
        is_state || is_sentence
            ? ""
            : absl::StrCat(absl::AsciiStrToLower(column.header()), " "),
        cell.text);
    has_state = has_state || is_state;
  }
  return name + text;
}

}  // namespace vigil::cli
