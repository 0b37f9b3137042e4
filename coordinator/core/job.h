// Job: one job as the coordinator's core keeps it while it has not ended, and
// the explicit table of its states. What the program is (argv, input) is not
// here: it is written to the store once and read when it is sent to a worker;
// nor are the bytes of a checkpoint or result, which the store keeps.
// Values owned by the core; thread-compatible.
#ifndef VIGIL_COORDINATOR_CORE_JOB_H_
#define VIGIL_COORDINATOR_CORE_JOB_H_

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "base/attempt.h"
#include "base/deadline_heap.h"
#include "base/ids.h"
#include "base/policy.h"

namespace vigil::coordinator {

// Numbers are those of vigil.v1.Job.State.
enum class JobState : int {
  kUnspecified = 0,
  kQueued = 1,
  kRunning = 2,
  kBackoff = 3,
  kSucceeded = 4,
  kFailed = 5,
  kCancelled = 6,
};
inline constexpr int kJobStates = 7;

// Numbers are those of vigil.v1.Job.WaitingReason.
enum class WaitingReason : int {
  kUnspecified = 0,
  kNoWorkerForTaskType = 1,
  kSlotsBusy = 2,
  kQueueLimit = 3,
  kBackoff = 4,
  kServerStarting = 5,
};

bool IsFinal(JobState state);

// The transition table: whether a job may go from one state to another.
bool MayChange(JobState from, JobState to);

// Whether a result is at hand for a job that would end FAILED, and for which
// reasons; the result itself lies with the program in the store.
struct FallbackPolicy {
  bool declared = false;
  // Empty: all.
  std::vector<Reason> reasons;

  bool Covers(Reason reason) const {
    return declared &&
           (reasons.empty() ||
            std::find(reasons.begin(), reasons.end(), reason) != reasons.end());
  }
  friend bool operator==(const FallbackPolicy&,
                         const FallbackPolicy&) = default;
};

// What was asked for, but for the program and its input; shared by jobs that
// have the same. The core reads the policies and keeps the rest for its caller.
struct JobPolicy {
  absl::Duration schedule_to_start = absl::InfiniteDuration();
  absl::Duration schedule_to_close = absl::InfiniteDuration();
  RetryPolicy retry;
  // The job is cancelled when its RunJob stream breaks and is not taken over.
  bool cancel_on_disconnect = false;
  // An attempt that ends NESTED_POOL is followed by one that runs SEQUENTIAL.
  bool retry_sequential = false;
  // Slow chunks end it early, and what was done is its result.
  bool chunked = false;
  FallbackPolicy fallback;
  // Opaque to the core: the resolved vigil.v1.JobSpec without command,
  // arguments, input and the value of a fallback.
  std::string spec;

  friend bool operator==(const JobPolicy&, const JobPolicy&) = default;
};

// One try, as recorded with the job.
struct AttemptRecord {
  int number = 0;
  Phase phase = Phase::kStarting;
  WorkerId worker;
  SessionId session;
  absl::Time assign_time;
  // InfinitePast until known.
  absl::Time start_time = absl::InfinitePast();
  absl::Time active_time = absl::InfinitePast();
  absl::Time end_time = absl::InfinitePast();
  absl::Time last_activity_time = absl::InfinitePast();
  absl::Time retry_time = absl::InfinitePast();
  // Counts, silence and progress as last reported.
  AttemptUpdate last;
  std::optional<Failure> failure;
  std::optional<Exit> exit;
  std::optional<Evidence> evidence;
  int spawn_errno = 0;
  bool charged = true;
  std::vector<Failure> observed;
  bool sequential = false;
  // Jobs that it submitted, which were refused.
  int nested_dispatches = 0;
};

// A state from which the next attempt can go on; its bytes are in the store.
struct Checkpoint {
  // The attempt that sent it.
  int attempt = 0;
  absl::Time time;
  int64_t size_bytes = 0;
};

// Why a job ended early, with a partial result; see vigil.v1.Truncation.
struct Truncation {
  Failure failure;
  int64_t chunks_done = 0;
  // 0: not known.
  int64_t chunks_total = 0;
};

struct Job : DeadlineItem {
  JobId id;
  std::string namespace_;
  std::string request_id;
  // Hash of the submission without its request_id, to tell a repeated
  // submission from a different one.
  uint64_t request_hash = 0;
  // Empty for a command.
  std::string task_type;
  std::shared_ptr<const JobPolicy> policy;
  // Empty: of none.
  BatchId batch;
  int64_t batch_index = 0;
  int priority = 0;
  // Order of submission among jobs of equal priority.
  uint64_t sequence = 0;

  JobState state = JobState::kQueued;
  int64_t revision = 0;
  absl::Time create_time;
  absl::Time start_time = absl::InfinitePast();
  absl::Time end_time = absl::InfinitePast();
  // When its wait in the queue began.
  absl::Time queue_time;
  // A worker handed it back unstarted: it goes on with the wait that it had.
  bool handed_back = false;
  // When its next attempt may start, in BACKOFF.
  absl::Time retry_time = absl::InfinitePast();
  // When it is cancelled because nobody took its broken RunJob over.
  absl::Time owner_deadline = absl::InfiniteFuture();
  // The stream that owns it, as OwnerBack numbered it; 0 before the first.
  int64_t owner = 0;
  bool cancel_requested = false;
  // Its attempts run SEQUENTIAL from now on.
  bool sequential = false;
  // Attempts that count against maximum_attempts, those lost with their
  // workers, and those whose process ended before it took the job.
  int charged_attempts = 0;
  int lost_attempts = 0;
  int process_failures = 0;
  // The number of the last attempt; never given out twice.
  int last_attempt = 0;
  std::vector<AttemptRecord> attempts;
  std::optional<Failure> failure;
  // Set exactly if it SUCCEEDED by its fallback: how it would have failed.
  std::optional<Failure> fallback_failure;
  // Set exactly if it SUCCEEDED with a part of its chunks.
  std::optional<Truncation> truncation;
  std::optional<Exit> exit;
  // The last one; kept when the job fails, not when it succeeds: of a truncated
  // one it may be the result.
  std::optional<Checkpoint> checkpoint;
  // What an ended job left in the store: its result if it SUCCEEDED, else its
  // partial result. Absent: nothing.
  std::optional<int64_t> result_bytes;

  AttemptRecord& current() { return attempts.back(); }
  const AttemptRecord& current() const { return attempts.back(); }

  // It SUCCEEDED with a full result of its own because it was tried again.
  bool retry_cured() const {
    return state == JobState::kSucceeded && !fallback_failure.has_value() &&
           !truncation.has_value() && charged_attempts > 1;
  }
};

}  // namespace vigil::coordinator

#endif  // VIGIL_COORDINATOR_CORE_JOB_H_
