#include "client/cli/command/value_format.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "base/utf8.h"
#include "base/wire/time_wire.h"
#include "google/protobuf/text_format.h"

namespace vigil::cli {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::EnumValueDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

// The element that is not repeated, or is the only one.
constexpr int kSingular = -1;

// One value: of a singular field, or an element of a repeated one.
class Value {
 public:
  Value(const Message& holder, const FieldDescriptor& field, int index)
      : holder_(holder), field_(field), index_(index) {}

  Cell Format(v1::CliColumn::Format format, const TimeView& times) const;

 private:
  // By what protobuf's reflection offers twice: for one, and for an element.
  template <typename Of, typename OfElement>
  auto Read(Of of, OfElement of_element) const {
    const Reflection& reflection = *holder_.GetReflection();
    return index_ == kSingular
               ? (reflection.*of)(holder_, &field_)
               : (reflection.*of_element)(holder_, &field_, index_);
  }

  Cell Integer(int64_t value) const {
    return {value == 0 ? Cell::Kind::kZero : Cell::Kind::kSet,
            absl::EndsWith(field_.name(), "_bytes") ? HumanBytes(value)
                                                    : absl::StrCat(value)};
  }
  Cell Unsigned(uint64_t value) const {
    return value > INT64_MAX ? Cell{Cell::Kind::kSet, absl::StrCat(value)}
                             : Integer(static_cast<int64_t>(value));
  }
  Cell Real(double value, v1::CliColumn::Format format) const;
  Cell Enum() const;
  Cell Text() const;
  Cell Nested(v1::CliColumn::Format format, const TimeView& times) const;

  const Message& holder_;
  const FieldDescriptor& field_;
  const int index_;
};

Cell Value::Real(double value, v1::CliColumn::Format format) const {
  const Cell::Kind kind = value == 0 ? Cell::Kind::kZero : Cell::Kind::kSet;
  if (format == v1::CliColumn::FORMAT_PERCENT) {
    return {kind, absl::StrFormat("%.1f %%", value * 100)};
  }
  // Small ones keep their digits.
  return {kind, std::abs(value) < 1 ? absl::StrFormat("%.3g", value)
                                    : absl::StrFormat("%.2f", value)};
}

Cell Value::Enum() const {
  const int number =
      Read(&Reflection::GetEnumValue, &Reflection::GetRepeatedEnumValue);
  if (number == 0) return {};
  const EnumValueDescriptor* value =
      field_.enum_type()->FindValueByNumber(number);
  return {Cell::Kind::kSet, EnumName(*field_.enum_type(), number),
          value == nullptr ? v1::CLI_TONE_UNSPECIFIED
                           : value->options().GetExtension(v1::cli_tone)};
}

bool IsText(const std::string& bytes) {
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 ? c != '\n' && c != '\t' && c != '\r' : byte == 0x7f) {
      return false;
    }
  }
  return IsUtf8(bytes);
}

Cell Value::Text() const {
  const std::string text =
      Read(&Reflection::GetString, &Reflection::GetRepeatedString);
  if (text.empty()) return {};
  if (field_.type() == FieldDescriptor::TYPE_BYTES && !IsText(text)) {
    return {Cell::Kind::kSet,
            absl::StrCat("base64:", absl::Base64Escape(text))};
  }
  return {Cell::Kind::kSet, OneLine(text)};
}

// The fields that instants and durations have in common; by reflection, as the
// message may be a dynamic one.
template <typename WellKnown>
WellKnown ReadWellKnown(const Message& message) {
  const Descriptor& type = *message.GetDescriptor();
  const Reflection& reflection = *message.GetReflection();
  WellKnown value;
  value.set_seconds(reflection.GetInt64(message, type.FindFieldByNumber(1)));
  value.set_nanos(reflection.GetInt32(message, type.FindFieldByNumber(2)));
  return value;
}

Cell Value::Nested(v1::CliColumn::Format format, const TimeView& times) const {
  const Reflection& reflection = *holder_.GetReflection();
  const Message& message =
      index_ == kSingular
          ? reflection.GetMessage(holder_, &field_)
          : reflection.GetRepeatedMessage(holder_, &field_, index_);
  if (IsDuration(message.GetDescriptor())) {
    return {Cell::Kind::kSet,
            HumanDuration(
                FromProto(ReadWellKnown<google::protobuf::Duration>(message)))};
  }
  if (IsTimestamp(message.GetDescriptor())) {
    const absl::Time time =
        FromProto(ReadWellKnown<google::protobuf::Timestamp>(message));
    return {Cell::Kind::kSet, format == v1::CliColumn::FORMAT_AGE
                                  ? HumanDuration(std::max(absl::ZeroDuration(),
                                                           times.now - time))
                                  : HumanTime(time, times.zone)};
  }
  google::protobuf::TextFormat::Printer printer;
  printer.SetSingleLineMode(true);
  std::string text;
  printer.PrintToString(message, &text);
  return {Cell::Kind::kSet,
          absl::StrCat("{", absl::StripTrailingAsciiWhitespace(text), "}")};
}

Cell Value::Format(v1::CliColumn::Format format, const TimeView& times) const {
  switch (field_.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return Integer(
          Read(&Reflection::GetInt32, &Reflection::GetRepeatedInt32));
    case FieldDescriptor::CPPTYPE_INT64:
      return Integer(
          Read(&Reflection::GetInt64, &Reflection::GetRepeatedInt64));
    case FieldDescriptor::CPPTYPE_UINT32:
      return Unsigned(
          Read(&Reflection::GetUInt32, &Reflection::GetRepeatedUInt32));
    case FieldDescriptor::CPPTYPE_UINT64:
      return Unsigned(
          Read(&Reflection::GetUInt64, &Reflection::GetRepeatedUInt64));
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return Real(Read(&Reflection::GetDouble, &Reflection::GetRepeatedDouble),
                  format);
    case FieldDescriptor::CPPTYPE_FLOAT:
      return Real(Read(&Reflection::GetFloat, &Reflection::GetRepeatedFloat),
                  format);
    case FieldDescriptor::CPPTYPE_BOOL:
      return Read(&Reflection::GetBool, &Reflection::GetRepeatedBool)
                 ? Cell{Cell::Kind::kSet, "yes"}
                 : Cell{Cell::Kind::kZero, "no"};
    case FieldDescriptor::CPPTYPE_ENUM:
      return Enum();
    case FieldDescriptor::CPPTYPE_STRING:
      return Text();
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return Nested(format, times);
  }
  return {};
}

Cell FormatMap(const Message& holder, const FieldDescriptor& field,
               const TimeView& times) {
  const Descriptor& entry_type = *field.message_type();
  std::vector<std::string> parts;
  const Reflection& reflection = *holder.GetReflection();
  for (int i = 0; i < reflection.FieldSize(holder, &field); ++i) {
    const Message& entry = reflection.GetRepeatedMessage(holder, &field, i);
    const auto part = [&](const FieldDescriptor* half) {
      return Value(entry, *half, kSingular)
          .Format(v1::CliColumn::FORMAT_UNSPECIFIED, times)
          .text;
    };
    parts.push_back(absl::StrCat(part(entry_type.map_key()), "=",
                                 part(entry_type.map_value())));
  }
  if (parts.empty()) return {};
  // A map has no order of its own.
  std::sort(parts.begin(), parts.end());
  return {Cell::Kind::kSet, absl::StrJoin(parts, ",")};
}

Cell FormatRepeated(const Message& holder, const FieldDescriptor& field,
                    v1::CliColumn::Format format, const TimeView& times) {
  const int size = holder.GetReflection()->FieldSize(holder, &field);
  if (IsPlainMessage(field)) {
    return {size == 0 ? Cell::Kind::kZero : Cell::Kind::kSet,
            absl::StrCat(size)};
  }
  if (size == 0) return {};
  std::vector<std::string> parts;
  for (int i = 0; i < size; ++i) {
    parts.push_back(Value(holder, field, i).Format(format, times).text);
  }
  return {Cell::Kind::kSet, absl::StrJoin(parts, ",")};
}

}  // namespace

bool IsTimestamp(const Descriptor* type) {
  return type != nullptr && type->full_name() == "google.protobuf.Timestamp";
}

bool IsDuration(const Descriptor* type) {
  return type != nullptr && type->full_name() == "google.protobuf.Duration";
}

bool IsPlainMessage(const FieldDescriptor& field) {
  return field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE &&
         !field.is_map() && !IsTimestamp(field.message_type()) &&
         !IsDuration(field.message_type());
}

absl::string_view EnumPrefix(const EnumDescriptor& type) {
  if (type.value_count() == 1) return "";
  absl::string_view prefix = type.value(0)->name();
  for (int i = 1; i < type.value_count(); ++i) {
    const std::string& name = type.value(i)->name();
    const auto end =
        std::mismatch(prefix.begin(), prefix.end(), name.begin(), name.end())
            .first;
    prefix = prefix.substr(0, static_cast<size_t>(end - prefix.begin()));
  }
  return prefix.substr(0, prefix.rfind('_') + 1);
}

std::string EnumName(const EnumDescriptor& type, int number) {
  const EnumValueDescriptor* value = type.FindValueByNumber(number);
  return Stripped(value == nullptr ? "" : value->name(), EnumPrefix(type),
                  number);
}

Cell FormatValue(const Message& holder, const FieldDescriptor& field,
                 v1::CliColumn::Format format, const TimeView& times) {
  if (field.is_map()) return FormatMap(holder, field, times);
  if (field.is_repeated()) return FormatRepeated(holder, field, format, times);
  const bool is_set = holder.GetReflection()->HasField(holder, &field);
  if (field.has_presence() && !is_set) return {};
  Cell cell = Value(holder, field, kSingular).Format(format, times);
  // Said by whoever set it, so not to be left out.
  if (field.has_presence() && cell.kind == Cell::Kind::kZero) {
    cell.kind = Cell::Kind::kSet;
  }
  return cell;
}

std::string Toned(absl::string_view text, v1::CliTone tone,
                  const Style& style) {
  if (tone == v1::CLI_TONE_GOOD) return style.Green(text);
  if (tone == v1::CLI_TONE_WARNING) return style.Yellow(text);
  if (tone == v1::CLI_TONE_BAD) return style.Red(text);
  return std::string(text);
}

}  // namespace vigil::cli
