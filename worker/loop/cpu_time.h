// CpuTimeOfTree: how much a task has computed so far. Blocks only for /proc;
// thread-safe. Owns nothing.
#ifndef VIGIL_WORKER_LOOP_CPU_TIME_H_
#define VIGIL_WORKER_LOOP_CPU_TIME_H_

#include <sys/types.h>

#include <optional>

#include "absl/time/time.h"

namespace vigil::worker {

// User and system time of the process `pid`, of the children it reaped, and of
// its living descendants, at most kCpuProcessesMax processes in all; nullopt
// when there is no such process. Resolution: a clock tick (10 ms).
std::optional<absl::Duration> CpuTimeOfTree(pid_t pid);

}  // namespace vigil::worker

#endif  // VIGIL_WORKER_LOOP_CPU_TIME_H_
