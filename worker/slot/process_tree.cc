#include "worker/slot/process_tree.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "base/check.h"
#include "worker/slot/limits.h"
#include "worker/slot/proc_fs.h"

namespace vigil::slot {
namespace {

Exited ExitOf(int wait_status) {
  Exited exited;
  if (WIFEXITED(wait_status)) {
    exited.status = WEXITSTATUS(wait_status);
  } else {
    exited.signum = WTERMSIG(wait_status);
  }
  return exited;
}

}  // namespace

ProcessTree::ProcessTree(LaunchOptions options)
    : options_(std::move(options)) {}

std::variant<Spawned, SpawnFailed> ProcessTree::Start(
    const TaskCommand& command, TaskEnds ends) {
  VIGIL_CHECK(task_ == 0, "one task at a time");
  totals_ = TreeReport();
  killing_ = false;
  listener_.Reset();
  recorded_ = options_.record_fd >= 0;
  std::variant<Spawned, SpawnFailed> result =
      LaunchTask(command, ends, options_, &listener_);
  if (const Spawned* spawned = std::get_if<Spawned>(&result)) {
    task_ = spawned->pid;
  } else {
    ClearRecord();
  }
  return result;
}

void ProcessTree::Signal(int signum, SignalScope scope) {
  VIGIL_CHECK(task_ > 0, "only a task that was not reaped can be signalled");
  // Fails only for a signal number that does not exist, or for processes that
  // changed their user; Kill comes after it.
  kill(scope == SignalScope::kGroup ? -task_ : task_, signum);
}

TreeReport ProcessTree::Reap() {
  TreeReport report = totals_;
  for (;;) {
    int status = 0;
    rusage usage = {};
    // __WALL: also children that end without SIGCHLD. Not bounded: reaping is
    // far cheaper than forking.
    const pid_t pid = wait4(-1, &status, WNOHANG | __WALL, &usage);
    if (pid < 0 && errno == EINTR) continue;
    if (pid <= 0) {
      VIGIL_CHECK(pid == 0 || errno == ECHILD, "wait4 failed");
      report.empty = pid < 0;
      if (report.empty) ClearRecord();
      break;
    }
    report.user_time += absl::DurationFromTimeval(usage.ru_utime);
    report.system_time += absl::DurationFromTimeval(usage.ru_stime);
    report.max_rss_bytes = std::max<int64_t>(report.max_rss_bytes,
                                             int64_t{usage.ru_maxrss} * 1024);
    if (pid == task_) {
      task_ = 0;
      report.exited = ExitOf(status);
    } else if (killing_ && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) {
      ++report.leftovers_killed;
    }
  }
  totals_ = report;
  totals_.exited.reset();
  totals_.empty = false;
  return report;
}

void ProcessTree::ClearRecord() {
  if (!recorded_) return;
  recorded_ = false;
  // What stays names a process that does not exist: harmless.
  [[maybe_unused]] const ssize_t written =
      pwrite(options_.record_fd, "\n", 1, kRecordHeaderBytes);
}

TreeReport ProcessTree::Kill() {
  // What lives when its task has ended is named before it is killed.
  if (!killing_ && task_ == 0) NameLeftovers();
  killing_ = true;
  const absl::Status listed =
      ForEachChild([](pid_t child) { kill(child, SIGKILL); });
  // Without /proc the task process is the one child that is known.
  if (!listed.ok() && task_ > 0) kill(task_, SIGKILL);
  return Reap();
}

void ProcessTree::NameLeftovers() {
  ForEachChild([this](pid_t child) {
    if (totals_.leftovers.size() >= kLeftoversToldMax) return;
    totals_.leftovers.push_back(
        {child, ReadProgramName(child).substr(0, kProgramNameMaxBytes)});
  }).IgnoreError();
}

}  // namespace vigil::slot
