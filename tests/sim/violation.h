// Violation: the end of a run in which something was as it must not be.
// Thread-safe; owns nothing.
#ifndef VIGIL_TESTS_SIM_VIOLATION_H_
#define VIGIL_TESTS_SIM_VIOLATION_H_

#include <string>

#include "absl/time/time.h"

namespace vigil::sim {

// Ends the process, after saying at which simulated instant what was seen.
[[noreturn]] void EndByViolation(absl::Time now, const std::string& what);

}  // namespace vigil::sim

#endif  // VIGIL_TESTS_SIM_VIOLATION_H_
