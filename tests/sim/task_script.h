// TaskScript: what the program of one attempt does, from its start to its end
// and beyond. A value, thread-compatible.
#ifndef VIGIL_TESTS_SIM_TASK_SCRIPT_H_
#define VIGIL_TESTS_SIM_TASK_SCRIPT_H_

#include <cstdint>
#include <optional>

#include "absl/time/time.h"
#include "base/reason.h"

namespace vigil::sim {

struct TaskScript {
  enum class End {
    kExit,    // exits with `status`
    kSignal,  // is ended by its own signal `status`
    kHang,    // does nothing any more
  };
  enum class OnTerm { kDie, kExitZero, kIgnore };
  // What a warm task does wrong.
  enum class Twist {
    kNone,
    kExitZero,       // exits with status 0 before it gave a result
    kExitsAfter,     // exits right after its result, without being told
    kSecondResult,   // gives its result twice
    kOtherAttempt,   // says something of an attempt that is not its own
    kClosesChannel,  // closes its channel and goes on
  };

  // Not 0: it cannot be started, with this errno.
  int spawn_error = 0;
  // Lines on stderr, one every `interval_min`, while it loads.
  int stderr_lines = 0;
  // From the start to the first token on stdout.
  absl::Duration first_token;
  int tokens = 0;
  absl::Duration interval_min = absl::Seconds(1);
  absl::Duration interval_max = absl::Seconds(1);
  // A line that matches the ready pattern comes with the first token.
  bool says_ready = false;
  // Each token carries progress that grows.
  bool progresses = false;
  // It says how many there will be, too.
  bool says_total = false;
  // From the last token to the end.
  absl::Duration end_after;
  End end = End::kExit;
  int status = 0;
  // What a pattern finds in its stderr.
  std::optional<Reason> text_reason;
  // Of a warm task: an `error` stands for a `status` that is not 0; the job
  // leaves a process behind; and more.
  bool says_error = false;
  bool leaves_child = false;
  Twist twist = Twist::kNone;
  // Of a warm task also: whether it answers `stop` by an error, by a result or
  // not at all.
  OnTerm on_term = OnTerm::kDie;
  absl::Duration term_delay;
  // What its tree holds while it lives.
  int64_t rss_bytes = 0;
  // From the start to a process that it is not to have; unless it runs
  // sequentially.
  std::optional<absl::Duration> nested_after;
  // Descendants, each the child of the one before, that live until killed.
  int descendants = 0;
  // From SIGKILL to death; infinite for a process stuck in the kernel. Of the
  // last descendant only; the others die at once.
  absl::Duration death_delay = absl::Milliseconds(1);
};

}  // namespace vigil::sim

#endif  // VIGIL_TESTS_SIM_TASK_SCRIPT_H_
