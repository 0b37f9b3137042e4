#include "client/cli/command/field_path.h"

#include <string>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace vigil::cli {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

absl::StatusOr<FieldPath> FieldPath::Parse(const Descriptor& type,
                                           absl::string_view path) {
  FieldPath parsed;
  const Descriptor* within = &type;
  for (const absl::string_view part : absl::StrSplit(path, '.')) {
    if (within == nullptr) {
      return absl::InvalidArgumentError(absl::StrCat(
          "\"", path, "\": nothing lies within what is no message"));
    }
    absl::StatusOr<Step> step = ParseStep(*within, part);
    if (!step.ok()) return step.status();
    within = step->field->message_type();
    parsed.steps_.push_back(*std::move(step));
  }
  if (parsed.steps_.back().index.has_value()) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", path, "\" ends with an index"));
  }
  return parsed;
}

absl::StatusOr<FieldPath::Step> FieldPath::ParseStep(const Descriptor& type,
                                                     absl::string_view part) {
  const size_t bracket = part.find('[');
  Step step;
  step.field = type.FindFieldByName(std::string(part.substr(0, bracket)));
  if (step.field == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat(type.full_name(), " has no field \"", part, "\""));
  }
  if (bracket == absl::string_view::npos) return step;
  int index = 0;
  if (!step.field->is_repeated() || part.back() != ']' ||
      !absl::SimpleAtoi(part.substr(bracket + 1, part.size() - bracket - 2),
                        &index)) {
    return absl::InvalidArgumentError(
        absl::StrCat(type.full_name(), ": \"", part, "\" is no element"));
  }
  step.index = index;
  return step;
}

void FieldPath::Visit(const Message& message,
                      absl::FunctionRef<void(const Message&)> visit) const {
  VisitFrom(0, message, visit);
}

void FieldPath::VisitFrom(size_t step, const Message& message,
                          absl::FunctionRef<void(const Message&)> visit) const {
  if (step + 1 == steps_.size()) {
    visit(message);
    return;
  }
  const FieldDescriptor* field = steps_[step].field;
  const Reflection& reflection = *message.GetReflection();
  if (!field->is_repeated()) {
    if (reflection.HasField(message, field)) {
      VisitFrom(step + 1, reflection.GetMessage(message, field), visit);
    }
    return;
  }
  const int size = reflection.FieldSize(message, field);
  int first = 0;
  int end = size;
  if (steps_[step].index.has_value()) {
    first = *steps_[step].index + (*steps_[step].index < 0 ? size : 0);
    end = first < 0 || first >= size ? first : first + 1;
  }
  for (int i = first; i < end; ++i) {
    VisitFrom(step + 1, reflection.GetRepeatedMessage(message, field, i),
              visit);
  }
}

}  // namespace vigil::cli
