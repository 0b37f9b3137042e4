// The slot: the small process that owns one task at a time. A worker starts it
// with its end of a SOCK_SEQPACKET socket pair as descriptor 3 and, if what it
// runs is to be found after its death, its record as descriptor 4; it takes no
// flags and no environment.
//
// What ends it: the end of the socket. It then kills its tree, waits until the
// tree is empty, and exits with status 0. It does not ask for a signal at the
// worker's death: SIGKILL would leave the task's descendants to others.

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sysexits.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "base/task_token.h"
#include "base/unique_fd.h"
#include "worker/slot/limits.h"
#include "worker/slot/nesting_filter.h"
#include "worker/slot/slot_loop.h"
#include "worker/slot/task_launcher.h"
#include "worker/slot/unfiltered_thread.h"

namespace vigil::slot {
namespace {

bool IsSlotSocket(int fd) {
  int type = 0;
  socklen_t size = sizeof(type);
  return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 &&
         type == SOCK_SEQPACKET;
}

// The record, to stay open; -1 if there is none.
int RecordFd() {
  struct stat info;
  if (fstat(kRecordFd, &info) != 0 || !S_ISREG(info.st_mode)) return -1;
  return fcntl(kRecordFd, F_SETFD, FD_CLOEXEC) == 0 ? kRecordFd : -1;
}

// Descriptors 0 to 2 must be taken: a task's descriptors are moved there.
bool OpenStandardDescriptors() {
  for (int fd = 0; fd < 3; ++fd) {
    if (fcntl(fd, F_GETFD) >= 0) continue;
    if (open("/dev/null", O_RDWR) != fd) return false;
  }
  return true;
}

void DoNothing(int) {}

// Whether the slot ends is its worker's decision: a Ctrl+C in the terminal, or
// a service manager that signals the whole control group, asks the worker, who
// gives tasks their grace. Handlers that do nothing, since execve leaves
// ignored signals ignored and takes handlers away: so tasks have the defaults.
void DisregardSignals() {
  // A kernel sigaction of zeros: SIG_DFL, no flags, empty mask. Past the C
  // library, which hides two signals that it leaves ignored in what it spawns.
  constexpr std::array<unsigned long, 8> kDefault = {};
  for (int signum = 1; signum < NSIG; ++signum) {
    // Refused, rightly, for SIGKILL and SIGSTOP.
    syscall(SYS_rt_sigaction, signum, kDefault.data(), nullptr, NSIG / 8);
  }
  struct sigaction disregard = {};
  disregard.sa_handler = DoNothing;
  disregard.sa_flags = SA_RESTART;
  for (const int signum : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGUSR1,
                           SIGUSR2, SIGTSTP, SIGTTIN, SIGTTOU}) {
    sigaction(signum, &disregard, nullptr);
  }
}

int Fail(const char* what) {
  std::fprintf(stderr, "vigil-slot: %s: %s\n", what, strerror(errno));
  return EX_OSERR;
}

int Main() {
  // Its worker starts it with no environment: a task did.
  const char* task = std::getenv(kTaskTokenVariable);
  if (task != nullptr && task[0] != '\0') {
    std::fprintf(stderr, "vigil-slot: %s\n",
                 NestedStartMessage(task, "a slot").c_str());
    return EX_USAGE;
  }
  if (!IsSlotSocket(kSlotFd)) {
    std::fprintf(stderr,
                 "vigil-slot: descriptor %d is not a SOCK_SEQPACKET socket: a "
                 "slot is started by a Vigil worker, not by hand\n",
                 kSlotFd);
    return EX_USAGE;
  }
  UniqueFd socket(kSlotFd);
  if (fcntl(socket.get(), F_SETFD, FD_CLOEXEC) != 0) return Fail("fcntl");
  const int record_fd = RecordFd();
  if (!OpenStandardDescriptors()) return Fail("open /dev/null");
  DisregardSignals();
  prctl(PR_SET_NAME, "vigil-slot");
  if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) {
    return Fail("PR_SET_CHILD_SUBREAPER");
  }
  const absl::StatusOr<NestingFilter> filter = NestingFilter::Create();
  LaunchOptions options{.record_fd = record_fd};
  UnfilteredThread unfiltered;
  UniqueFd listener;
  if (filter.ok()) {
    options.filter = &*filter;
    options.unfiltered = &unfiltered;
    errno = unfiltered.Start();
    if (errno != 0) return Fail("start a thread");
    listener.Reset(filter->Install(NestingFilter::Asks::kThreadsAndProcesses));
    if (!listener.valid()) return Fail("the nesting filter");
  }
  absl::StatusOr<std::unique_ptr<SlotLoop>> loop = SlotLoop::Create(
      std::move(socket), std::move(options), std::move(listener),
      std::string(filter.status().message()));
  if (!loop.ok()) {
    std::fprintf(stderr, "vigil-slot: %s\n", loop.status().ToString().c_str());
    return EX_OSERR;
  }
  (*loop)->Run();
  // No handlers of exit: what starts a process or thread here waits for an
  // answer that nobody gives (a sanitizer's look for leaks does).
  _exit(EX_OK);
}

}  // namespace
}  // namespace vigil::slot

int main() { return vigil::slot::Main(); }
