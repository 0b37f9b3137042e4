// Starts task processes the vfork way: the child borrows the slot's memory
// until execve, so a start costs the same whatever the parent's size. Only in
// processes of which no other thread works meanwhile; blocks until the child
// has called execve. Owns nothing; the caller reaps the child.
#ifndef VIGIL_WORKER_SLOT_TASK_LAUNCHER_H_
#define VIGIL_WORKER_SLOT_TASK_LAUNCHER_H_

#include <optional>
#include <string>
#include <variant>

#include "base/unique_fd.h"
#include "worker/slot/nesting_filter.h"
#include "worker/slot/slot_event.h"
#include "worker/slot/task_command.h"
#include "worker/slot/unfiltered_thread.h"

namespace vigil::slot {

struct LaunchOptions {
  // By which tasks are held to their limits; null: none is available. The
  // calling thread wears the one that asks for processes too.
  const NestingFilter* filter = nullptr;
  // Starts tasks that are not to be asked for processes; set with `filter`.
  UnfilteredThread* unfiltered = nullptr;
  // Where a task notes which process it is before it runs its program, behind
  // the first kRecordHeaderBytes; not owned. -1: nowhere.
  int record_fd = -1;
};

// Starts `command`, one that WriteCommand accepts, with `ends` as descriptors
// 0, 1 and 2 and no other, in a new session, with no blocked signals (those
// that this process ignores, the task does too), exactly the given environment,
// and SIGKILL at the death of the calling thread. Umask and resource limits are
// inherited. All descriptors in `ends` must be above 2, and all others of this
// process close-on-exec. A task whose processes are not asked for (IsAsked) has
// a filter of its own, and asks `listener` before it starts threads; others ask
// that of the calling thread. On failure nothing is left behind.
std::variant<Spawned, SpawnFailed> LaunchTask(const TaskCommand& command,
                                              const TaskEnds& ends,
                                              const LaunchOptions& options,
                                              UniqueFd* listener);

}  // namespace vigil::slot

#endif  // VIGIL_WORKER_SLOT_TASK_LAUNCHER_H_
