// What the processes of a task do, seen from outside: the evidence of a kill,
// and their memory. Blocks only for /proc; thread-safe. Owns nothing.
#ifndef VIGIL_WORKER_LOOP_TREE_SNAPSHOT_H_
#define VIGIL_WORKER_LOOP_TREE_SNAPSHOT_H_

#include <sys/types.h>

#include <cstdint>

#include "base/attempt.h"

namespace vigil::worker {

// Looks at what lives under `slot`, the subreaper of a task: its tree, zombies
// included. It counts all, looks at kTreeProcessesMax of them, about 0.1 ms
// each, and lists kEvidenceProcessesMax.
TreeFacts SnapshotTree(pid_t slot);

// Resident memory of what lives under `slot`, in bytes; negative if /proc does
// not say. Memory that processes share counts once as soon as the sum is above
// `bytes_max` otherwise: the kernel needs milliseconds to tell.
int64_t MemoryOfTree(pid_t slot, int64_t bytes_max);

// Whether the process `pid` has a handler for `signum`.
bool HandlesSignal(pid_t pid, int signum);

}  // namespace vigil::worker

#endif  // VIGIL_WORKER_LOOP_TREE_SNAPSHOT_H_
