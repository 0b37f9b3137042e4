// ProcessTable: what /proc says of all processes, as a sweep wants to know it.
// Thread-compatible; blocks only for /proc. Owns nothing.
#ifndef VIGIL_WORKER_SWEEP_PROCESS_TABLE_H_
#define VIGIL_WORKER_SWEEP_PROCESS_TABLE_H_

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "worker/slot/record.h"

namespace vigil::sweep {

struct Process {
  slot::ProcessKey key;
  // 0: none, or one outside of the pid namespace.
  pid_t parent = 0;
  // Ended, and not reaped.
  bool dead = false;
  // Has the worker's mark in its environment.
  bool marked = false;
  // Whether it has cannot be known: its environment may not be read...
  bool unreadable = false;
  // ...though it belongs to this process's user.
  bool unreadable_own = false;
};

class ProcessTable {
 public:
  // `directory` is /proc but in tests; the mark is VIGIL_WORKER_ID=`worker_id`.
  ProcessTable(std::string directory, const std::string& worker_id);

  // Every process but the kernel's own, one after the other: those that come,
  // go or move meanwhile may be missed, or be listed below a parent that they
  // have no more. Two lists that agree are to be believed.
  std::vector<Process> List() const;

  // One process; nullopt when it is gone.
  std::optional<Process> Read(pid_t pid) const;

  // Its parent now, as in Process; nullopt when it is gone.
  std::optional<pid_t> ParentOf(pid_t pid) const;

  // Its command line, or its name where it has none, as UTF-8 of at most
  // kCommandBytesMax bytes.
  std::string CommandOf(pid_t pid) const;

 private:
  void ReadMark(const std::string& path, Process* process) const;

  const std::string directory_;
  const std::string mark_;
};

}  // namespace vigil::sweep

#endif  // VIGIL_WORKER_SWEEP_PROCESS_TABLE_H_
