#include "worker/slot/tree_census.h"

#include <algorithm>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "worker/slot/limits.h"
#include "worker/slot/proc_fs.h"

namespace vigil::slot {
namespace {

class Counter {
 public:
  explicit Counter(pid_t task) : task_(task) {}

  TreeCensus Count() {
    // What is under this process itself: the task, and what lost its parent.
    ForEachChild([this](pid_t child) { Add(child); }).IgnoreError();
    // It grows meanwhile.
    for (size_t i = 0; i < live_.size(); ++i) AddThreadsOf(live_[i]);
    return std::move(census_);
  }

 private:
  // Returns when the process started; 0 if it is gone.
  uint64_t Add(pid_t pid) {
    if (live_.size() >= kCensusProcessesMax) return 0;
    const std::optional<StatLine> stat = ReadStat(pid);
    if (!stat.has_value()) return 0;
    // One on its way out is no helper any more: who saw the end of its output
    // may start the next.
    if (stat->dead() || (stat->exiting && stat->threads <= 1)) {
      ++census_.zombies;
      return stat->start_ticks;
    }
    census_.threads += stat->threads;
    if (pid != task_) ++census_.processes;
    live_.push_back(pid);
    return stat->start_ticks;
  }

  void AddThreadsOf(pid_t pid) {
    const std::string path = absl::StrCat("/proc/", pid, "/task");
    // A process that is gone has no threads any more.
    ForEachNumberIn(path, [&](pid_t thread) {
      TreeCensus::Caller caller;
      caller.thread = thread;
      ForEachChildOf(absl::StrCat(path, "/", thread, "/children"),
                     [&](pid_t child) {
                       caller.last_child_start =
                           std::max(caller.last_child_start, Add(child));
                     })
          .IgnoreError();
      census_.callers.push_back(caller);
    }).IgnoreError();
  }

  const pid_t task_;
  TreeCensus census_;
  std::vector<pid_t> live_;
};

}  // namespace

TreeCensus CountTree(pid_t task) { return Counter(task).Count(); }

}  // namespace vigil::slot
