#include "client/cli/command/json_list.h"

#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "base/check.h"
#include "client/cli/format.h"

namespace vigil::cli {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

std::string JsonList::Page(const Message& page) {
  std::string text;
  if (rest_ == nullptr) text = absl::StrCat("{\n \"", rows_->name(), "\": [");
  const Reflection& reflection = *page.GetReflection();
  for (int i = 0; i < reflection.FieldSize(page, rows_); ++i) {
    const std::string row = ToJson(
        reflection.GetRepeatedMessage(page, rows_, i), JsonLayout::kIndented);
    // Two deeper than by itself. No text in JSON has an end of line.
    absl::StrAppend(&text, has_rows_ ? ",\n  " : "\n  ",
                    absl::StrReplaceAll(absl::StripTrailingAsciiWhitespace(row),
                                        {{"\n", "\n  "}}));
    has_rows_ = true;
  }
  Remember(page);
  return text;
}

void JsonList::Remember(const Message& page) {
  std::unique_ptr<Message> rest(page.New());
  rest->CopyFrom(page);
  rest->GetReflection()->ClearField(rest.get(), rows_);
  if (rest_ == nullptr) {
    rest_ = std::move(rest);
    return;
  }
  // Only what is repeated adds up.
  const Reflection& reflection = *rest_->GetReflection();
  std::vector<const FieldDescriptor*> kept;
  reflection.ListFields(*rest_, &kept);
  for (const FieldDescriptor* field : kept) {
    if (!field->is_repeated()) reflection.ClearField(rest_.get(), field);
  }
  rest_->MergeFrom(*rest);
}

std::string JsonList::End() {
  VIGIL_CHECK(rest_ != nullptr, "a JSON list ends without a page");
  const std::string rest = ToJson(*rest_, JsonLayout::kIndented);
  // Its fields without the braces around them.
  absl::string_view fields = absl::StripAsciiWhitespace(rest);
  absl::ConsumePrefix(&fields, "{");
  absl::ConsumeSuffix(&fields, "}");
  fields = absl::StripAsciiWhitespace(fields);
  return absl::StrCat(has_rows_ ? "\n ]" : "]", fields.empty() ? "" : ",\n ",
                      fields, "\n}\n");
}

}  // namespace vigil::cli
