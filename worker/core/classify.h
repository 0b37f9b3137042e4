// How the end of a program becomes a result or a typed reason. Pure functions,
// thread-safe.
#ifndef VIGIL_WORKER_CORE_CLASSIFY_H_
#define VIGIL_WORKER_CORE_CLASSIFY_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "base/attempt.h"
#include "base/policy.h"
#include "base/reason.h"
#include "worker/core/attempt_clocks.h"

namespace vigil::worker {

// Whether the kernel killed for want of memory.
enum class OomKill {
  kNone,
  // Somebody on the host was killed while the program ran; it may be this one.
  kLikely,
  // A process of the worker's own control group was.
  kCertain,
};

// What an ended program means.
struct Verdict {
  // Absent: success.
  std::optional<Failure> failure;
  // May be tried again without being named in retry_on.
  bool retryable = false;
};

// Whether an exit that Vigil did not cause may be the kernel's, for want of
// memory: SIGKILL, or what a shell says of a child's.
bool MayBeOomKill(const Exit& exit);

// Judges an exit that Vigil did not cause. A SIGKILL that nobody here sent is
// OUT_OF_MEMORY if `oom` says so, also one that a shell tells of by exit status
// 137. Else `exit_reasons` come first, then `text_reason` (what the patterns
// found in stderr), then sysexits.h: 65 INVALID_INPUT, 75 TASK_ERROR that may
// be tried again.
Verdict ClassifyExit(const Exit& exit,
                     const std::map<int, Reason>& exit_reasons,
                     std::optional<Reason> text_reason,
                     OomKill oom = OomKill::kNone);

// The failure of a task that wanted one process too many.
Failure NestedPoolFailure(const NestedCall& call, int live,
                          const Nesting& nesting);
// What those who watch are told of the first call of its kind.
Failure NestedCallNotice(const NestedCall& call, int live,
                         const Nesting& nesting);
// A failure that followed upon refused calls is named for them; others stay as
// they are.
Failure BlameNesting(Failure failure, const std::vector<NestedCall>& calls,
                     const Nesting& nesting);
// The failure of a task whose processes hold `rss_bytes`.
Failure MemoryFailure(int64_t rss_bytes, int64_t max_rss_bytes);

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
