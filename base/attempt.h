// What coordinator and worker tell each other about attempts, as plain values:
// the messages of proto/vigil/v1/dispatch_service.proto without the protobuf,
// so that both cores, and a simulation of them, stand on the same words.
// Values, thread-compatible.
#ifndef VIGIL_BASE_ATTEMPT_H_
#define VIGIL_BASE_ATTEMPT_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "base/ids.h"
#include "base/reason.h"

namespace vigil {

// Numbers are those of vigil.v1.Attempt.Phase.
enum class Phase : int {
  kUnspecified = 0,
  kWarming = 1,
  kStarting = 2,
  kActive = 3,
  kStopping = 4,
  kEnded = 5,
};

struct Progress {
  int64_t done = 0;
  int64_t total = 0;
  std::string message;
};

// What a program left behind when it ended.
struct Exit {
  std::optional<int> status;
  std::optional<int> signal;
  absl::Duration user_time;
  absl::Duration system_time;
  int64_t max_rss_bytes = 0;
};

// A process, pool or thread that a task was not to have. The numbers of
// Outcome are those of vigil.v1.NestedCall.Outcome.
struct NestedCall {
  enum class Outcome : int {
    kUnspecified = 0,
    kRefused = 1,
    kAllowed = 2,
    kSequential = 3,
  };
  std::string program;
  std::string call;
  Outcome outcome = Outcome::kUnspecified;
  int64_t count = 0;
  std::string where;

  friend bool operator==(const NestedCall&, const NestedCall&) = default;
};

// What NestedCall.call says of a thread above max_threads.
inline constexpr char kThreadCall[] = "thread";

// A process of a task's tree before a kill; see vigil.v1.ProcessFacts.
struct ProcessFacts {
  int pid = 0;
  int parent_pid = 0;
  std::string command;
  std::string state;
  std::string wait_channel;
  int threads = 0;
  absl::Duration cpu_time;
  int64_t rss_bytes = 0;
  int64_t peak_rss_bytes = 0;
  // -1: could not be seen.
  int open_files = -1;
};

// A whole tree before a kill.
struct TreeFacts {
  // Parents before children; the first ones.
  std::vector<ProcessFacts> processes;
  int process_count = 0;
  int threads = 0;
  absl::Duration cpu_time;
  int64_t rss_bytes = 0;
};

// Facts recorded when an attempt was stopped.
struct Evidence {
  absl::Duration age;
  absl::Duration silence;
  std::string last_output;
  std::optional<absl::Duration> cpu_time_in_silence;
  int leftover_processes_killed = 0;
  bool killed = false;
  absl::Duration time_to_confirmed_death;
  bool death_unconfirmed = false;
  TreeFacts tree = {};
  std::string stack_dump = {};
};

// A running attempt as its worker sees it. Durations are ages at the time of
// sending, so that the clocks of two machines need not agree.
struct AttemptUpdate {
  AttemptId attempt;
  Phase phase = Phase::kUnspecified;
  int slot = 0;
  absl::Duration age;
  absl::Duration silence;
  absl::Duration longest_silence;
  int64_t tokens = 0;
  int64_t heartbeats = 0;
  int64_t stdout_bytes = 0;
  int64_t stderr_bytes = 0;
  std::optional<Progress> progress;
  // A clock that would have fired, under `observe`.
  std::optional<Failure> observed;
  // Counts since the attempt's start.
  std::vector<NestedCall> nested_calls;
  // For those who watch; not kept.
  std::optional<Failure> notice;
};

// The end of an attempt: its tree is proved dead, or evidence says it cannot
// be.
struct AttemptEnd {
  AttemptId attempt;
  AttemptUpdate last;
  // Absent when the program succeeded.
  std::optional<Failure> failure;
  std::optional<Exit> exit;
  std::optional<Evidence> evidence;
  int spawn_errno = 0;
  // May be tried again without being named in retry_on.
  bool retryable = false;
  // From the process's start to ACTIVE; absent if it never was.
  std::optional<absl::Duration> time_to_active;
  // The worker hands it back: no process of it was ever asked for, or a warm
  // one that had another attempt before it; or it was drained before that
  // process, or its warm-up, got as far as the attempt.
  bool never_started = false;
  // The process ended by itself before it said `started`: charged to the
  // process, not to the attempt.
  bool process_failed = false;
  // What a warm task handed in; with a failure, a partial result. Null: none.
  std::shared_ptr<const std::string> result;
  // The task's wish, instead of the job's backoff.
  std::optional<absl::Duration> next_retry_delay;
};

// A state that the next attempt may go on from.
struct AttemptCheckpoint {
  AttemptId attempt;
  std::shared_ptr<const std::string> state;
};

// How a task type is doing on one worker.
struct TaskTypeStatus {
  std::string name;
  // Why its optional warm-up failed; empty: not degraded.
  std::string degraded;
  // Jobs that one warm process may be handed now.
  int in_flight = 1;
  int warm_processes = 0;

  friend bool operator==(const TaskTypeStatus&,
                         const TaskTypeStatus&) = default;
};

}  // namespace vigil

#endif  // VIGIL_BASE_ATTEMPT_H_
