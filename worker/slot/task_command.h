// TaskCommand and TaskEnds: all that makes a task process, its command line and
// its descriptors. Thread-compatible. TaskEnds owns its descriptors.
#ifndef VIGIL_WORKER_SLOT_TASK_COMMAND_H_
#define VIGIL_WORKER_SLOT_TASK_COMMAND_H_

#include <string>
#include <vector>

#include "base/policy.h"
#include "base/unique_fd.h"

namespace vigil::slot {

// What to run. Strings are bytes without NUL, at most kCommandMaxBytes in all.
struct TaskCommand {
  // Program and arguments, at least one. A program without a slash is looked up
  // in PATH of `env`.
  std::vector<std::string> argv;
  // The whole environment, as NAME=value; nothing is inherited.
  std::vector<std::string> env;
  // Where to run; empty: where the slot runs. Relative programs and relative
  // PATH entries start here.
  std::string working_directory;
  // Stdout is a terminal: it becomes the task's controlling terminal.
  bool pty = false;
  // What it may have beside its own process, where the filter is available.
  Nesting nesting = {};
  // It is likely to be over in a moment: that it runs is told with its end, if
  // that comes within kSpawnedHeldMax.
  bool brief = false;
};

// The task's ends of its stdin, stdout and stderr; and of its channel to the
// worker, which becomes kChannelFd, if it has one.
struct TaskEnds {
  UniqueFd stdin_fd;
  UniqueFd stdout_fd;
  UniqueFd stderr_fd;
  UniqueFd channel_fd;
};

}  // namespace vigil::slot

#endif  // VIGIL_WORKER_SLOT_TASK_COMMAND_H_
