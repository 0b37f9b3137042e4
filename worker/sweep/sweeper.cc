#include "worker/sweep/sweeper.h"

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/unique_fd.h"
#include "worker/sweep/limits.h"

namespace vigil::sweep {
namespace {

using slot::ProcessKey;

class PidfdSystem : public System {
 public:
  absl::Status Kill(pid_t pid, absl::FunctionRef<bool()> is_it) override {
    const UniqueFd pidfd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
    if (!pidfd.valid()) {
      if (errno == ESRCH) return absl::OkStatus();
      return absl::ErrnoToStatus(errno, absl::StrCat("pidfd_open of ", pid));
    }
    if (!is_it()) return absl::OkStatus();
    if (syscall(SYS_pidfd_send_signal, pidfd.get(), SIGKILL, nullptr, 0) != 0 &&
        errno != ESRCH) {
      return absl::ErrnoToStatus(errno, absl::StrCat("kill ", pid));
    }
    return absl::OkStatus();
  }
  absl::Duration Now() override { return BoottimeNow(); }
  void Wait(absl::Duration time) override { absl::SleepFor(time); }
};

class Sweeper {
 public:
  Sweeper(const SweepOptions& options, System* system)
      : options_(options),
        system_(system),
        table_(options.proc_directory, options.worker_id),
        recognised_(options.recorded) {}

  SweepOutcome Run();

 private:
  struct Found {
    FoundBy found_by;
    std::string command;
  };
  // Lists all processes and judges them.
  Findings Look();
  void Note(const Leftover& leftover);
  void KillAll(const std::vector<Leftover>& leftovers);
  // Whether the process is still the one that was found, and not the worker's.
  bool IsStill(const Leftover& leftover) const;
  bool IsBelowWorker(pid_t pid) const;
  SweepOutcome Outcome(Findings last) const;

  const SweepOptions& options_;
  System* const system_;
  const ProcessTable table_;
  // What is on record, and what was found since: it is a leftover also when its
  // parent is dead.
  Recognised recognised_;
  // In the order in which they were found.
  std::vector<std::pair<ProcessKey, Found>> found_;
  std::set<ProcessKey> noted_;
  // Of the last look.
  std::set<ProcessKey> living_;
  std::set<pid_t> refused_;
};

SweepOutcome Sweeper::Run() {
  const absl::Duration deadline = system_->Now() + kSweepMax;
  for (;;) {
    Findings findings = Look();
    for (const Leftover& leftover : findings.leftovers) Note(leftover);
    const bool kills = options_.mode == SweepMode::kKill;
    const bool done =
        !findings.unsettled && (findings.leftovers.empty() || !kills);
    if (done || system_->Now() >= deadline) return Outcome(std::move(findings));
    if (kills) KillAll(findings.leftovers);
    system_->Wait(kSweepInterval);
  }
}

Findings Sweeper::Look() {
  const std::vector<Process> first = table_.List();
  const std::vector<Process> second = table_.List();
  living_.clear();
  for (const Process& process : second) {
    if (!process.dead) living_.insert(process.key);
  }
  return FindLeftovers(first, second, options_.self, recognised_);
}

void Sweeper::Note(const Leftover& leftover) {
  const ProcessKey& key = leftover.process.key;
  if (!noted_.insert(key).second) return;
  // Once recognised it is so whatever it does to its environment.
  recognised_.emplace(key, leftover.found_by == FoundBy::kMark
                               ? FoundBy::kDescent
                               : leftover.found_by);
  found_.push_back({key, {leftover.found_by, table_.CommandOf(key.pid)}});
}

void Sweeper::KillAll(const std::vector<Leftover>& leftovers) {
  const auto is_slot = [](const Leftover& leftover) {
    return leftover.found_by == FoundBy::kSlotRecord;
  };
  const bool slots_too =
      std::all_of(leftovers.begin(), leftovers.end(), is_slot);
  for (const Leftover& leftover : leftovers) {
    if (is_slot(leftover) && !slots_too) continue;
    const pid_t pid = leftover.process.key.pid;
    const absl::Status killed =
        system_->Kill(pid, [&] { return IsStill(leftover); });
    if (killed.ok() || !refused_.insert(pid).second) continue;
    Log(LogSeverity::kWarning,
        absl::StrCat("left behind, and cannot be killed: ", killed.ToString()));
  }
}

bool Sweeper::IsStill(const Leftover& leftover) const {
  const pid_t pid = leftover.process.key.pid;
  const std::optional<Process> now = table_.Read(pid);
  if (!now.has_value() || now->key != leftover.process.key || now->dead) {
    return false;
  }
  if (leftover.found_by == FoundBy::kMark && !now->marked) return false;
  return !IsBelowWorker(pid);
}

bool Sweeper::IsBelowWorker(pid_t pid) const {
  // Bounded: parents that die on the way make it begin anew.
  constexpr int kStepsMax = 10'000;
  pid_t below = pid;
  pid_t at = pid;
  for (int i = 0; i < kStepsMax; ++i) {
    if (at == options_.self) return true;
    if (at == 0) return false;
    const std::optional<pid_t> parent = table_.ParentOf(at);
    if (parent.has_value()) {
      below = at;
      at = *parent;
    } else if (at == pid || table_.ParentOf(below) == at) {
      // It is gone; or its ancestor is there and hidden from this user.
      return false;
    } else {
      below = at = pid;
    }
  }
  // Not known, so not to be killed now.
  return true;
}

SweepOutcome Sweeper::Outcome(Findings last) const {
  SweepOutcome outcome;
  outcome.found = static_cast<int>(found_.size());
  outcome.all_gone = options_.mode == SweepMode::kKill &&
                     last.leftovers.empty() && !last.unsettled;
  for (const auto& [key, found] : found_) {
    const bool killed =
        options_.mode == SweepMode::kKill && !living_.contains(key);
    if (killed) ++outcome.killed;
    if (outcome.result.processes_size() >= static_cast<int>(kSweptListedMax)) {
      continue;
    }
    v1::SweptProcess* process = outcome.result.add_processes();
    process->set_pid(key.pid);
    process->set_start_ticks(static_cast<int64_t>(key.start_ticks));
    process->set_command(found.command);
    process->set_found_by(std::string(FoundByText(found.found_by)));
    process->set_killed(killed);
  }
  outcome.result.set_unreadable(static_cast<int>(last.unreadable.size()));
  outcome.unreadable = std::move(last.unreadable);
  return outcome;
}

}  // namespace

System* RealSystem() {
  static PidfdSystem system;
  return &system;
}

SweepOutcome Sweep(const SweepOptions& options, System* system) {
  return Sweeper(options, system).Run();
}

}  // namespace vigil::sweep
