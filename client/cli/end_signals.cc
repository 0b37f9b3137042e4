#include "client/cli/end_signals.h"

#include <errno.h>
#include <poll.h>
#include <sys/signalfd.h>

#include "absl/strings/str_cat.h"
#include "base/unique_fd.h"

namespace vigil::cli {
namespace {

// Waits for `events` of `fd` (-1: none), up to `timeout_ms` (-1: forever).
absl::Status Await(int fd, short events, int timeout_ms) {
  pollfd fds[] = {{fd, events, 0}, {-1, POLLIN, 0}};
  if (poll(fds, 1, 0) > 0) return absl::OkStatus();
  sigset_t set;
  sigemptyset(&set);
  for (int signal : kEndSignals) sigaddset(&set, signal);
  // Shows what is pending, and takes nothing unless it is read.
  const UniqueFd signals(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!signals.valid()) return absl::ErrnoToStatus(errno, "signalfd");
  fds[1].fd = signals.get();
  int ready = -1;
  do {
    ready = poll(fds, 2, timeout_ms);
  } while (ready < 0 && errno == EINTR);
  if (ready < 0) return absl::ErrnoToStatus(errno, "cannot wait");
  if (fds[0].revents != 0 || fds[1].revents == 0) return absl::OkStatus();
  return absl::CancelledError(
      absl::StrCat("ended by signal ", PendingEndSignal()));
}

}  // namespace

int PendingEndSignal() {
  sigset_t pending;
  if (sigpending(&pending) != 0) return 0;
  for (int signal : kEndSignals) {
    if (sigismember(&pending, signal) == 1) return signal;
  }
  return 0;
}

absl::Status AwaitReadable(int fd) { return Await(fd, POLLIN, -1); }

absl::Status AwaitWritable(int fd) { return Await(fd, POLLOUT, -1); }

absl::Status Pause(absl::Duration duration) {
  return Await(-1, 0, static_cast<int>(absl::ToInt64Milliseconds(duration)));
}

}  // namespace vigil::cli
