// SlotRecord and what is in a slot: the program, the attempt that it runs, and
// those handed to it ahead, as the worker's core keeps them. Values owned by
// the core; thread-compatible.
#ifndef VIGIL_WORKER_CORE_SLOT_RECORD_H_
#define VIGIL_WORKER_CORE_SLOT_RECORD_H_

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "absl/time/time.h"
#include "base/attempt.h"
#include "base/deadline_heap.h"
#include "base/ids.h"
#include "base/policy.h"
#include "worker/core/attempt_clocks.h"
#include "worker/core/effects.h"
#include "worker/core/task_type_rules.h"

namespace vigil::worker {

// An assignment as the core needs it.
struct AttemptStart {
  AttemptId id;
  Supervision supervision;
  std::map<int, Reason> exit_reasons;
  // What is left of the job's schedule_to_close_timeout.
  absl::Duration time_left = absl::InfiniteDuration();
  // Null for a command of the client's own.
  TaskTypeRulesPtr type;
};

// What a warm task said of its attempt: its `result` or `error`.
struct Outcome {
  // Absent: it succeeded.
  std::optional<Failure> failure;
  bool retryable = false;
  std::optional<absl::Duration> next_retry_delay;
};

enum class SlotState {
  kStarting,    // its process was started and has not spoken
  kIdle,        // ready, without a program
  kSpawning,    // asked to start a program
  kRunning,     // the program runs an attempt
  kDumping,     // the attempt is to end; its program writes what it does
  kSoftStop,    // the attempt is asked to end; its grace runs
  kInspecting,  // the attempt has its result; what it left is looked at
  kResetting,   // the warm program forgets the last attempt
  kWarm,        // the warm program waits for an attempt
  kEnding,      // the warm program was told to end
  kKilling,     // the program ended or is killed; the tree is being emptied
  kCollecting,  // the tree is empty; its last output is being read
  kLeaving,     // the slot's own process is being ended
  kGone,        // the slot's process ended; it is started again in a moment
  kStuck,       // its tree cannot be killed; takes nothing any more
};

// Whether the program runs an attempt whose end is not decided by its tree yet:
// it works, or has its grace.
inline bool RunsAttempt(SlotState state) {
  return state == SlotState::kRunning || state == SlotState::kDumping ||
         state == SlotState::kSoftStop;
}

// The program in a slot, from its start until its tree is empty.
struct Program {
  // Null for a command of the client's own.
  TaskTypeRulesPtr type;
  SpawnPurpose purpose = SpawnPurpose::kRun;
  // When the slot was given to it.
  absl::Time since = absl::InfinitePast();
  // It has said hello: it has loaded.
  bool loaded = false;
  // Takes no further attempt: its channel is closed, or its cache was removed.
  bool retired = false;
  // It was told to end for the sake of an attempt.
  bool told_to_end = false;
  // It broke the protocol: what it says since then is not read.
  bool broken = false;
  // Attempts that it has ended.
  int64_t jobs = 0;
  int64_t rss_bytes = 0;
  // What it called above its limits, since its start.
  std::vector<NestedCall> nested_calls;
  // When it had nothing to do any more, in kWarm.
  absl::Time idle_since = absl::InfinitePast();

  // Talks in frames.
  bool warm() const {
    return type != nullptr && type->warm && purpose == SpawnPurpose::kRun;
  }
};

struct RunningAttempt {
  AttemptStart start;
  // What its clocks are now: those of the warm-up, then its own.
  Supervision supervision;
  absl::Time close_deadline;
  // When it was given its slot, or its place behind others in one.
  absl::Time place_time = absl::InfinitePast();
  std::optional<AttemptClocks> clocks;
  AttemptUpdate counts;
  std::optional<absl::Duration> time_to_active;
  // A warm task has said `started`, and when.
  bool started = false;
  absl::Time started_time;
  // Its task may begin it without being told anything more.
  bool handed_ahead = false;
  // What the warm task said at last.
  std::optional<Outcome> outcome;
  // The first cause accepted for its end.
  std::optional<Failure> cause;
  absl::Time stop_time = absl::InfinitePast();
  std::optional<Evidence> evidence;
  std::optional<Exit> exit;
  // Its failure is its process's own.
  bool process_failed = false;
  // Given up: killed without grace as soon as that is possible.
  bool fenced = false;
  // CheckOutput was asked for and not answered yet; its clocks wait for it.
  bool checking = false;
  // When its memory is looked at next.
  absl::Time memory_check_time = absl::InfiniteFuture();
  // When its counts are reported next, if they changed.
  absl::Time report_time = absl::InfiniteFuture();
  absl::Time last_report = absl::InfinitePast();
};

struct SlotRecord : DeadlineItem {
  int index = 0;
  SlotState state = SlotState::kGone;
  // When the state itself is over: grace, death of the tree, restart.
  absl::Time state_deadline = absl::InfiniteFuture();
  absl::Time heard;
  absl::Time ping_time = absl::InfiniteFuture();
  // KillSlot was asked for: nothing more can be done to end it.
  bool process_killed = false;
  // Its process ended while its program is still collected.
  bool process_lost = false;
  // What was in it is not proved dead.
  bool unconfirmed = false;
  std::optional<Program> program;
  std::unique_ptr<RunningAttempt> attempt;
  // Handed to the warm program and not begun, in order.
  std::deque<std::unique_ptr<RunningAttempt>> ahead;
  // Had their outcome from a program that was ending; its tree is not yet
  // empty.
  std::vector<std::unique_ptr<RunningAttempt>> finished;
};

}  // namespace vigil::worker

#endif  // VIGIL_WORKER_CORE_SLOT_RECORD_H_
