// What a slot tells its worker, as plain values: the same as SlotEvent in
// slot.proto, without protobuf. Thread-compatible. Values own what they hold.
#ifndef VIGIL_WORKER_SLOT_SLOT_EVENT_H_
#define VIGIL_WORKER_SLOT_SLOT_EVENT_H_

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/time/time.h"

namespace vigil::slot {

// Whom a signal is for.
enum class SignalScope {
  // The task's process group.
  kGroup,
  // The task process alone.
  kProcess,
};

// The slot takes requests. Always the first event.
struct Ready {
  // The slot's own process.
  pid_t pid = 0;
  // Why it cannot hold tasks to max_processes and max_threads; empty: it can.
  std::string filter_problem = {};
};

// The task runs: execve succeeded.
struct Spawned {
  // The task process; also its session and process group.
  pid_t pid = 0;
};

// What failed in a start.
enum class SpawnStage {
  // The slot is not free, or the request is not valid.
  kRequest,
  // The lease is over.
  kLease,
  // The program is not in PATH (ENOENT), or not executable there (EACCES).
  kLookup,
  kWorkingDirectory,
  // The new process (EAGAIN, ENOMEM: may be tried again).
  kFork,
  // Session, terminal, descriptors or signals of the new process.
  kSetup,
  kExec,
  // execve found the program but not the interpreter it names (ENOENT).
  kInterpreter,
};

// The task was not started; the slot takes the next one.
struct SpawnFailed {
  // As errno.
  int error = 0;
  SpawnStage stage = SpawnStage::kRequest;
  // The program or directory it was about; at most kWhatMaxBytes.
  std::string what;
};

// The task process ended; its descendants may still live. Exactly one of the
// two is set.
struct Exited {
  // Exit status, 0 to 255.
  std::optional<int> status;
  // The signal that ended it.
  std::optional<int> signum;
};

// A descendant that was alive when the task process had ended.
struct Leftover {
  pid_t pid = 0;
  // At most kProgramNameMaxBytes.
  std::string program;
};

// The task's tree is proved dead, or could not be killed in time.
struct TreeEmpty {
  // Descendants, without the task process, that died of the slot's SIGKILL.
  int leftovers_killed = 0;
  // CPU time of the tree's processes that were reaped.
  absl::Duration user_time;
  absl::Duration system_time;
  // The largest resident set of any one process; never below the slot's own
  // few MiB, which the kernel counts for a process before its execve.
  int64_t max_rss_bytes = 0;
  // The slot sent SIGKILL to the task process.
  bool killed = false;
  // The lease ended the task.
  bool lease_expired = false;
  // The tree is not empty after kTreeKillMax. The slot takes no task until a
  // second TreeEmpty says that it is.
  bool unconfirmed = false;
  // What lived when the task process had ended; at most kLeftoversToldMax.
  std::vector<Leftover> leftovers = {};
};

// The task wanted a process above max_processes, or a thread above max_threads;
// or, where it does not ask before it starts one, had more processes than that.
// The first ones of a kind are told one by one, then each time their number has
// doubled; what was not told is before TreeEmpty.
struct NestedCallSeen {
  // The program that called, at most kProgramNameMaxBytes; "others" stands for
  // all that are too many to list.
  std::string program;
  // The system call, or kThreadCall.
  std::string call;
  // It is not to have it; otherwise it is only counted (AUDIT).
  bool refused = false;
  // Since Spawned, of this program and call.
  int64_t count = 0;
  // What lived at that time: processes beside the task's own; threads.
  int live = 0;
};

// Answers a ping.
struct Pong {
  uint64_t number = 0;
};

using Event = std::variant<Ready, Spawned, SpawnFailed, Exited, NestedCallSeen,
                           TreeEmpty, Pong>;

}  // namespace vigil::slot

#endif  // VIGIL_WORKER_SLOT_SLOT_EVENT_H_
