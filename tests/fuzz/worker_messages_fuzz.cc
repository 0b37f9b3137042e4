// Lets workers say anything to a coordinator. Each line of an input is a Step,
// as textproto; lines that are none are passed over. CoordinatorWorld says what
// must hold.
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/text_format.h"
#include "tests/fuzz/coordinator_world.h"
#include "tests/fuzz/quiet_errors.h"
#include "tests/fuzz/worker_script.pb.h"

namespace {

using ::vigil::fuzz::Step;

// Longer scripts are no better, and slow.
constexpr int kStepsMax = 40;

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  vigil::fuzz::QuietErrors quiet;
  google::protobuf::TextFormat::Parser parser;
  parser.RecordErrorsTo(&quiet);
  vigil::fuzz::CoordinatorWorld world;
  int steps = 0;
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    Step step;
    if (!parser.ParseFromString(std::string(line), &step)) continue;
    // What cannot come over the wire, strings that are not UTF-8, is not
    // received.
    if (!Step().ParseFromString(step.SerializeAsString())) continue;
    world.Apply(std::move(step));
    if (++steps == kStepsMax) break;
  }
  world.End();
  return 0;
}
