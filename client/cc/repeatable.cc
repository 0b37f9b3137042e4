#include "client/cc/repeatable.h"

#include "client/cc/random_id.h"
#include "google/protobuf/descriptor.h"

namespace vigil::client {
namespace {

using ::google::protobuf::FieldDescriptor;
using ::google::protobuf::Message;
using ::google::protobuf::Reflection;

bool HasRequestId(const FieldDescriptor& field) {
  return field.message_type() != nullptr &&
         field.message_type()->FindFieldByName("request_id") != nullptr;
}

}  // namespace

bool MakeRepeatable(Message* request) {
  const google::protobuf::Descriptor& type = *request->GetDescriptor();
  const Reflection& reflection = *request->GetReflection();
  bool repeatable = true;
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    if (field.name() == "request_id") {
      if (reflection.GetString(*request, &field).empty()) {
        reflection.SetString(request, &field, RandomId());
      }
    } else if (field.name() == "first_index") {
      repeatable = repeatable && reflection.HasField(*request, &field);
    } else if (!HasRequestId(field)) {
      continue;
    } else if (field.is_repeated()) {
      for (int j = 0; j < reflection.FieldSize(*request, &field); ++j) {
        MakeRepeatable(reflection.MutableRepeatedMessage(request, &field, j));
      }
    } else {
      MakeRepeatable(reflection.MutableMessage(request, &field));
    }
  }
  return repeatable;
}

}  // namespace vigil::client
