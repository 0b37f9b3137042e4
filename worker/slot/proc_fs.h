// What Vigil reads of /proc about its own processes: the children of this
// process, and when a process started. Thread-safe: there is no state. Owns
// nothing.
#ifndef VIGIL_WORKER_SLOT_PROC_FS_H_
#define VIGIL_WORKER_SLOT_PROC_FS_H_

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "worker/slot/stat_line.h"

namespace vigil::slot {

// Calls `visit` with the pid of each child of this process, zombies included.
// Blocks only for /proc. The list is a snapshot that may miss a child that
// arrives or one whose elder sibling is reaped meanwhile: callers look again
// until wait says ECHILD. Without CONFIG_PROC_CHILDREN it scans all of /proc.
// Fails (as errno says) when /proc cannot be read.
absl::Status ForEachChild(absl::FunctionRef<void(pid_t)> visit);

// As ForEachChild, for the children of all threads of `parent`, by scanning
// `proc_directory`: as slow as the machine has processes.
absl::Status ForEachChildByScan(const std::string& proc_directory, pid_t parent,
                                absl::FunctionRef<void(pid_t)> visit);

// Calls `visit` with each name in `directory` that is a number: a process, a
// thread, a descriptor. Fails (as errno says) when it cannot be read.
absl::Status ForEachNumberIn(const std::string& directory,
                             absl::FunctionRef<void(int)> visit);

// Calls `visit` with each pid in `path`, a file `children` of /proc.
absl::Status ForEachChildOf(const std::string& path,
                            absl::FunctionRef<void(pid_t)> visit);

// Nullopt: there is no such process, or /proc cannot be read.
std::optional<StatLine> ReadStat(pid_t pid);

// The name of the process that the thread or process `pid` belongs to, as the
// kernel keeps it; "?" if it is gone.
std::string ReadProgramName(pid_t pid);

// Returns when the process `pid` started, in clock ticks since boot (field 22
// of /proc/PID/stat); 0 if there is no such process or /proc cannot be read.
uint64_t ReadStartTicks(pid_t pid);

}  // namespace vigil::slot

#endif  // VIGIL_WORKER_SLOT_PROC_FS_H_
