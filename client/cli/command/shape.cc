#include "client/cli/command/shape.h"

#include <algorithm>

#include "client/cli/command/value_format.h"

namespace vigil::cli {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

std::vector<const FieldDescriptor*> MessagesIn(const Descriptor& type) {
  std::vector<const FieldDescriptor*> fields;
  for (int i = 0; i < type.field_count(); ++i) {
    if (IsPlainMessage(*type.field(i))) fields.push_back(type.field(i));
  }
  return fields;
}

bool IsRepeated(const FieldDescriptor* field) { return field->is_repeated(); }

bool IsRaw(const FieldDescriptor* field) {
  return !TableOf(*field->message_type()).raw().empty();
}

bool IsShownByItself(const Descriptor& type) {
  return type.options().HasExtension(v1::cli_table);
}

// Goes on to the only message that one holds, as long as it holds but one.
// Returns the messages in the last one.
std::vector<const FieldDescriptor*> Unwrap(const Descriptor& outermost,
                                           Shape* shape) {
  shape->type = &outermost;
  std::vector<const FieldDescriptor*> inner = MessagesIn(outermost);
  while (inner.size() == 1 && !inner[0]->is_repeated() &&
         !IsShownByItself(*shape->type) && !IsRaw(inner[0])) {
    shape->way.push_back(inner[0]);
    shape->type = inner[0]->message_type();
    inner = MessagesIn(*shape->type);
  }
  return inner;
}

}  // namespace

const v1::CliTable& TableOf(const Descriptor& type) {
  return type.options().GetExtension(v1::cli_table);
}

Shape Shape::OfResponse(const Descriptor& response) {
  Shape shape;
  shape.type = &response;
  if (response.field_count() == 0) {
    shape.kind = Kind::kEmpty;
    return shape;
  }
  if (IsShownByItself(response)) return shape;
  const std::vector<const FieldDescriptor*> inner = MessagesIn(response);
  const auto first = std::find_if(inner.begin(), inner.end(), IsRepeated);
  const bool has_pages = response.FindFieldByName("next_page_token") != nullptr;
  if (first != inner.end() && (has_pages || inner.size() == 1)) {
    shape.rows = *first;
    shape.kind = Kind::kRows;
  }
  if (std::any_of(inner.begin(), inner.end(), IsRaw)) {
    shape.kind = Kind::kRaw;
  } else if (inner.size() == 1 && shape.rows == nullptr) {
    shape.way.push_back(inner[0]);
    shape.type = inner[0]->message_type();
  }
  return shape;
}

Shape Shape::OfEvent(const Descriptor& event) {
  Shape shape;
  const std::vector<const FieldDescriptor*> inner = Unwrap(event, &shape);
  if (std::any_of(inner.begin(), inner.end(), IsRaw)) {
    shape.kind = Kind::kRaw;
    return shape;
  }
  if (!IsShownByItself(*shape.type) &&
      std::count_if(inner.begin(), inner.end(), IsRepeated) == 1) {
    shape.kind = Kind::kRows;
    shape.rows = *std::find_if(inner.begin(), inner.end(), IsRepeated);
  }
  return shape;
}

const Message* Shape::Find(const Message& message) const {
  const Message* found = &message;
  for (const FieldDescriptor* field : way) {
    if (!found->GetReflection()->HasField(*found, field)) return nullptr;
    found = &found->GetReflection()->GetMessage(*found, field);
  }
  return found;
}

}  // namespace vigil::cli
