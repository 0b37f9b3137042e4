#include "tests/fuzz/proto_mutator.h"

#include <cstdint>
#include <iterator>
#include <limits>
#include <string>
#include <vector>

namespace vigil::fuzz {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

// Messages inside each other that are made at a time.
constexpr int kDepthMax = 4;

// Numbers at which something may change, small ones first.
constexpr int64_t kNumbers[] = {
    0,
    1,
    2,
    3,
    -1,
    4,
    64,
    1024,
    1000000000,
    std::numeric_limits<int32_t>::max(),
    std::numeric_limits<int32_t>::min(),
    std::numeric_limits<int64_t>::max(),
    std::numeric_limits<int64_t>::min(),
};
constexpr double kReals[] = {0,
                             0.5,
                             1,
                             -1,
                             1e300,
                             std::numeric_limits<double>::infinity(),
                             std::numeric_limits<double>::quiet_NaN()};
// Names that seeds use, and numbers of jobs.
constexpr const char* kWords[] = {"0", "1", "2", "s", "t",    "v",
                                  "w", "",  "a", "x", "warm", "local"};

// Every message that `message` holds, itself included.
void Collect(Message* message, std::vector<Message*>* all) {
  all->push_back(message);
  const Reflection* reflection = message->GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection->ListFields(*message, &fields);
  for (const FieldDescriptor* field : fields) {
    if (field->message_type() == nullptr) continue;
    if (!field->is_repeated()) {
      Collect(reflection->MutableMessage(message, field), all);
      continue;
    }
    for (int i = 0; i < reflection->FieldSize(*message, field); ++i) {
      Collect(reflection->MutableRepeatedMessage(message, field, i), all);
    }
  }
}

}  // namespace

void ProtoMutator::Mutate(Message* message) {
  std::vector<Message*> all;
  Collect(message, &all);
  Message* chosen = all[Below(static_cast<int>(all.size()))];
  const Reflection* reflection = chosen->GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection->ListFields(*chosen, &fields);
  if (fields.empty() || Below(3) == 0) return SetAny(chosen, 0);
  const FieldDescriptor* field = fields[Below(static_cast<int>(fields.size()))];
  if (Below(4) == 0) return reflection->ClearField(chosen, field);
  SetField(chosen, field, 0);
}

void ProtoMutator::SetAny(Message* message, int depth) {
  const auto* descriptor = message->GetDescriptor();
  if (descriptor->field_count() == 0) return;
  SetField(message, descriptor->field(Below(descriptor->field_count())), depth);
}

void ProtoMutator::SetField(Message* message, const FieldDescriptor* field,
                            int depth) {
  const Reflection* reflection = message->GetReflection();
  const int size =
      field->is_repeated() ? reflection->FieldSize(*message, field) : 0;
  const bool add = field->is_repeated() && (size == 0 || Below(2) == 0);
  if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) {
    return SetScalar(message, field, add ? -1 : size == 0 ? 0 : Below(size));
  }
  if (depth == kDepthMax) return;
  Message* inner =
      !field->is_repeated() ? reflection->MutableMessage(message, field)
      : add                 ? reflection->AddMessage(message, field)
            : reflection->MutableRepeatedMessage(message, field, Below(size));
  if (add && size > 0 && Below(2) == 0) {
    inner->CopyFrom(
        reflection->GetRepeatedMessage(*message, field, Below(size)));
  }
  for (int i = Below(3); i >= 0; --i) SetAny(inner, depth + 1);
}

// `index`: -1 adds one to a repeated field.
void ProtoMutator::SetScalar(Message* message, const FieldDescriptor* field,
                             int index) {
  const Reflection* r = message->GetReflection();
  const bool repeated = field->is_repeated();
  const int64_t number = Below(4) == 0 ? static_cast<int64_t>((*random_)())
                                       : kNumbers[Below(std::size(kNumbers))];
  const auto set = [&](auto one, auto some, auto add, auto value) {
    if (!repeated) {
      (r->*one)(message, field, value);
    } else if (index < 0) {
      (r->*add)(message, field, value);
    } else {
      (r->*some)(message, field, index, value);
    }
  };
  using R = Reflection;
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return set(&R::SetInt32, &R::SetRepeatedInt32, &R::AddInt32,
                 static_cast<int32_t>(number));
    case FieldDescriptor::CPPTYPE_INT64:
      return set(&R::SetInt64, &R::SetRepeatedInt64, &R::AddInt64, number);
    case FieldDescriptor::CPPTYPE_UINT32:
      return set(&R::SetUInt32, &R::SetRepeatedUInt32, &R::AddUInt32,
                 static_cast<uint32_t>(number));
    case FieldDescriptor::CPPTYPE_UINT64:
      return set(&R::SetUInt64, &R::SetRepeatedUInt64, &R::AddUInt64,
                 static_cast<uint64_t>(number));
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return set(&R::SetDouble, &R::SetRepeatedDouble, &R::AddDouble,
                 kReals[Below(std::size(kReals))]);
    case FieldDescriptor::CPPTYPE_FLOAT:
      return set(&R::SetFloat, &R::SetRepeatedFloat, &R::AddFloat,
                 static_cast<float>(kReals[Below(std::size(kReals))]));
    case FieldDescriptor::CPPTYPE_BOOL:
      return set(&R::SetBool, &R::SetRepeatedBool, &R::AddBool, Below(2) == 0);
    case FieldDescriptor::CPPTYPE_ENUM: {
      const auto* values = field->enum_type();
      // One in ten is unknown.
      const int value =
          Below(10) == 0
              ? 99
              : values->value(Below(values->value_count()))->number();
      return set(&R::SetEnumValue, &R::SetRepeatedEnumValue, &R::AddEnumValue,
                 value);
    }
    case FieldDescriptor::CPPTYPE_STRING:
      return set(&R::SetString, &R::SetRepeatedString, &R::AddString,
                 std::string(kWords[Below(std::size(kWords))]));
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return;
  }
}

}  // namespace vigil::fuzz
