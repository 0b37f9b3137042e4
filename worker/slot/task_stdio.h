// TaskStdio: a task's stdin, stdout and stderr as pairs of ends, one for the
// task and one for the worker that reads it. Thread-safe: there is no state.
// The result owns all descriptors; all are close-on-exec.
#ifndef VIGIL_WORKER_SLOT_TASK_STDIO_H_
#define VIGIL_WORKER_SLOT_TASK_STDIO_H_

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/unique_fd.h"
#include "worker/slot/task_command.h"

namespace vigil::slot {

// What the worker reads. Non-blocking.
struct WorkerEnds {
  UniqueFd stdout_fd;
  // Invalid on a terminal: both streams come from stdout_fd, which answers EIO
  // instead of end of file when the last process of the task has closed it.
  UniqueFd stderr_fd;
  // Valid only after AddChannel.
  UniqueFd channel_fd;
};

struct TaskStdio {
  TaskEnds task;
  WorkerEnds worker;
};

// Returns two pipes, and as stdin a sealed memfd that holds `input`, or
// /dev/null without one. Fails with what errno says: descriptors or memory are
// short (try again later).
absl::StatusOr<TaskStdio> MakePipes(const std::optional<std::string>& input);

// Adds a connected stream socket, by which a warm task and its worker exchange
// frames. The task's end blocks. Fails as MakePipes.
absl::Status AddChannel(TaskStdio& stdio);

// Returns a terminal of kPtyRows x kPtyColumns with the usual line discipline,
// so lines end in CR LF, but without echo. Stdin is a sealed memfd that holds
// `input`; without one it is the terminal, where an end of file is typed
// already. Fails as MakePipes.
absl::StatusOr<TaskStdio> MakeTerminal(const std::optional<std::string>& input);

}  // namespace vigil::slot

#endif  // VIGIL_WORKER_SLOT_TASK_STDIO_H_
