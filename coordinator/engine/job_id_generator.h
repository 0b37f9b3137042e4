// JobIdGenerator: ids of 15 characters that sort by time of submission: 45 bits
// of milliseconds since 1970, then 30 bits that start at random in each
// millisecond and grow, in base 32 (digits and lower-case letters without a, i,
// o, u: nothing to misread). Short enough for std::string to hold without an
// allocation. Thread-compatible.
#ifndef VIGIL_COORDINATOR_ENGINE_JOB_ID_GENERATOR_H_
#define VIGIL_COORDINATOR_ENGINE_JOB_ID_GENERATOR_H_

#include <cstdint>
#include <random>

#include "absl/time/time.h"
#include "base/ids.h"

namespace vigil::coordinator {

class JobIdGenerator {
 public:
  explicit JobIdGenerator(uint64_t seed) : random_(seed) {}

  // Returns an id greater than all before it.
  JobId Next(absl::Time now);

 private:
  std::mt19937_64 random_;
  uint64_t last_ms_ = 0;
  uint64_t counter_ = 0;
};

}  // namespace vigil::coordinator

#endif  // VIGIL_COORDINATOR_ENGINE_JOB_ID_GENERATOR_H_
