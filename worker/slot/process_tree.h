// ProcessTree: the task process and all its descendants, as children of this
// process, which must be their subreaper and have no other children. For one
// thread, while no other works: one per process. Owns the processes until they
// are reaped; does not kill them by itself when it goes away.
#ifndef VIGIL_WORKER_SLOT_PROCESS_TREE_H_
#define VIGIL_WORKER_SLOT_PROCESS_TREE_H_

#include <sys/types.h>

#include <utility>
#include <variant>

#include "base/unique_fd.h"
#include "worker/slot/slot_event.h"
#include "worker/slot/task_command.h"
#include "worker/slot/task_launcher.h"
#include "worker/slot/tree_report.h"

namespace vigil::slot {

class ProcessTree {
 public:
  explicit ProcessTree(LaunchOptions options);
  ProcessTree(const ProcessTree&) = delete;
  ProcessTree& operator=(const ProcessTree&) = delete;

  // Starts the task process; see LaunchTask. The tree must be empty. Closes
  // `ends`.
  std::variant<Spawned, SpawnFailed> Start(const TaskCommand& command,
                                           TaskEnds ends);
  // The listener of the filter that the task of now has for itself; -1: it has
  // none.
  int listener() const { return listener_.get(); }
  void CloseListener() { listener_.Reset(); }
  // The task process; 0 once it was reaped.
  pid_t task() const { return task_; }

  // Sends `signum` to the task. The task process must not have
  // been reported as exited: later the group may be another's.
  void Signal(int signum, SignalScope scope);

  // Reaps what has ended. Does not block.
  TreeReport Reap();

  // Sends SIGKILL to every child and reaps what has ended. Does not block: the
  // killed end a little later, with a SIGCHLD, and then their own children are
  // children of this process. So: call it again at each SIGCHLD until the
  // report says `empty`. Children's pids cannot be recycled meanwhile, because
  // nobody else reaps them.
  TreeReport Kill();

 private:
  void NameLeftovers();
  // The tree is empty: nothing is on record any more.
  void ClearRecord();

  const LaunchOptions options_;
  // The task process; 0 once it is reaped.
  pid_t task_ = 0;
  bool killing_ = false;
  // A task may be on record.
  bool recorded_ = false;
  // Totals of the present task.
  TreeReport totals_;
  UniqueFd listener_;
};

}  // namespace vigil::slot

#endif  // VIGIL_WORKER_SLOT_PROCESS_TREE_H_
