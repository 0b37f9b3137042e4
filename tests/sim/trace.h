// Trace: what happened last in a simulation, for the report of a failing seed,
// and a digest of all of it, to show that a replay is exact.
// Thread-compatible; owns its lines.
#ifndef VIGIL_TESTS_SIM_TRACE_H_
#define VIGIL_TESTS_SIM_TRACE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/time/time.h"

namespace vigil::sim {

class Trace {
 public:
  // `verbose`: every line is printed to stderr as it is added.
  enum class Mode { kQuiet, kVerbose };
  explicit Trace(Mode mode) : mode_(mode) {}

  void Add(absl::Time now, std::string line);

  uint64_t digest() const { return digest_; }
  // Prints the last lines to stderr.
  void Print() const;

 private:
  // Lines kept: enough to see how the last steps came about.
  static constexpr size_t kLinesMax = 60;

  const Mode mode_;
  uint64_t digest_ = 14695981039346656037u;
  size_t added_ = 0;
  std::array<std::string, kLinesMax> lines_;
  std::array<absl::Time, kLinesMax> times_;
};

}  // namespace vigil::sim

#endif  // VIGIL_TESTS_SIM_TRACE_H_
