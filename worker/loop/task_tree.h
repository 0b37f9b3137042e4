// What /proc says of a task's tree: how much it has computed, who else lives in
// it, how large the task is. Blocks only for /proc; thread-safe. Owns nothing.
#ifndef VIGIL_WORKER_LOOP_TASK_TREE_H_
#define VIGIL_WORKER_LOOP_TASK_TREE_H_

#include <sys/types.h>

#include <cstdint>
#include <optional>

#include "absl/time/time.h"

namespace vigil::worker {

// User and system time of the process `pid`, of the children it reaped, and of
// its living descendants, at most kCpuProcessesMax processes in all; nullopt
// when there is no such process. Resolution: a clock tick (10 ms).
std::optional<absl::Duration> CpuTimeOfTree(pid_t pid);

// How many processes live (zombies do not) under `slot`, the subreaper of the
// task `pid`, beside the task itself: its children and those of its threads. An
// orphan on its way from one to the other is counted. -1 if /proc does not say.
int OthersInTree(pid_t slot, pid_t pid);

// The resident set of the process `pid` in bytes; 0 if /proc does not say.
int64_t RssBytesOf(pid_t pid);

}  // namespace vigil::worker

#endif  // VIGIL_WORKER_LOOP_TASK_TREE_H_
