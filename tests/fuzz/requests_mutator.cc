// How libFuzzer changes an input of requests_fuzz.cc: most often by its fields,
// else by its bytes.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

#include "google/protobuf/text_format.h"
#include "tests/fuzz/proto_mutator.h"
#include "tests/fuzz/quiet_errors.h"
#include "tests/fuzz/request_script.pb.h"

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t size_max);

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size,
                                          size_t size_max, unsigned int seed) {
  vigil::fuzz::ProtoMutator::Random random(seed);
  if (random() % 3 == 0) return LLVMFuzzerMutate(data, size, size_max);
  vigil::fuzz::QuietErrors quiet;
  google::protobuf::TextFormat::Parser parser;
  parser.RecordErrorsTo(&quiet);
  vigil::fuzz::Request request;
  const std::string text(reinterpret_cast<const char*>(data), size);
  if (!parser.ParseFromString(text, &request)) {
    return LLVMFuzzerMutate(data, size, size_max);
  }
  vigil::fuzz::ProtoMutator mutator(&random);
  for (int i = static_cast<int>(random() % 3); i >= 0; --i) {
    mutator.Mutate(&request);
  }
  std::string mutated;
  if (!google::protobuf::TextFormat::PrintToString(request, &mutated) ||
      mutated.empty() || mutated.size() > size_max) {
    return LLVMFuzzerMutate(data, size, size_max);
  }
  std::memcpy(data, mutated.data(), mutated.size());
  return mutated.size();
}
