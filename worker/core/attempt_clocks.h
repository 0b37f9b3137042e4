// AttemptClocks: the clocks of one attempt, from the start of its process. Each
// answers one question: is it loading, talking, advancing, or simply too long?
// Pure and thread-compatible; the caller says what happened and when.
#ifndef VIGIL_WORKER_CORE_ATTEMPT_CLOCKS_H_
#define VIGIL_WORKER_CORE_ATTEMPT_CLOCKS_H_

#include <cstdint>
#include <optional>

#include "absl/time/time.h"
#include "base/policy.h"
#include "worker/core/chunk_clock.h"

namespace vigil::worker {

enum class ClockKind {
  kStartup,
  kInactivity,
  kProgress,
  // One chunk runs for too long; and too many in a row were slow.
  kChunk,
  kSlowChunks,
  kStartToClose,
  kScheduleToClose,
};

// True for the clocks that judge by what the task says: they rest while output
// is not read, and are decided only after all output was read.
bool IsSilenceClock(ClockKind kind);

class AttemptClocks {
 public:
  // The process was started at `start`; `close_deadline` is the end of the
  // job's schedule_to_close_timeout.
  AttemptClocks(const Supervision& supervision, absl::Time start,
                absl::Time close_deadline);

  // Something that counts as activity was read.
  void Activity(absl::Time now);
  // The attempt is ACTIVE from now on.
  void Active(absl::Time now);
  // It is a warm task's: until Started its whole time has the startup timeout
  // before it.
  void AwaitStarted();
  // A warm task began it: ACTIVE, and its whole time counts from now.
  void Started(absl::Time now);
  // Progress; counts only if `done` grew. Returns whether it did. A `total` of
  // 0 is not known.
  bool Progress(int64_t done, int64_t total, absl::Time now);
  // Output is not read from now on, by Vigil's own choice; and is again.
  void Pause(absl::Time now);
  void Resume(absl::Time now);
  // Nobody looked for `stall`: the silence clocks do not count it.
  void GrantStall(absl::Duration stall);
  // Do not report `kind` again: for good, or until the task says something
  // else if it judges by that.
  void Silence(ClockKind kind);

  // When the first clock fires; InfiniteFuture when none will.
  absl::Time NextDeadline() const;
  // The clock that has fired at `now`, the most telling first.
  std::optional<ClockKind> Fired(absl::Time now) const;

  absl::Time start() const { return start_; }
  absl::Time last_activity() const { return last_activity_; }
  bool active() const { return active_; }
  bool paused() const { return paused_since_.has_value(); }
  // Null without a policy for chunks.
  const ChunkClock* chunks() const {
    return chunks_.has_value() ? &*chunks_ : nullptr;
  }
  // The longest silence that ended or still lasts at `now`.
  absl::Duration LongestSilence(absl::Time now) const;

 private:
  absl::Time DeadlineOf(ClockKind kind) const;

  const Supervision supervision_;
  const absl::Time start_;
  const absl::Time close_deadline_;
  // Base of the start_to_close clock.
  absl::Time run_base_;
  // Base of the startup clock: the start, moved by rests.
  absl::Time startup_base_;
  absl::Time last_activity_;
  bool any_activity_ = false;
  absl::Time last_progress_;
  int64_t progress_done_ = -1;
  std::optional<ChunkClock> chunks_;
  bool active_ = false;
  std::optional<absl::Time> paused_since_;
  absl::Duration longest_silence_;
  bool muted_[7] = {};
};

}  // namespace vigil::worker

#endif  // VIGIL_WORKER_CORE_ATTEMPT_CLOCKS_H_
