// OomWatch: whether the kernel killed for want of memory of late, as its
// counters say. Blocks only for /proc and the control group's files;
// thread-compatible. Owns what the counters were when they were last looked at.
#ifndef VIGIL_WORKER_LOOP_OOM_WATCH_H_
#define VIGIL_WORKER_LOOP_OOM_WATCH_H_

#include <cstdint>
#include <optional>
#include <string>

#include "worker/core/classify.h"

namespace vigil::worker {

class OomWatch {
 public:
  // Reads the counters below `proc_directory` and `cgroup_directory`, as they
  // are mounted at /proc and /sys/fs/cgroup.
  explicit OomWatch(std::string proc_directory = "/proc",
                    std::string cgroup_directory = "/sys/fs/cgroup");

  // Looks at the counters, from which Judge counts.
  void Refresh() { seen_ = Read(); }
  // Looks at them again, and refreshes. kCertain: a process of this process's
  // own control group was killed since, as memory.events (version 2) or
  // memory.oom_control (version 1) count. kLikely: those say nothing, and some
  // process of the host was.
  OomKill Judge();

 private:
  struct Counters {
    std::optional<int64_t> group;
    std::optional<int64_t> host;
  };
  Counters Read() const;

  std::string proc_directory_;
  std::string cgroup_directory_;
  Counters seen_;
};

}  // namespace vigil::worker

#endif  // VIGIL_WORKER_LOOP_OOM_WATCH_H_
