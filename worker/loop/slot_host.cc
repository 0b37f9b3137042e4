#include "worker/loop/slot_host.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/clock.h"
#include "base/log.h"
#include "worker/loop/limits.h"
#include "worker/slot/proc_fs.h"

namespace vigil::worker {

SlotHost::SlotHost(Options options, Poller* poller, Handler* handler)
    : options_(std::move(options)), poller_(poller), handler_(handler) {}

void SlotHost::Start(int slot) {
  const absl::Status started = StartProcess(slot);
  if (started.ok()) return;
  Log(LogSeverity::kError,
      absl::StrCat("slot ", slot, " does not start: ", started.ToString()));
  if (!processes_.contains(slot)) {
    ended_.insert(slot);
    return;
  }
  // Not watched or not on record, so it is of no use. Its end leads to
  // SlotGone.
  processes_.erase(slot);
}

absl::Status SlotHost::StartProcess(int slot) {
  absl::StatusOr<UniqueFd> record = OpenRecord(slot);
  if (!record.ok()) return record.status();
  absl::StatusOr<slot::SlotProcess> started =
      slot::SlotProcess::Start(options_.slot_binary, record->get());
  if (!started.ok()) return started.status();
  const pid_t pid = started->pid();
  const int fd = started->fd();
  pids_[pid] = slot;
  processes_.insert_or_assign(slot, *std::move(started));
  // Before it is asked for a task.
  absl::Status written = slot::WriteRecordHeader(
      record->get(), options_.host, {pid, slot::ReadStartTicks(pid)});
  if (!written.ok()) return written;
  return poller_->Add(fd, Poller::Kind::kSlot, slot);
}

absl::StatusOr<UniqueFd> SlotHost::OpenRecord(int slot) const {
  const std::string path = absl::StrCat(options_.record_directory, "/", slot);
  // Not truncated: on a full disk it can still be written over.
  const auto try_open = [&path] {
    return open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  };
  UniqueFd fd(try_open());
  if (!fd.valid() && errno == ENOENT &&
      mkdir(options_.record_directory.c_str(), 0700) == 0) {
    fd.Reset(try_open());
  }
  if (!fd.valid()) return absl::ErrnoToStatus(errno, path);
  return fd;
}

void SlotHost::Forget(int slot) {
  const auto it = processes_.find(slot);
  if (it == processes_.end()) return;
  poller_->Remove(it->second.fd());
  processes_.erase(it);
}

void SlotHost::Retire(int slot) { Forget(slot); }

void SlotHost::Kill(int slot) {
  const auto it = processes_.find(slot);
  if (it == processes_.end()) return;
  const absl::Status killed = it->second.KillSelf();
  if (!killed.ok()) {
    Log(LogSeverity::kError,
        absl::StrCat("slot ", slot, ": ", killed.ToString()));
  }
}

void SlotHost::Check(int slot, const absl::Status& status) {
  if (status.ok()) return;
  // Gone already, or stuck; either way its end is what comes next.
  if (!absl::IsAborted(status)) {
    Log(LogSeverity::kWarning,
        absl::StrCat("slot ", slot, " is killed: ", status.ToString()));
  }
  Kill(slot);
}

void SlotHost::Ping(int slot) {
  const auto it = processes_.find(slot);
  if (it != processes_.end()) Check(slot, it->second.Ping(++last_ping_));
}

void SlotHost::SendSignal(int slot, int signum, slot::SignalScope scope) {
  const auto it = processes_.find(slot);
  if (it != processes_.end()) {
    Check(slot, it->second.SendSignal(signum, scope));
  }
}

void SlotHost::KillTree(int slot) {
  const auto it = processes_.find(slot);
  if (it != processes_.end()) Check(slot, it->second.Kill());
}

void SlotHost::Lease(int slot, absl::Duration boottime) {
  const auto it = processes_.find(slot);
  if (it != processes_.end()) Check(slot, it->second.Lease(boottime));
}

void SlotHost::LeaseAll(absl::Duration boottime) {
  for (auto& [slot, process] : processes_) {
    Check(slot, process.Lease(boottime));
  }
}

absl::Status SlotHost::Spawn(int slot, const slot::TaskCommand& command,
                             slot::TaskEnds ends) {
  const auto it = processes_.find(slot);
  if (it == processes_.end()) return absl::OkStatus();
  absl::Status spawned = it->second.Spawn(command, std::move(ends));
  if (absl::IsInvalidArgument(spawned)) return spawned;
  Check(slot, spawned);
  return absl::OkStatus();
}

pid_t SlotHost::pid(int slot) const {
  const auto it = processes_.find(slot);
  return it == processes_.end() ? 0 : it->second.pid();
}

bool SlotHost::HandleSocket(int slot) {
  for (;;) {
    const auto it = processes_.find(slot);
    if (it == processes_.end()) return false;
    absl::StatusOr<std::optional<slot::Event>> event = it->second.Receive();
    if (!event.ok()) {
      // At the end the socket would stay readable; what remains is its death.
      Check(slot, event.status());
      Kill(slot);
      Forget(slot);
      return false;
    }
    if (!event->has_value()) return false;
    const bool last = !it->second.has_received();
    handler_->SlotSaid(slot, **event);
    if (!last) continue;
    handler_->SlotHasSpoken(slot);
    return true;
  }
}

void SlotHost::ReapZombies() {
  for (;;) {
    siginfo_t info = {};
    if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
        info.si_pid == 0) {
      return;
    }
    const auto it = pids_.find(info.si_pid);
    if (it != pids_.end()) {
      const int slot = it->second;
      const auto process = processes_.find(slot);
      if (process != processes_.end() && process->second.pid() == info.si_pid) {
        while (HandleSocket(slot)) {  // what it said before it ended
        }
        Forget(slot);
      }
      pids_.erase(info.si_pid);
      ended_.insert(slot);
    }
    waitpid(info.si_pid, nullptr, WNOHANG);
  }
}

bool SlotHost::KillStrays() {
  bool found = false;
  const absl::Status visited =
      slot::ForEachChildByScan("/proc", getpid(), [this, &found](pid_t pid) {
        if (pids_.contains(pid)) return;
        found = true;
        kill(pid, SIGKILL);
      });
  if (!visited.ok()) {
    Log(LogSeverity::kError,
        absl::StrCat("orphans cannot be found: ", visited.ToString()));
    return true;
  }
  return found;
}

void SlotHost::Sweep() {
  ReapZombies();
  if (ended_.empty()) return;
  while (KillStrays()) {
    // Those that died at once handed their own children up; look again. The
    // others are reaped at their SIGCHLD.
    siginfo_t info = {};
    if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0) break;
    if (info.si_pid == 0) return;
    ReapZombies();
  }
  std::set<int> ended;
  ended.swap(ended_);
  for (const int slot : ended) handler_->SlotGone(slot);
}

void SlotHost::EndAll() {
  while (!processes_.empty()) Forget(processes_.begin()->first);
  const absl::Duration deadline = BoottimeNow() + kSlotsExitMax;
  for (;;) {
    int status = 0;
    const pid_t pid = waitpid(-1, &status, WNOHANG);
    if (pid < 0 && errno == ECHILD) return;
    if (pid > 0) {
      pids_.erase(pid);
      continue;
    }
    if (pids_.empty()) KillStrays();
    if (BoottimeNow() >= deadline) return;
    absl::SleepFor(absl::Milliseconds(1));
  }
}

}  // namespace vigil::worker
