#include "worker/slot/nesting_filter.h"

#include <fcntl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/unique_fd.h"
#include "worker/slot/limits.h"

// Linux 5.19; Debian 12's headers may be older.
#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

// Linux 6.6; Debian 12's headers are older.
#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64)
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP (1UL << 0)
#endif

namespace vigil::slot {
namespace {

// Speculation is left as it was: a filter for accidents is no reason to make
// every task slower.
constexpr unsigned int kFlags =
    SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_SPEC_ALLOW;

// libseccomp's level of system calls that has SCMP_ACT_NOTIFY.
constexpr unsigned int kNotifyApi = 5;

struct ReleaseFilter {
  void operator()(void* filter) const { seccomp_release(filter); }
};

absl::Status Describe(const char* what, int error) {
  return absl::UnavailableError(absl::StrCat(what, ": ", strerror(error)));
}

using Asks = NestingFilter::Asks;

absl::StatusOr<std::vector<sock_filter>> Compile(Asks asks, uint64_t secret) {
  const std::unique_ptr<void, ReleaseFilter> filter(
      seccomp_init(SCMP_ACT_ALLOW));
  if (filter == nullptr) return Describe("seccomp_init", ENOMEM);
  int error = 0;
#if defined(__x86_64__)
  for (const uint32_t other : {SCMP_ARCH_X86, SCMP_ARCH_X32}) {
    if (error == 0) error = seccomp_arch_add(filter.get(), other);
  }
#elif defined(__aarch64__)
  error = seccomp_arch_add(filter.get(), SCMP_ARCH_ARM);
#endif
  if (asks == Asks::kThreads) {
    if (error == 0) {
      error = seccomp_rule_add(
          filter.get(), SCMP_ACT_NOTIFY, SCMP_SYS(clone), 1,
          SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));
    }
  } else {
    for (const int call : {SCMP_SYS(fork), SCMP_SYS(vfork)}) {
      if (error != 0) break;
      error = seccomp_rule_add(filter.get(), SCMP_ACT_NOTIFY, call, 0);
    }
    if (error == 0) {
      error = seccomp_rule_add(filter.get(), SCMP_ACT_NOTIFY, SCMP_SYS(clone),
                               1, SCMP_A2_64(SCMP_CMP_NE, secret));
    }
  }
  if (error == 0) {
    error = seccomp_rule_add(filter.get(), SCMP_ACT_ERRNO(ENOSYS),
                             SCMP_SYS(clone3), 0);
  }
  if (error != 0) return Describe("the filter cannot be compiled", -error);
  // The library writes the program to a descriptor only.
  const UniqueFd memory(memfd_create("vigil-filter", MFD_CLOEXEC));
  if (!memory.valid()) return Describe("memfd_create", errno);
  error = seccomp_export_bpf(filter.get(), memory.get());
  if (error != 0) return Describe("the filter cannot be exported", -error);
  const off_t size = lseek(memory.get(), 0, SEEK_END);
  std::vector<sock_filter> program(static_cast<size_t>(size) /
                                   sizeof(sock_filter));
  if (size <= 0 || pread(memory.get(), program.data(),
                         static_cast<size_t>(size), 0) != size) {
    return Describe("the filter cannot be read", errno);
  }
  return program;
}

int InstallProgram(const std::vector<sock_filter>& program,
                   unsigned int flags) {
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return -1;
  const sock_fprog described = {
      static_cast<unsigned short>(program.size()),
      const_cast<sock_filter*>(program.data()),
  };
  return static_cast<int>(
      syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &described));
}

// What the process that tries the filter shares with its parent.
struct Trial {
  const std::vector<sock_filter>* program;
  unsigned int flags;
  volatile int error = 0;
};

__attribute__((no_sanitize("address", "undefined"))) int TrialMain(
    void* argument) {
  Trial& trial = *static_cast<Trial*>(argument);
  if (InstallProgram(*trial.program, trial.flags) < 0) trial.error = errno;
  _exit(0);
}

// Returns an errno, 0 for none.
int TryToInstall(const std::vector<sock_filter>& program, unsigned int flags) {
  Trial trial{&program, flags};
  alignas(64) std::array<char, kChildStackBytes> stack;
  const pid_t pid = clone(TrialMain, stack.data() + stack.size(),
                          CLONE_VM | CLONE_VFORK | SIGCHLD, &trial);
  if (pid < 0) return errno;
  while (waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
  return trial.error;
}

std::string Explain(int error) {
  switch (error) {
    case EBUSY:
      return "this process runs under another supervisor's seccomp listener, "
             "and there can be but one";
    case EPERM:
    case EACCES:
      return "the container's seccomp profile forbids it; allow the system "
             "call seccomp(2), or use the profile RuntimeDefault";
    case EINVAL:
    case ENOSYS:
      return "the kernel has no seccomp user notification (Linux 5.5 or newer "
             "has)";
    default:
      return strerror(error);
  }
}

}  // namespace

absl::StatusOr<NestingFilter> NestingFilter::Create() {
  // Otherwise the library asks the kernel itself, and says of whatever the
  // kernel or container have against it that the argument is invalid.
  if (const int error = seccomp_api_set(kNotifyApi); error != 0) {
    return Describe("the library knows no user notification", -error);
  }
  uint64_t secret = 0;
  if (getrandom(&secret, sizeof(secret), 0) != sizeof(secret)) {
    return Describe("getrandom", errno);
  }
  absl::StatusOr<Program> threads = Compile(Asks::kThreads, secret);
  if (!threads.ok()) return threads.status();
  absl::StatusOr<Program> all = Compile(Asks::kThreadsAndProcesses, secret);
  if (!all.ok()) return all.status();
  NestingFilter filter(*std::move(threads), *std::move(all),
                       reinterpret_cast<pid_t*>(secret));
  filter.flags_ = kFlags | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
  int error = TryToInstall(filter.all_, filter.flags_);
  if (error == EINVAL) {
    filter.flags_ = kFlags;
    error = TryToInstall(filter.all_, filter.flags_);
  }
  if (error != 0) return absl::UnavailableError(Explain(error));
  return filter;
}

int NestingFilter::Install(Asks asks) const {
  const int listener =
      InstallProgram(asks == Asks::kThreads ? threads_ : all_, flags_);
  if (listener < 0) return listener;
  // Older kernels refuse, which is no failure.
  const int error = errno;
  ioctl(listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS,
        SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP);
  errno = error;
  return listener;
}

std::string SyscallName(unsigned int architecture, int number) {
  const std::unique_ptr<char, decltype(&free)> name(
      seccomp_syscall_resolve_num_arch(architecture, number), free);
  return name == nullptr ? absl::StrCat("system call ", number) : name.get();
}

}  // namespace vigil::slot
