// ProtoMutator: changes a message by its fields, where a fuzzer that changes
// bytes mostly breaks its text. Owns nothing; thread-compatible.
#ifndef VIGIL_TESTS_FUZZ_PROTO_MUTATOR_H_
#define VIGIL_TESTS_FUZZ_PROTO_MUTATOR_H_

#include <random>

#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"

namespace vigil::fuzz {

class ProtoMutator {
 public:
  using Random = std::minstd_rand;

  // Does not own `random`.
  explicit ProtoMutator(Random* random) : random_(random) {}

  // Changes, adds or removes a field somewhere in `message`.
  void Mutate(google::protobuf::Message* message);

 private:
  int Below(int bound) { return static_cast<int>((*random_)() % bound); }
  void SetAny(google::protobuf::Message* message, int depth);
  void SetField(google::protobuf::Message* message,
                const google::protobuf::FieldDescriptor* field, int depth);
  void SetScalar(google::protobuf::Message* message,
                 const google::protobuf::FieldDescriptor* field, int index);

  Random* const random_;
};

}  // namespace vigil::fuzz

#endif  // VIGIL_TESTS_FUZZ_PROTO_MUTATOR_H_
