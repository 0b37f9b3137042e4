// How the end of a program becomes a result or a typed reason. Pure functions,
// thread-safe.
#ifndef VIGIL_WORKER_CORE_CLASSIFY_H_
#define VIGIL_WORKER_CORE_CLASSIFY_H_

#include <map>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "base/attempt.h"
#include "base/policy.h"
#include "base/reason.h"
#include "worker/core/attempt_clocks.h"

namespace vigil::worker {

// What an ended program means.
struct Verdict {
  // Absent: success.
  std::optional<Failure> failure;
  // May be tried again without being named in retry_on.
  bool retryable = false;
};

// Judges an exit that Vigil did not cause. `exit_reasons` comes first, then
// `text_reason` (what the patterns found in stderr), then sysexits.h: 65
// INVALID_INPUT, 75 TASK_ERROR that may be tried again.
Verdict ClassifyExit(const Exit& exit,
                     const std::map<int, Reason>& exit_reasons,
                     std::optional<Reason> text_reason);

// Judges a program that could not be started.
Verdict ClassifySpawnFailure(int error, const std::string& what);

// The failure of an attempt that a task had ahead when it broke the protocol:
// what it said since then is not read, and may be that it began.
Failure HandedToBroken();

// The failure of a clock: names it, its length and what was seen so far.
Failure ClockFailure(ClockKind kind, const Supervision& supervision,
                     const AttemptClocks& clocks, const AttemptUpdate& counts,
                     absl::Time now);

}  // namespace vigil::worker

#endif  // VIGIL_WORKER_CORE_CLASSIFY_H_
