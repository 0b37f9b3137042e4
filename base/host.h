// HostLoad and NestingFilter: what a worker says of its host. Plain values,
// thread-compatible; the cores know no protobuf.
#ifndef VIGIL_BASE_HOST_H_
#define VIGIL_BASE_HOST_H_

#include <cstdint>
#include <string>
#include <vector>

namespace vigil {

// How busy a host is; see vigil.v1.HostLoad. Zero where the system does not
// say.
struct HostLoad {
  // Of the last minute, and the processors that the worker may use.
  double load_average = 0;
  int cpus = 0;
  int64_t memory_available_bytes = 0;
  int64_t memory_total_bytes = 0;
  int threads = 0;
  int processes = 0;
  // What is under stress, in words.
  std::vector<std::string> stress;

  friend bool operator==(const HostLoad&, const HostLoad&) = default;
};

// How far a worker can hold tasks to max_processes and max_threads. Numbers are
// those of vigil.v1.NestingFilter.State.
struct NestingFilter {
  enum class State : int {
    kUnspecified = 0,
    kEnforced = 1,
    kUnavailable = 2,
  };
  State state = State::kUnspecified;
  // Why it is not available, in one sentence.
  std::string problem;

  friend bool operator==(const NestingFilter&, const NestingFilter&) = default;
};

}  // namespace vigil

#endif  // VIGIL_BASE_HOST_H_
