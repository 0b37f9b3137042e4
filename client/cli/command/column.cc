#include "client/cli/command/column.h"

#include <algorithm>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "base/check.h"

namespace vigil::cli {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// The unit is in the values.
std::string HeaderOf(const FieldDescriptor& field) {
  return absl::AsciiStrToUpper(absl::StrReplaceAll(
      absl::StripSuffix(field.name(), "_bytes"), {{"_", " "}}));
}

}  // namespace

FieldPath PathOfOption(const Descriptor& type, const std::string& path) {
  absl::StatusOr<FieldPath> parsed = FieldPath::Parse(type, path);
  VIGIL_CHECK(parsed.ok(), absl::StrCat("cli_table of ", type.full_name(), ": ",
                                        parsed.status().message()));
  return *std::move(parsed);
}

std::vector<Column> Column::Of(const Descriptor& type) {
  std::vector<Column> columns;
  const v1::CliTable& table = type.options().GetExtension(v1::cli_table);
  for (const v1::CliColumn& option : table.columns()) {
    FieldPath path = PathOfOption(type, option.path());
    std::string header =
        option.header().empty() ? HeaderOf(path.leaf()) : option.header();
    columns.push_back(Column(std::move(path), std::move(header),
                             option.format(), option.wide()));
  }
  if (!columns.empty()) return columns;
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    if (IsPlainMessage(field)) continue;
    columns.push_back(Column(PathOfOption(type, field.name()), HeaderOf(field),
                             v1::CliColumn::FORMAT_UNSPECIFIED, false));
  }
  return columns;
}

std::vector<Column> Column::NarrowOf(const Descriptor& type) {
  std::vector<Column> columns = Of(type);
  columns.erase(
      std::remove_if(columns.begin(), columns.end(),
                     [](const Column& column) { return column.is_wide(); }),
      columns.end());
  return columns;
}

bool Column::is_text() const {
  const FieldDescriptor& leaf = path_.leaf();
  return leaf.is_map() || leaf.cpp_type() == FieldDescriptor::CPPTYPE_STRING;
}

Cell Column::Read(const Message& message, const TimeView& times) const {
  Cell all;
  path_.Visit(message, [&](const Message& holder) {
    Cell cell = FormatValue(holder, path_.leaf(), format_, times);
    if (cell.kind == Cell::Kind::kAbsent) return;
    if (all.kind == Cell::Kind::kAbsent) {
      all = std::move(cell);
    } else {
      absl::StrAppend(&all.text, ",", cell.text);
    }
  });
  return all;
}

}  // namespace vigil::cli
