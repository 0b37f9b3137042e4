#include "worker/slot/task_stdio.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "absl/status/status.h"
#include "worker/slot/limits.h"
#include "worker/slot/sealed_memfd.h"

namespace vigil::slot {
namespace {

// Ctrl+D, the terminal's end of file by default.
constexpr char kEndOfFile = '\4';

absl::StatusOr<UniqueFd> Input(const std::string& input) {
  return SealedMemfd("vigil-stdin", input);
}

absl::StatusOr<UniqueFd> Null() {
  UniqueFd fd(open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return absl::ErrnoToStatus(errno, "open /dev/null");
  return fd;
}

absl::StatusOr<UniqueFd> Duplicate(const UniqueFd& fd) {
  UniqueFd copy(fcntl(fd.get(), F_DUPFD_CLOEXEC, 0));
  if (!copy.valid()) return absl::ErrnoToStatus(errno, "duplicate a terminal");
  return copy;
}

// The task's end stays blocking: that is what programs expect.
absl::Status MakePipe(UniqueFd& worker_end, UniqueFd& task_end) {
  std::array<int, 2> ends;
  if (pipe2(ends.data(), O_CLOEXEC) != 0) {
    return absl::ErrnoToStatus(errno, "pipe for a task");
  }
  worker_end.Reset(ends[0]);
  task_end.Reset(ends[1]);
  if (fcntl(worker_end.get(), F_SETFL, O_NONBLOCK) != 0) {
    return absl::ErrnoToStatus(errno, "make a pipe non-blocking");
  }
  return absl::OkStatus();
}

absl::Status SetUpTerminal(int terminal) {
  termios settings;
  if (tcgetattr(terminal, &settings) != 0) {
    return absl::ErrnoToStatus(errno, "tcgetattr");
  }
  settings.c_lflag &= ~static_cast<tcflag_t>(ECHO | ECHONL);
  if (tcsetattr(terminal, TCSANOW, &settings) != 0) {
    return absl::ErrnoToStatus(errno, "tcsetattr");
  }
  const winsize window = {.ws_row = kPtyRows,
                          .ws_col = kPtyColumns,
                          .ws_xpixel = 0,
                          .ws_ypixel = 0};
  if (ioctl(terminal, TIOCSWINSZ, &window) != 0) {
    return absl::ErrnoToStatus(errno, "TIOCSWINSZ");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<TaskStdio> MakePipes(const std::optional<std::string>& input) {
  TaskStdio stdio;
  absl::StatusOr<UniqueFd> stdin_fd =
      input.has_value() ? Input(*input) : Null();
  if (!stdin_fd.ok()) return stdin_fd.status();
  stdio.task.stdin_fd = *std::move(stdin_fd);
  absl::Status made = MakePipe(stdio.worker.stdout_fd, stdio.task.stdout_fd);
  if (!made.ok()) return made;
  made = MakePipe(stdio.worker.stderr_fd, stdio.task.stderr_fd);
  if (!made.ok()) return made;
  return stdio;
}

absl::Status AddChannel(TaskStdio& stdio) {
  std::array<int, 2> ends;
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return absl::ErrnoToStatus(errno, "channel for a task");
  }
  stdio.worker.channel_fd.Reset(ends[0]);
  stdio.task.channel_fd.Reset(ends[1]);
  if (fcntl(stdio.worker.channel_fd.get(), F_SETFL, O_NONBLOCK) != 0) {
    return absl::ErrnoToStatus(errno, "make a channel non-blocking");
  }
  return absl::OkStatus();
}

absl::StatusOr<TaskStdio> MakeTerminal(
    const std::optional<std::string>& input) {
  TaskStdio stdio;
  UniqueFd& controller = stdio.worker.stdout_fd;
  controller.Reset(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK));
  if (!controller.valid() || unlockpt(controller.get()) != 0) {
    return absl::ErrnoToStatus(errno, "open a terminal");
  }
  // Not by name: /dev/pts may be mounted elsewhere, or not at all.
  stdio.task.stdout_fd.Reset(
      ioctl(controller.get(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!stdio.task.stdout_fd.valid()) {
    return absl::ErrnoToStatus(errno, "TIOCGPTPEER");
  }
  absl::Status set_up = SetUpTerminal(stdio.task.stdout_fd.get());
  if (!set_up.ok()) return set_up;

  absl::StatusOr<UniqueFd> stdin_fd =
      input.has_value() ? Input(*input) : Duplicate(stdio.task.stdout_fd);
  if (!stdin_fd.ok()) return stdin_fd.status();
  stdio.task.stdin_fd = *std::move(stdin_fd);
  if (!input.has_value() &&
      write(controller.get(), &kEndOfFile, sizeof(kEndOfFile)) < 0) {
    return absl::ErrnoToStatus(errno, "write to a terminal");
  }
  absl::StatusOr<UniqueFd> stderr_fd = Duplicate(stdio.task.stdout_fd);
  if (!stderr_fd.ok()) return stderr_fd.status();
  stdio.task.stderr_fd = *std::move(stderr_fd);
  return stdio;
}

}  // namespace vigil::slot
