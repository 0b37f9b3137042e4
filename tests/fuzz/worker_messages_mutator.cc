// How libFuzzer changes a script of worker_messages_fuzz.cc: most often by its
// steps and their fields, else by its bytes.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/text_format.h"
#include "tests/fuzz/proto_mutator.h"
#include "tests/fuzz/quiet_errors.h"
#include "tests/fuzz/worker_script.pb.h"

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t size_max);

namespace {

using ::vigil::fuzz::ProtoMutator;
using ::vigil::fuzz::Step;

bool MutateLine(ProtoMutator::Random* random, std::string* line) {
  vigil::fuzz::QuietErrors quiet;
  google::protobuf::TextFormat::Parser parser;
  parser.RecordErrorsTo(&quiet);
  Step step;
  if (!parser.ParseFromString(*line, &step)) return false;
  ProtoMutator mutator(random);
  for (int i = (*random)() % 3; i >= 0; --i) mutator.Mutate(&step);
  google::protobuf::TextFormat::Printer printer;
  printer.SetSingleLineMode(true);
  return printer.PrintToString(step, line);
}

}  // namespace

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size,
                                          size_t size_max, unsigned int seed) {
  ProtoMutator::Random random(seed);
  if (random() % 5 == 0) return LLVMFuzzerMutate(data, size, size_max);
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  std::vector<std::string> lines = absl::StrSplit(text, '\n');
  const size_t from = random() % lines.size();
  const size_t to = random() % lines.size();
  const auto place = [&lines](size_t index) {
    return lines.begin() + static_cast<std::ptrdiff_t>(index);
  };
  switch (random() % 8) {
    case 0:
      lines.erase(place(from));
      break;
    case 1:
      std::swap(lines[from], lines[to]);
      break;
    case 2:
      lines.insert(place(to), std::string(lines[from]));
      break;
    case 3:
      // Said once more, but for something.
      lines.insert(place(to), std::string(lines[from]));
      MutateLine(&random, &lines[to]);
      break;
    default:
      MutateLine(&random, &lines[from]);
  }
  const std::string mutated = absl::StrJoin(lines, "\n");
  if (mutated.empty() || mutated.size() > size_max) {
    return LLVMFuzzerMutate(data, size, size_max);
  }
  std::memcpy(data, mutated.data(), mutated.size());
  return mutated.size();
}
