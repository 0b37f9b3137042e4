#include "client/cli/command/field_value.h"

#include <cstdint>
#include <limits>
#include <memory>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/utf8.h"
#include "base/wire/time_wire.h"
#include "client/cli/command/byte_count.h"
#include "client/cli/command/message_text.h"
#include "client/cli/command/value_format.h"
#include "client/cli/flag_values.h"
#include "client/cli/nearest.h"
#include "google/protobuf/text_format.h"

namespace vigil::cli {
namespace {

using ::google::protobuf::EnumDescriptor;
using ::google::protobuf::EnumValueDescriptor;
using ::google::protobuf::FieldDescriptor;
using ::google::protobuf::Message;

absl::Status Invalid(absl::string_view text, absl::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat("`", text, "` ", why));
}

// A field that is set, or added to, whichever it is.
class Target {
 public:
  Target(Message* message, const FieldDescriptor* field)
      : message_(message), field_(field), access_(message->GetReflection()) {}

  void Set(int32_t v) const { Put(&Access::SetInt32, &Access::AddInt32, v); }
  void Set(int64_t v) const { Put(&Access::SetInt64, &Access::AddInt64, v); }
  void Set(uint32_t v) const { Put(&Access::SetUInt32, &Access::AddUInt32, v); }
  void Set(uint64_t v) const { Put(&Access::SetUInt64, &Access::AddUInt64, v); }
  void Set(double v) const { Put(&Access::SetDouble, &Access::AddDouble, v); }
  void Set(float v) const { Put(&Access::SetFloat, &Access::AddFloat, v); }
  void Set(bool v) const { Put(&Access::SetBool, &Access::AddBool, v); }
  void Set(const EnumValueDescriptor* v) const {
    Put(&Access::SetEnum, &Access::AddEnum, v);
  }
  void Set(std::string v) const {
    if (field_->is_repeated()) {
      access_->AddString(message_, field_, std::move(v));
    } else {
      access_->SetString(message_, field_, std::move(v));
    }
  }
  // Takes the message in place of one that is there.
  void Set(const Message& v) const {
    Message* place = field_->is_repeated()
                         ? access_->AddMessage(message_, field_)
                         : access_->MutableMessage(message_, field_);
    place->CopyFrom(v);
  }
  // An empty message of the field's type.
  std::unique_ptr<Message> NewMessage() const {
    return std::unique_ptr<Message>(access_->GetMessageFactory()
                                        ->GetPrototype(field_->message_type())
                                        ->New());
  }

 private:
  using Access = google::protobuf::Reflection;

  template <typename Setter, typename Adder, typename Value>
  void Put(Setter set, Adder add, Value value) const {
    if (field_->is_repeated()) {
      (access_->*add)(message_, field_, value);
    } else {
      (access_->*set)(message_, field_, value);
    }
  }

  Message* const message_;
  const FieldDescriptor* const field_;
  const Access* const access_;
};

template <typename Integer>
absl::Status SetInteger(const Target& target, const FieldDescriptor* field,
                        absl::string_view text) {
  constexpr Integer kMin = std::numeric_limits<Integer>::min();
  constexpr Integer kMax = std::numeric_limits<Integer>::max();
  Integer number = 0;
  if (absl::SimpleAtoi(text, &number)) {
    target.Set(number);
    return absl::OkStatus();
  }
  if (!CountsBytes(field->name())) {
    return Invalid(
        text, absl::StrCat("is not a whole number from ", kMin, " to ", kMax));
  }
  const absl::StatusOr<int64_t> bytes = ParseBytes(text);
  if (!bytes.ok()) return bytes.status();
  if (static_cast<uint64_t>(*bytes) > static_cast<uint64_t>(kMax)) {
    return Invalid(text, absl::StrCat("is above ", kMax, " bytes"));
  }
  target.Set(static_cast<Integer>(*bytes));
  return absl::OkStatus();
}

absl::Status SetNumber(const Target& target, absl::string_view text,
                       const FieldDescriptor* field) {
  double number = 0;
  if (!absl::SimpleAtod(text, &number)) {
    return Invalid(text, "is not a number; write it like 2 or 0.5");
  }
  if (field->cpp_type() == FieldDescriptor::CPPTYPE_FLOAT) {
    target.Set(static_cast<float>(number));
  } else {
    target.Set(number);
  }
  return absl::OkStatus();
}

absl::Status SetBool(const Target& target, absl::string_view text) {
  bool value = false;
  if (!absl::SimpleAtob(text, &value)) {
    return Invalid(text, "is neither true nor false");
  }
  target.Set(value);
  return absl::OkStatus();
}

bool StandsForNone(const EnumValueDescriptor* value) {
  return value->number() == 0 && absl::EndsWith(value->name(), "UNSPECIFIED");
}

absl::Status SetEnum(const Target& target, const EnumDescriptor* type,
                     absl::string_view text) {
  const size_t prefix = EnumPrefix(*type).size();
  const std::string wanted =
      absl::StrReplaceAll(absl::AsciiStrToUpper(text), {{"-", "_"}});
  for (int i = 0; i < type->value_count(); ++i) {
    const EnumValueDescriptor* value = type->value(i);
    if (StandsForNone(value)) continue;
    if (wanted == value->name() || wanted == value->name().substr(prefix)) {
      target.Set(value);
      return absl::OkStatus();
    }
  }
  const std::vector<std::string> words = EnumWords(type);
  const std::string nearest = Nearest(
      absl::StrReplaceAll(absl::AsciiStrToLower(text), {{"_", "-"}}), words);
  return Invalid(
      text, absl::StrCat("is none of ", absl::StrJoin(words, ", "),
                         nearest.empty()
                             ? ""
                             : absl::StrCat("; did you mean ", nearest, "?")));
}

absl::Status SetText(const Target& target, absl::string_view text) {
  if (!IsUtf8(std::string_view(text.data(), text.size()))) {
    return absl::InvalidArgumentError("the value is not UTF-8 text");
  }
  target.Set(std::string(text));
  return absl::OkStatus();
}

absl::Status SetBytesOf(const Target& target, absl::string_view text,
                        const ValueSources& sources) {
  std::string value(text);
  if (absl::ConsumePrefix(&text, "base64:")) {
    if (!absl::Base64Unescape(text, &value) &&
        !absl::WebSafeBase64Unescape(text, &value)) {
      return Invalid(text, "is not base64");
    }
  } else if (absl::ConsumePrefix(&text, "@")) {
    absl::StatusOr<std::string> read = sources.read(std::string(text));
    if (!read.ok()) return read.status();
    value = *std::move(read);
  }
  target.Set(std::move(value));
  return absl::OkStatus();
}

// Infinite where the text is no time.
absl::Time TimeOf(absl::string_view text, absl::Time now) {
  absl::Time time;
  if (text == "now") return now;
  if (absl::ConsumePrefix(&text, "@")) {
    double seconds = 0;
    if (!absl::SimpleAtod(text, &seconds)) return absl::InfiniteFuture();
    return absl::UnixEpoch() + absl::Seconds(seconds);
  }
  if (absl::ConsumeSuffix(&text, "ago")) {
    const absl::StatusOr<absl::Duration> age =
        ParseDuration(absl::StripAsciiWhitespace(text));
    return age.ok() ? now - *age : absl::InfiniteFuture();
  }
  if (absl::ParseTime(absl::RFC3339_full, text, &time, nullptr)) return time;
  return absl::InfiniteFuture();
}

absl::StatusOr<absl::Time> ParseTime(absl::string_view text, absl::Time now) {
  // What google.protobuf.Timestamp holds: the years 1 to 9999.
  const absl::Time min = absl::FromUnixSeconds(-62'135'596'800);
  const absl::Time max = absl::FromUnixSeconds(253'402'300'799);
  const absl::Time time = TimeOf(text, now);
  if (time >= min && time <= max) return time;
  return Invalid(text,
                 "is not a time; write it like 2026-11-26T08:00:00Z, \"10m "
                 "ago\", @1790000000 (seconds since 1970) or now");
}

absl::Status SetMessage(const Target& target, const FieldDescriptor* field,
                        absl::string_view text, const ValueSources& sources) {
  if (IsDuration(field->message_type())) {
    const absl::StatusOr<absl::Duration> duration = ParseDuration(text);
    if (!duration.ok()) return duration.status();
    google::protobuf::Duration value;
    ToProto(*duration, &value);
    target.Set(value);
    return absl::OkStatus();
  }
  if (IsTimestamp(field->message_type())) {
    const absl::StatusOr<absl::Time> time = ParseTime(text, sources.now);
    if (!time.ok()) return time.status();
    google::protobuf::Timestamp value;
    ToProto(*time, &value);
    target.Set(value);
    return absl::OkStatus();
  }
  std::string content(text);
  if (absl::ConsumePrefix(&text, "@")) {
    absl::StatusOr<std::string> read = sources.read(std::string(text));
    if (!read.ok()) return read.status();
    content = *std::move(read);
  }
  const std::unique_ptr<Message> value = target.NewMessage();
  const absl::Status status = ParseMessage(content, value.get());
  if (status.ok()) target.Set(*value);
  return status;
}

// The text of a map's key, to find it again.
std::string KeyOf(const Message& entry) {
  std::string key;
  google::protobuf::TextFormat::PrintFieldValueToString(
      entry, entry.GetDescriptor()->map_key(), -1, &key);
  return key;
}

absl::Status AddEntry(Message* message, const FieldDescriptor* field,
                      absl::string_view text, const ValueSources& sources) {
  const size_t equals = text.find('=');
  if (equals == text.npos) return Invalid(text, "is not KEY=VALUE");
  const Target target(message, field);
  const std::unique_ptr<Message> entry = target.NewMessage();
  const auto* type = field->message_type();
  const absl::string_view key = text.substr(0, equals);
  absl::Status status =
      SetFieldValue(entry.get(), type->map_key(), key, sources);
  if (status.ok()) {
    status = SetFieldValue(entry.get(), type->map_value(),
                           text.substr(equals + 1), sources);
  }
  if (!status.ok()) return status;
  const auto* access = message->GetReflection();
  const std::string wanted = KeyOf(*entry);
  for (int i = 0; i < access->FieldSize(*message, field); ++i) {
    if (KeyOf(access->GetRepeatedMessage(*message, field, i)) == wanted) {
      return Invalid(key, "is given twice");
    }
  }
  target.Set(*entry);
  return absl::OkStatus();
}

absl::Status SetEnums(const Target& target, const FieldDescriptor* field,
                      absl::string_view text) {
  if (!field->is_repeated()) return SetEnum(target, field->enum_type(), text);
  for (absl::string_view word : absl::StrSplit(text, ',')) {
    absl::Status status =
        SetEnum(target, field->enum_type(), absl::StripAsciiWhitespace(word));
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status SetFieldValue(Message* message, const FieldDescriptor* field,
                           absl::string_view text,
                           const ValueSources& sources) {
  if (field->is_map()) return AddEntry(message, field, text, sources);
  const Target target(message, field);
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return SetInteger<int32_t>(target, field, text);
    case FieldDescriptor::CPPTYPE_INT64:
      return SetInteger<int64_t>(target, field, text);
    case FieldDescriptor::CPPTYPE_UINT32:
      return SetInteger<uint32_t>(target, field, text);
    case FieldDescriptor::CPPTYPE_UINT64:
      return SetInteger<uint64_t>(target, field, text);
    case FieldDescriptor::CPPTYPE_DOUBLE:
    case FieldDescriptor::CPPTYPE_FLOAT:
      return SetNumber(target, text, field);
    case FieldDescriptor::CPPTYPE_BOOL:
      return SetBool(target, text);
    case FieldDescriptor::CPPTYPE_ENUM:
      return SetEnums(target, field, text);
    case FieldDescriptor::CPPTYPE_STRING:
      return field->type() == FieldDescriptor::TYPE_BYTES
                 ? SetBytesOf(target, text, sources)
                 : SetText(target, text);
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return SetMessage(target, field, text, sources);
  }
  return absl::InternalError("a type of field that protobuf did not have");
}

std::vector<std::string> EnumWords(const EnumDescriptor* type) {
  const size_t prefix = EnumPrefix(*type).size();
  std::vector<std::string> words;
  for (int i = 0; i < type->value_count(); ++i) {
    if (StandsForNone(type->value(i))) continue;
    words.push_back(absl::StrReplaceAll(
        absl::AsciiStrToLower(type->value(i)->name().substr(prefix)),
        {{"_", "-"}}));
  }
  return words;
}

}  // namespace vigil::cli
