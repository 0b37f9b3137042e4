#include "client/cli/command/printer.h"

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "client/cli/command/column.h"
#include "client/cli/command/field_path.h"
#include "client/cli/command/json_list.h"
#include "client/cli/command/shape.h"
#include "client/cli/command/single_format.h"
#include "client/cli/command/table.h"
#include "google/protobuf/text_format.h"

namespace vigil::cli {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

std::string Words(const std::string& name) {
  return absl::StrReplaceAll(name, {{"_", " "}});
}

std::vector<const Message*> Elements(const Message& holder,
                                     const FieldDescriptor* field) {
  const Reflection& reflection = *holder.GetReflection();
  std::vector<const Message*> elements;
  if (!field->is_repeated()) {
    if (reflection.HasField(holder, field)) {
      elements.push_back(&reflection.GetMessage(holder, field));
    }
    return elements;
  }
  for (int i = 0; i < reflection.FieldSize(holder, field); ++i) {
    elements.push_back(&reflection.GetRepeatedMessage(holder, field, i));
  }
  return elements;
}

}  // namespace

class Printer::Impl {
 public:
  Impl(Options options, Sink out, Sink err)
      : options_(std::move(options)),
        times_({options_.now, options_.zone}),
        out_(std::move(out)),
        err_(std::move(err)) {}

  bool Response(const Message& response);
  bool Event(const Message& event);
  bool Finish();

 private:
  bool Out(absl::string_view text);
  void Err(absl::string_view text);

  bool JsonOfResponse(const Message& response);
  // As one line of JSON, or in text format.
  bool Documents(const std::vector<const Message*>& messages);
  bool Names(const std::vector<const Message*>& messages);
  bool Single(const Message& response);
  bool TableRows(const std::vector<const Message*>& rows);
  // What a program wrote in `message`, and talk of everything else.
  bool Raw(const Message& message);
  bool RawField(const FieldDescriptor* field, const Message& message);
  void Talk(const FieldDescriptor* field, const Message& message);
  // Of the messages in `message` that are not the rows.
  void TalkBesideRows(const Message& message);
  // The messages that are data, each to be printed by itself.
  std::vector<const Message*> Shown(const Message& message) const;

  const Options options_;
  const TimeView times_;
  const Sink out_;
  const Sink err_;
  // Of the type of all messages; set with the first one.
  std::optional<Shape> shape_;
  bool is_response_ = false;
  bool has_rows_ = false;
  bool has_documents_ = false;
  bool reader_is_gone_ = false;
  // What a program wrote ended within a line.
  bool is_within_line_ = false;
  std::optional<Table> table_;
  std::optional<JsonList> json_list_;
  // The last talk of each field, to tell only what is new.
  std::map<const FieldDescriptor*, std::string> told_;
};

bool Printer::Impl::Out(absl::string_view text) {
  if (!reader_is_gone_ && !text.empty()) reader_is_gone_ = !out_(text);
  return !reader_is_gone_;
}

void Printer::Impl::Err(absl::string_view text) {
  // On one terminal with what the program wrote.
  if (std::exchange(is_within_line_, false) && options_.columns > 0) {
    err_("\n");
  }
  err_(text);
}

bool Printer::Impl::Response(const Message& response) {
  if (!shape_.has_value()) {
    shape_ = Shape::OfResponse(*response.GetDescriptor());
    is_response_ = true;
  }
  switch (options_.format) {
    case OutputFormat::kJson:
      return JsonOfResponse(response);
    case OutputFormat::kJsonl:
    case OutputFormat::kTextproto:
      if (shape_->kind == Shape::Kind::kRows) return Documents(Shown(response));
      return Documents({&response});
    case OutputFormat::kName:
      return Names(Shown(response));
    case OutputFormat::kTable:
    case OutputFormat::kWide:
      break;
  }
  switch (shape_->kind) {
    case Shape::Kind::kEmpty:
      Err("done\n");
      return true;
    case Shape::Kind::kSingle:
      return Single(response);
    case Shape::Kind::kRows:
      return TableRows(Shown(response));
    case Shape::Kind::kRaw:
      return Raw(response);
  }
  return true;
}

bool Printer::Impl::Event(const Message& event) {
  if (!shape_.has_value()) shape_ = Shape::OfEvent(*event.GetDescriptor());
  switch (options_.format) {
    case OutputFormat::kJson:
    case OutputFormat::kJsonl:
    case OutputFormat::kTextproto:
      return Documents({&event});
    case OutputFormat::kName:
      return Names(Shown(event));
    case OutputFormat::kTable:
    case OutputFormat::kWide:
      break;
  }
  const Message* message = shape_->Find(event);
  if (message == nullptr) return !reader_is_gone_;
  if (shape_->kind == Shape::Kind::kRaw) return Raw(*message);
  if (shape_->kind == Shape::Kind::kRows) TalkBesideRows(*message);
  return TableRows(Shown(event));
}

std::vector<const Message*> Printer::Impl::Shown(const Message& message) const {
  const Message* found = shape_->Find(message);
  if (found == nullptr) return {};
  if (shape_->kind == Shape::Kind::kRows) {
    return Elements(*found, shape_->rows);
  }
  return {found};
}

bool Printer::Impl::JsonOfResponse(const Message& response) {
  if (shape_->rows == nullptr) {
    return Out(ToJson(response, JsonLayout::kIndented));
  }
  if (!json_list_.has_value()) json_list_.emplace(shape_->rows);
  return Out(json_list_->Page(response));
}

bool Printer::Impl::Documents(const std::vector<const Message*>& messages) {
  std::string text;
  for (const Message* message : messages) {
    if (options_.format != OutputFormat::kTextproto) {
      absl::StrAppend(&text, ToJson(*message, JsonLayout::kOneLine), "\n");
      continue;
    }
    if (std::exchange(has_documents_, true)) text += "# ----\n";
    std::string document;
    google::protobuf::TextFormat::PrintToString(*message, &document);
    text += document;
  }
  return Out(text);
}

bool Printer::Impl::Names(const std::vector<const Message*>& messages) {
  const Descriptor& type = shape_->shown();
  const FieldPath name = PathOfOption(type, TableOf(type).name());
  std::string text;
  for (const Message* message : messages) {
    has_rows_ = true;
    name.Visit(*message, [&](const Message& holder) {
      const Cell cell = FormatValue(holder, name.leaf(),
                                    v1::CliColumn::FORMAT_UNSPECIFIED, times_);
      if (cell.kind != Cell::Kind::kAbsent) {
        absl::StrAppend(&text, cell.text, "\n");
      }
    });
  }
  return Out(text);
}

bool Printer::Impl::Single(const Message& response) {
  const Message* message = shape_->Find(response);
  if (message == nullptr) {
    Err(absl::StrCat("no ", Words(shape_->way.back()->name()), "\n"));
    return true;
  }
  SingleView view;
  view.style = options_.style;
  view.times = times_;
  view.columns_max = static_cast<size_t>(options_.columns);
  if (options_.format == OutputFormat::kWide) {
    view.sections = SingleView::Sections::kWide;
  }
  return Out(FormatSingle(*message, response, view));
}

bool Printer::Impl::TableRows(const std::vector<const Message*>& rows) {
  if (rows.empty()) return !reader_is_gone_;
  has_rows_ = true;
  if (!table_.has_value()) {
    table_.emplace(options_.format == OutputFormat::kWide
                       ? Column::Of(shape_->shown())
                       : Column::NarrowOf(shape_->shown()),
                   Table::Options{options_.style, times_,
                                  static_cast<size_t>(options_.columns)});
  }
  return Out(table_->Rows(rows));
}

bool Printer::Impl::Raw(const Message& message) {
  std::vector<const FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    if (!IsPlainMessage(*field)) continue;
    const bool is_raw = !TableOf(*field->message_type()).raw().empty();
    for (const Message* element : Elements(message, field)) {
      if (!is_raw) {
        Talk(field, *element);
      } else if (!RawField(field, *element)) {
        return false;
      }
    }
  }
  return !reader_is_gone_;
}

bool Printer::Impl::RawField(const FieldDescriptor* field,
                             const Message& message) {
  const Descriptor& type = *field->message_type();
  const FieldPath raw = PathOfOption(type, TableOf(type).raw());
  bool goes_on = true;
  raw.Visit(message, [&](const Message& holder) {
    const std::string bytes =
        holder.GetReflection()->GetString(holder, &raw.leaf());
    if (bytes.empty()) return;
    is_within_line_ = bytes.back() != '\n';
    goes_on = Out(bytes);
  });
  return goes_on;
}

void Printer::Impl::Talk(const FieldDescriptor* field, const Message& message) {
  const std::string line = FormatTalk(field->name(), message, times_);
  std::string& told = told_[field];
  if (!field->is_repeated() && line == told) return;
  told = line;
  Err(absl::StrCat(line, "\n"));
}

void Printer::Impl::TalkBesideRows(const Message& message) {
  std::vector<const FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    if (field == shape_->rows || !IsPlainMessage(*field)) continue;
    for (const Message* element : Elements(message, field)) {
      Talk(field, *element);
    }
  }
}

bool Printer::Impl::Finish() {
  if (json_list_.has_value()) return Out(json_list_->End());
  const bool has_documents = options_.format == OutputFormat::kJson ||
                             options_.format == OutputFormat::kJsonl ||
                             options_.format == OutputFormat::kTextproto;
  if (is_response_ && shape_->kind == Shape::Kind::kRows && !has_rows_ &&
      !has_documents) {
    Err(absl::StrCat("no ", Words(shape_->rows->name()), "\n"));
  }
  if (is_within_line_) Err("");
  return !reader_is_gone_;
}

Printer::Printer(Options options, Sink out, Sink err)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(out),
                                   std::move(err))) {}

Printer::~Printer() = default;

absl::Status Printer::Check(const Descriptor& response, Streaming streaming,
                            OutputFormat format) {
  if (format != OutputFormat::kName) return absl::OkStatus();
  const Shape shape = StreamsDown(streaming) ? Shape::OfEvent(response)
                                             : Shape::OfResponse(response);
  if (!TableOf(shape.shown()).name().empty()) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat("-o name: ", shape.shown().full_name(),
                   " has no name; use another format, such as -o jsonl"));
}

bool Printer::PrintResponse(const Message& response) {
  return impl_->Response(response);
}

bool Printer::PrintEvent(const Message& event) { return impl_->Event(event); }

bool Printer::Finish() { return impl_->Finish(); }

}  // namespace vigil::cli
