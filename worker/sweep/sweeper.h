// Sweep: finds what earlier lives of a worker left behind, and kills it.
// Thread-compatible, for any thread of the worker; blocks for /proc and, when
// it kills, for kSweepMax at most. Owns nothing.
#ifndef VIGIL_WORKER_SWEEP_SWEEPER_H_
#define VIGIL_WORKER_SWEEP_SWEEPER_H_

#include <sys/types.h>

#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "vigil/v1/worker.pb.h"
#include "worker/sweep/leftovers.h"
#include "worker/sweep/process_table.h"

namespace vigil::sweep {

// What a sweep does beside reading /proc; tests script it.
class System {
 public:
  virtual ~System() = default;
  // Takes hold of the process that has `pid` now, asks `is_it` whether that is
  // the one meant, and if so sends it SIGKILL; the pid cannot be given to
  // another in between. OK also when the process is gone, or not the one meant.
  // PERMISSION_DENIED: it may not be killed.
  virtual absl::Status Kill(pid_t pid, absl::FunctionRef<bool()> is_it) = 0;
  // CLOCK_BOOTTIME.
  virtual absl::Duration Now() = 0;
  virtual void Wait(absl::Duration time) = 0;
};

// The real one, by pidfds. It lives as long as the process.
System* RealSystem();

enum class SweepMode { kKill, kLookOnly };

struct SweepOptions {
  std::string worker_id;
  // The worker's own process.
  pid_t self = 0;
  SweepMode mode = SweepMode::kKill;
  // Slots and tasks on record, of this boot and pid namespace.
  Recognised recorded;
  std::string proc_directory = "/proc";
};

struct SweepOutcome {
  v1::SweepResult result;
  // As many as were found, also beyond those that the result lists.
  int found = 0;
  int killed = 0;
  // The last look found nothing that is left; never after kLookOnly.
  bool all_gone = false;
  // At that look; see Findings.
  std::vector<Process> unreadable;
};

// Touches nothing of the worker's own tree, and nothing that is not recognised
// (see FindLeftovers). Slots die last: while one lives, what its tree starts
// meanwhile falls to it and is found.
SweepOutcome Sweep(const SweepOptions& options, System* system);

}  // namespace vigil::sweep

#endif  // VIGIL_WORKER_SWEEP_SWEEPER_H_
