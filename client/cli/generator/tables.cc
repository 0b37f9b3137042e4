#include "client/cli/generator/tables.h"

#include <set>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "vigil/v1/cli.pb.h"

namespace vigil::cli::generator {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::FileDescriptor;

// How a path may go through a repeated message.
enum class Through { kLastOnly, kEach };

// What a path leads to: of a repeated field one value or all of them.
struct End {
  const FieldDescriptor* field;
  bool is_repeated;
};

bool IsInstant(const FieldDescriptor& field) {
  return field.message_type() != nullptr &&
         field.message_type()->well_known_type() ==
             Descriptor::WELLKNOWNTYPE_TIMESTAMP;
}

bool IsDuration(const FieldDescriptor& field) {
  return field.message_type() != nullptr &&
         field.message_type()->well_known_type() ==
             Descriptor::WELLKNOWNTYPE_DURATION;
}

bool IsRatio(const FieldDescriptor& field) {
  return field.cpp_type() == FieldDescriptor::CPPTYPE_DOUBLE ||
         field.cpp_type() == FieldDescriptor::CPPTYPE_FLOAT;
}

absl::StatusOr<End> Follow(const Descriptor& message, absl::string_view path,
                           Through through) {
  const Descriptor* in = &message;
  End end = {nullptr, false};
  for (absl::string_view part : absl::StrSplit(path, '.')) {
    if (in == nullptr) {
      return absl::InvalidArgumentError(
          absl::StrCat(end.field->full_name(), " has no fields"));
    }
    if (end.is_repeated && through == Through::kLastOnly) {
      return absl::InvalidArgumentError(
          absl::StrCat(end.field->full_name(), " is repeated: say `",
                       end.field->name(), "[-1]` for its last one"));
    }
    const bool last = absl::ConsumeSuffix(&part, "[-1]");
    const FieldDescriptor* field = in->FindFieldByName(std::string(part));
    if (field == nullptr) {
      return absl::InvalidArgumentError(
          absl::StrCat(in->full_name(), " has no field \"", part, "\""));
    }
    if (last && (!field->is_repeated() || field->is_map())) {
      return absl::InvalidArgumentError(
          absl::StrCat(field->full_name(), " has no last one"));
    }
    end = {field, field->is_repeated() && !last};
    in = field->is_map() ? nullptr : field->message_type();
  }
  return end;
}

// What is wrong with a field as what the option names; empty: nothing.
absl::string_view ColumnProblem(const End& end, v1::CliColumn::Format format) {
  const FieldDescriptor& field = *end.field;
  if (field.message_type() != nullptr && !end.is_repeated &&
      !IsInstant(field) && !IsDuration(field)) {
    return "a message is no column; name one of its fields";
  }
  if (format == v1::CliColumn::FORMAT_AGE &&
      (!IsInstant(field) || end.is_repeated)) {
    return "FORMAT_AGE is for an instant";
  }
  if (format == v1::CliColumn::FORMAT_PERCENT &&
      (!IsRatio(field) || end.is_repeated)) {
    return "FORMAT_PERCENT is for a ratio";
  }
  return "";
}

absl::string_view SectionProblem(const End& end) {
  return end.is_repeated && !end.field->is_map() &&
                 end.field->message_type() != nullptr
             ? ""
             : "a section is a repeated message";
}

absl::string_view NameProblem(const End& end) {
  return end.is_repeated || end.field->message_type() != nullptr
             ? "a name is one value"
             : "";
}

absl::string_view RawProblem(const End& end) {
  return end.is_repeated || end.field->type() != FieldDescriptor::TYPE_BYTES
             ? "what is written as it is are bytes"
             : "";
}

class TableCheck {
 public:
  TableCheck(const Descriptor& message, Problems* problems)
      : message_(message), problems_(problems) {}

  void Check() {
    const v1::CliTable& table = message_.options().GetExtension(v1::cli_table);
    for (const v1::CliColumn& column : table.columns()) {
      CheckPath(
          "columns", column.path(), Through::kLastOnly,
          [&](const End& end) { return ColumnProblem(end, column.format()); });
    }
    for (const std::string& section : table.sections()) {
      CheckPath("sections", section, Through::kEach, SectionProblem);
    }
    if (!table.name().empty()) {
      CheckPath("name", table.name(), Through::kLastOnly, NameProblem);
    }
    if (!table.raw().empty()) {
      CheckPath("raw", table.raw(), Through::kLastOnly, RawProblem);
    }
  }

 private:
  // Reports a path that leads nowhere, or else the problem of where it ends.
  void CheckPath(absl::string_view option, absl::string_view path,
                 Through through,
                 absl::FunctionRef<absl::string_view(const End&)> problem_of) {
    const absl::StatusOr<End> end = Follow(message_, path, through);
    const absl::string_view problem =
        end.ok() ? problem_of(*end) : end.status().message();
    if (!problem.empty()) {
      problems_->Add(message_, absl::StrCat("(cli_table).", option, ": \"",
                                            path, "\": ", problem));
    }
  }

  const Descriptor& message_;
  Problems* problems_;
};

void CheckMessage(const Descriptor& message, Problems* problems) {
  TableCheck(message, problems).Check();
  for (int i = 0; i < message.nested_type_count(); ++i) {
    CheckMessage(*message.nested_type(i), problems);
  }
}

void CheckFile(const FileDescriptor& file,
               std::set<const FileDescriptor*>* seen, Problems* problems) {
  if (!seen->insert(&file).second) {
    return;
  }
  for (int i = 0; i < file.dependency_count(); ++i) {
    CheckFile(*file.dependency(i), seen, problems);
  }
  for (int i = 0; i < file.message_type_count(); ++i) {
    CheckMessage(*file.message_type(i), problems);
  }
}

}  // namespace

void CheckTables(const std::vector<const FileDescriptor*>& files,
                 Problems* problems) {
  std::set<const FileDescriptor*> seen;
  for (const FileDescriptor* file : files) {
    CheckFile(*file, &seen, problems);
  }
}

}  // namespace vigil::cli::generator
