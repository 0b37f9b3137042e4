// TreeCensus: how many processes and threads live under a slot now, as /proc
// says. Blocks only for /proc; thread-compatible. Owns what it found.
#ifndef VIGIL_WORKER_SLOT_TREE_CENSUS_H_
#define VIGIL_WORKER_SLOT_TREE_CENSUS_H_

#include <sys/types.h>

#include <cstdint>
#include <vector>

#include "absl/time/time.h"

namespace vigil::slot {

struct TreeCensus {
  // A thread of the tree that may start processes.
  struct Caller {
    pid_t thread = 0;
    // When its youngest child started, in ticks since boot; 0 without children.
    uint64_t last_child_start = 0;
  };

  // Live processes beside the task process itself.
  int processes = 0;
  // Ended, and not waited for.
  int zombies = 0;
  // Threads of all of them, the task's included.
  int threads = 0;
  std::vector<Caller> callers;
};

// Counts the tree of the task process `task` under this process, its subreaper,
// at most kCensusProcessesMax processes. A process that starts or ends
// meanwhile may be missed.
TreeCensus CountTree(pid_t task);

}  // namespace vigil::slot

#endif  // VIGIL_WORKER_SLOT_TREE_CENSUS_H_
