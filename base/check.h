// VIGIL_CHECK: ends the process when an invariant does not hold, also in
// release builds, naming file, line and condition. For bugs of Vigil only;
// failures of the environment are an absl::Status. Thread-safe.
#ifndef VIGIL_BASE_CHECK_H_
#define VIGIL_BASE_CHECK_H_

#include <cstdio>
#include <cstdlib>
#include <string>

#define VIGIL_CHECK(condition, message)                                \
  do {                                                                 \
    if (__builtin_expect(!(condition), 0)) {                           \
      ::vigil::CheckFailed(__FILE__, __LINE__, #condition, (message)); \
    }                                                                  \
  } while (false)

namespace vigil {

[[noreturn]] inline void CheckFailed(const char* file, int line,
                                     const char* condition,
                                     const std::string& message) {
  std::fprintf(stderr, "%s:%d: check failed: %s: %s\n", file, line, condition,
               message.c_str());
  std::abort();
}

}  // namespace vigil

#endif  // VIGIL_BASE_CHECK_H_
