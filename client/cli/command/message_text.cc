#include "client/cli/command/message_text.h"

#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/utf8.h"
#include "client/cli/format.h"
#include "google/protobuf/io/tokenizer.h"
#include "google/protobuf/text_format.h"
#include "google/protobuf/util/json_util.h"

namespace vigil::cli {
namespace {

using ::google::protobuf::FieldDescriptor;
using ::google::protobuf::Message;

// What some editors write at the beginning of a file.
constexpr char kByteOrderMark[] = "\xef\xbb\xbf";

// Keeps the first error of a text, with its place: of a text of one line, which
// may be one of many in a file, only the column.
class FirstError : public google::protobuf::io::ErrorCollector {
 public:
  explicit FirstError(absl::string_view text)
      : one_line_(!absl::StrContains(absl::StripAsciiWhitespace(text), '\n')) {}

  void AddError(int line, int column, const std::string& message) override {
    if (!text_.empty()) return;
    text_ = absl::StrCat(one_line_ ? "" : absl::StrCat("line ", line + 1, ", "),
                         "column ", column + 1, ": ", message);
  }
  const std::string& text() const { return text_; }

 private:
  const bool one_line_;
  std::string text_;
};

// `why` has a copy of the text and a caret behind its first line.
absl::Status NotTheMessage(absl::string_view form, const Message& message,
                           absl::string_view why) {
  why = why.substr(0, why.find('\n'));
  return absl::InvalidArgumentError(
      absl::StrCat("not a ", message.GetDescriptor()->full_name(), " as ", form,
                   ": ", OneLine(absl::StripSuffix(why, "."))));
}

// The path of the first field of text whose value is none; empty: all are text.
std::string PathOfBadText(const Message& message) {
  const auto* access = message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  access->ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    const bool is_message =
        field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
    if (!is_message && field->type() != FieldDescriptor::TYPE_STRING) continue;
    const int size =
        field->is_repeated() ? access->FieldSize(message, field) : 1;
    for (int i = 0; i < size; ++i) {
      if (is_message) {
        const std::string within = PathOfBadText(
            field->is_repeated() ? access->GetRepeatedMessage(message, field, i)
                                 : access->GetMessage(message, field));
        if (!within.empty()) return absl::StrCat(field->name(), ".", within);
      } else if (!IsUtf8(field->is_repeated()
                             ? access->GetRepeatedString(message, field, i)
                             : access->GetString(message, field))) {
        return std::string(field->name());
      }
    }
  }
  return "";
}

absl::Status CheckTexts(const Message& message) {
  const std::string path = PathOfBadText(message);
  if (path.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("`", path, "` is not UTF-8 text"));
}

}  // namespace

absl::Status ParseMessage(absl::string_view text, Message* message) {
  absl::ConsumePrefix(&text, kByteOrderMark);
  const absl::string_view begin =
      absl::StripLeadingAsciiWhitespace(text).substr(0, 1);
  if (begin == "{" || begin == "[") {
    // The parser would say it on stderr.
    if (!IsUtf8(std::string_view(text.data(), text.size()))) {
      return NotTheMessage("JSON", *message, "it is not UTF-8 text");
    }
    const auto status = google::protobuf::util::JsonStringToMessage(
        google::protobuf::StringPiece(text.data(), text.size()), message);
    if (status.ok()) return CheckTexts(*message);
    const auto why = status.message();
    return NotTheMessage("JSON", *message,
                         absl::string_view(why.data(), why.size()));
  }
  FirstError error(text);
  google::protobuf::TextFormat::Parser parser;
  parser.RecordErrorsTo(&error);
  if (parser.ParseFromString(std::string(text), message)) {
    return CheckTexts(*message);
  }
  return NotTheMessage("textproto", *message, error.text());
}

}  // namespace vigil::cli
