#include "client/cli/command/message_text.h"

#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "client/cli/format.h"
#include "google/protobuf/io/tokenizer.h"
#include "google/protobuf/text_format.h"
#include "google/protobuf/util/json_util.h"

namespace vigil::cli {
namespace {

// Keeps the first error.
class FirstError : public google::protobuf::io::ErrorCollector {
 public:
  void AddError(int line, int column, const std::string& message) override {
    if (!text_.empty()) return;
    text_ =
        absl::StrCat("line ", line + 1, ", column ", column + 1, ": ", message);
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

absl::Status NotTheMessage(absl::string_view form,
                           const google::protobuf::Message& message,
                           absl::string_view why) {
  return absl::InvalidArgumentError(
      absl::StrCat("not a ", message.GetDescriptor()->full_name(), " as ", form,
                   ": ", OneLine(why)));
}

}  // namespace

absl::Status ParseMessage(absl::string_view text,
                          google::protobuf::Message* message) {
  if (absl::StartsWith(absl::StripLeadingAsciiWhitespace(text), "{")) {
    const auto status = google::protobuf::util::JsonStringToMessage(
        google::protobuf::StringPiece(text.data(), text.size()), message);
    if (status.ok()) return absl::OkStatus();
    const auto why = status.message();
    return NotTheMessage("JSON", *message,
                         absl::string_view(why.data(), why.size()));
  }
  FirstError error;
  google::protobuf::TextFormat::Parser parser;
  parser.RecordErrorsTo(&error);
  if (parser.ParseFromString(std::string(text), message)) {
    return absl::OkStatus();
  }
  return NotTheMessage("textproto", *message, error.text());
}

}  // namespace vigil::cli
