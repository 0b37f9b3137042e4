#include "tests/sim/violation.h"

#include <cstdio>
#include <cstdlib>

#include "tests/sim/event_queue.h"

namespace vigil::sim {

void EndByViolation(absl::Time now, const std::string& what) {
  std::fprintf(stderr, "violation at %.6f s: %s\n",
               absl::ToDoubleSeconds(now - kStart), what.c_str());
  std::abort();
}

}  // namespace vigil::sim
