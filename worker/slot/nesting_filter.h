// The seccomp filter by which the kernel asks a slot at each process or thread
// that its task wants to start. Thread-compatible; NestingFilter owns the
// compiled program, what is installed belongs to the kernel.
//
// clone3 answers ENOSYS, so that the C library falls back to clone, whose flags
// a filter can see. Everything else passes. Programs of other word sizes (i386,
// x32) are filtered alike.
//
// Until a call was read by the slot, a signal whose handler does not restart
// calls makes it fail with EINTR, which no program expects of fork: a shell's
// pipelines, for one, fail in it. So processes are asked for only where a task
// may have one helper at most, and no child of its own can signal it meanwhile.
// Threads are started with all signals blocked.
//
// To install a filter costs the kernel a twentieth of the CPU time of a short
// task: it is compiled and freed each time. So the slot's own thread wears the
// one that most tasks need, and they inherit it; what starts them is let
// through by a secret, a random number in an argument that the call does not
// use. A task that guesses it could do the same: this is no security boundary.
// A task that needs the other filter is started by a thread without one.
#ifndef VIGIL_WORKER_SLOT_NESTING_FILTER_H_
#define VIGIL_WORKER_SLOT_NESTING_FILTER_H_

#include <linux/filter.h>
#include <sys/types.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

namespace vigil::slot {

class NestingFilter {
 public:
  enum class Asks {
    kThreads,
    // fork, vfork and clone too.
    kThreadsAndProcesses,
  };

  // Compiles the filter and installs it in a process of its own to see whether
  // kernel and container permit it. UNAVAILABLE, with the reason as a sentence:
  // they do not, and tasks cannot be held to anything. Blocks for about a
  // millisecond.
  static absl::StatusOr<NestingFilter> Create();

  // Installs the filter for good in the calling thread and what it starts.
  // Returns the listener, close-on-exec, or -1, and errno says why. Whoever
  // asks it hands its processor over where the kernel can do that (6.6): it is
  // several times quicker. Sets no_new_privs. Only system calls: for a child
  // that shares its parent's memory.
  int Install(Asks asks) const;

  // clone lets this through, unasked, as its third argument (parent_tid).
  pid_t* secret() const { return secret_; }

 private:
  using Program = std::vector<sock_filter>;

  NestingFilter(Program threads, Program all, pid_t* secret)
      : threads_(std::move(threads)), all_(std::move(all)), secret_(secret) {}

  Program threads_;
  Program all_;
  pid_t* secret_;
  // SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV where the kernel has it (5.19): a
  // task's signal handler then cannot restart a call that was answered already.
  unsigned int flags_ = 0;
};

// The name of system call `number` of `architecture` (as in seccomp_data).
std::string SyscallName(unsigned int architecture, int number);

}  // namespace vigil::slot

#endif  // VIGIL_WORKER_SLOT_NESTING_FILTER_H_
