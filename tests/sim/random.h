// Random: the one source of chance of a simulation, so that a seed decides
// everything that happens in it. The same on every machine, which the standard
// distributions do not promise. Thread-compatible; owns its generator.
#ifndef VIGIL_TESTS_SIM_RANDOM_H_
#define VIGIL_TESTS_SIM_RANDOM_H_

#include <cstddef>
#include <cstdint>
#include <random>

#include "absl/time/time.h"

namespace vigil::sim {

class Random {
 public:
  explicit Random(uint64_t seed) : generator_(seed) {}

  uint64_t Next() { return generator_(); }

  // From `low` to `high`, both included.
  int64_t Int(int64_t low, int64_t high) {
    return low +
           static_cast<int64_t>(Next() % static_cast<uint64_t>(high - low + 1));
  }

  // An index of a container of `size` elements, at least one.
  size_t Index(size_t size) { return Next() % size; }

  // From 0 to 1, 1 excluded.
  double Fraction() { return static_cast<double>(Next() >> 11) * 0x1.0p-53; }

  bool Chance(double probability) { return Fraction() < probability; }

  absl::Duration Between(absl::Duration low, absl::Duration high) {
    return absl::Nanoseconds(
        Int(absl::ToInt64Nanoseconds(low), absl::ToInt64Nanoseconds(high)));
  }

 private:
  std::mt19937_64 generator_;
};

}  // namespace vigil::sim

#endif  // VIGIL_TESTS_SIM_RANDOM_H_
