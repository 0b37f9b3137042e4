#include "client/cli/command/method_shape.h"

#include <string>

#include "absl/strings/str_split.h"
#include "base/check.h"

namespace vigil::cli {
namespace {

using ::google::protobuf::Descriptor;
using ::google::protobuf::FieldDescriptor;

const Descriptor* TypeNamed(absl::string_view name) {
  const Descriptor* type =
      google::protobuf::DescriptorPool::generated_pool()->FindMessageTypeByName(
          std::string(name));
  VIGIL_CHECK(type != nullptr, "not linked: " + std::string(name));
  return type;
}

const FieldDescriptor* SingularField(const Descriptor* type, const char* name,
                                     FieldDescriptor::CppType cpp_type) {
  const FieldDescriptor* field = type->FindFieldByName(name);
  const bool fits = field != nullptr && !field->is_repeated() &&
                    field->cpp_type() == cpp_type;
  return fits ? field : nullptr;
}

const FieldDescriptor* OnlyRepeatedMessage(const Descriptor* type) {
  const FieldDescriptor* only = nullptr;
  for (int i = 0; i < type->field_count(); ++i) {
    const FieldDescriptor* field = type->field(i);
    if (!field->is_repeated() || field->is_map() ||
        field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) {
      continue;
    }
    if (only != nullptr) return nullptr;
    only = field;
  }
  return only;
}

}  // namespace

MethodShape MethodShape::Of(const CommandSpec& command) {
  MethodShape shape;
  shape.request = TypeNamed(command.request);
  shape.response = TypeNamed(command.response);
  if (command.streaming != Streaming::kNone) return shape;
  const FieldDescriptor* token = SingularField(shape.request, "page_token",
                                               FieldDescriptor::CPPTYPE_STRING);
  const FieldDescriptor* next = SingularField(shape.response, "next_page_token",
                                              FieldDescriptor::CPPTYPE_STRING);
  if (token == nullptr || next == nullptr) return shape;
  shape.page_token = token;
  shape.next_page_token = next;
  shape.rows = OnlyRepeatedMessage(shape.response);
  shape.page_size =
      SingularField(shape.request, "page_size", FieldDescriptor::CPPTYPE_INT32);
  return shape;
}

std::unique_ptr<google::protobuf::Message> NewMessage(const Descriptor* type) {
  return std::unique_ptr<google::protobuf::Message>(
      google::protobuf::MessageFactory::generated_factory()
          ->GetPrototype(type)
          ->New());
}

std::vector<const FieldDescriptor*> FieldsOf(const Descriptor* type,
                                             absl::string_view path) {
  std::vector<const FieldDescriptor*> fields;
  for (const std::string& name :
       std::vector<std::string>(absl::StrSplit(path, '.'))) {
    const FieldDescriptor* field =
        type == nullptr ? nullptr : type->FindFieldByName(name);
    VIGIL_CHECK(field != nullptr, "no field " + std::string(path));
    fields.push_back(field);
    type = field->message_type();
  }
  return fields;
}

}  // namespace vigil::cli
