// SweepPredecessors: what a worker does about its earlier lives before it
// starts a slot. Thread-compatible; blocks for /proc, the disk, and kSweepMax
// at most. Owns nothing.
#ifndef VIGIL_WORKER_SWEEP_PREDECESSORS_H_
#define VIGIL_WORKER_SWEEP_PREDECESSORS_H_

#include <string>

#include "absl/time/time.h"
#include "worker/slot/record.h"
#include "worker/sweep/records.h"
#include "worker/sweep/sweeper.h"

namespace vigil::sweep {

struct PredecessorOptions {
  // Where the slots' records are; may be missing.
  std::string directory;
  slot::HostIdentity here;
  // As in SweepOptions.
  std::string worker_id;
  pid_t self = 0;
  std::string proc_directory = "/proc";
  absl::Time now;
};

// Kills what earlier lives of this worker left behind, logs it, and returns
// whether they are proved dead, slots and tasks included:
//
// - The sweep's last look found nothing that is left.
// - Every record there is, at least one, is of this boot and pid namespace, so
//   that the sweep could see its processes; or of an earlier boot of this
//   machine. Without a record nobody knows where earlier lives ran.
// - No process of this user that may not be looked into has started since the
//   first recorded slot did: it may be a leftover. Those of other users do not
//   count; a task does not become another user by itself.
// - No earlier life failed to prove this in the last kUnprovedKept.
//
// What it does not see: a process that left its parents and took the worker's
// mark out of its environment.
//
// Needs the lock of the worker's directory. Where nothing is proved the records
// are removed, and the failure is remembered beside them.
bool SweepPredecessors(const PredecessorOptions& options, System* system);

}  // namespace vigil::sweep

#endif  // VIGIL_WORKER_SWEEP_PREDECESSORS_H_
