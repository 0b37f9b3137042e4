// The policies of a job as plain values: what its clocks are, what counts as
// activity, when it is tried again. Both cores decide by them; defaults and
// bounds are the public ones of proto/vigil/v1/policy.proto. Values,
// thread-compatible.
#ifndef VIGIL_BASE_POLICY_H_
#define VIGIL_BASE_POLICY_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/time/time.h"
#include "base/reason.h"

namespace vigil {

// Clocks in force. An infinite duration means off.
struct Timeouts {
  absl::Duration startup = absl::Seconds(120);
  absl::Duration inactivity = absl::Seconds(45);
  absl::Duration progress = absl::InfiniteDuration();
  absl::Duration start_to_close = absl::Seconds(600);
  absl::Duration schedule_to_start = absl::InfiniteDuration();
  absl::Duration schedule_to_close = absl::Hours(24);
  absl::Duration shutdown_grace = absl::Seconds(5);

  friend bool operator==(const Timeouts&, const Timeouts&) = default;
};

struct RetryPolicy {
  absl::Duration initial_interval = absl::Milliseconds(100);
  double backoff_coefficient = 2;
  absl::Duration maximum_interval = absl::Seconds(60);
  int maximum_attempts = 4;
  double jitter = 0.2;
  std::vector<Reason> retry_on;
  std::vector<Reason> non_retryable_reasons;

  friend bool operator==(const RetryPolicy&, const RetryPolicy&) = default;
};

// What becomes of a task that starts more processes than it may. Numbers are
// those of vigil.v1.JobSpec.OnNestedPool.
enum class OnNestedPool : int {
  kUnspecified = 0,
  kFail = 1,
  kDeny = 2,
  kSequential = 3,
  kAudit = 4,
  kRetrySequential = 5,
};

// What a task may have beside its own process; see vigil.v1.JobSpec.
struct Nesting {
  OnNestedPool action = OnNestedPool::kFail;
  int max_processes = 1;
  int max_threads = 256;

  friend bool operator==(const Nesting&, const Nesting&) = default;
};

// When slow chunks of work end the rest; see vigil.v1.ChunkPolicy.
struct ChunkPolicy {
  absl::Duration chunk_timeout = absl::Seconds(30);
  // Infinite: no chunk is slow before its timeout.
  absl::Duration expected_chunk_time = absl::InfiniteDuration();
  int max_consecutive_slow_chunks = 2;

  friend bool operator==(const ChunkPolicy&, const ChunkPolicy&) = default;
};

// How the supervisor of an attempt judges it.
struct Supervision {
  Timeouts timeouts;
  // startup and inactivity are off.
  bool silent = false;
  // Report what would have been killed, kill nothing.
  bool observe = false;
  // Which streams feed the silence clocks.
  bool stdout_is_activity = true;
  bool stderr_is_activity = true;
  // Output does not end STARTING; only a match of the ready pattern does.
  bool waits_for_ready = false;
  Nesting nesting = {};
  // 0: no limit.
  int64_t max_rss_bytes = 0;
  // Sent before a clock stops the task; 0: none.
  int stack_dump_signal = 0;
  // Its progress counts chunks.
  std::optional<ChunkPolicy> chunks = {};
};

}  // namespace vigil

#endif  // VIGIL_BASE_POLICY_H_
