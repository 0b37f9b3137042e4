// What the programs of the benchmarks share. Functions, thread-safe.
#ifndef VIGIL_TESTS_BENCH_BENCH_UTIL_H_
#define VIGIL_TESTS_BENCH_BENCH_UTIL_H_

#include <time.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace vigil::bench {

// CLOCK_MONOTONIC, which all processes of a machine share.
inline int64_t NowNanoseconds() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * int64_t{1'000'000'000} + now.tv_nsec;
}

[[noreturn]] inline void Die(const std::string& what) {
  fprintf(stderr, "bench: %s\n", what.c_str());
  exit(1);
}

}  // namespace vigil::bench

#endif  // VIGIL_TESTS_BENCH_BENCH_UTIL_H_
