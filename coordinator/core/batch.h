// Batch: many jobs that belong together, as the coordinator's core keeps them
// while they have not ended: how many items there are and what became of those
// that ended, not the items themselves, which lie in the store or are still
// with the client. Items become jobs in order of their indexes, so three
// numbers say where a batch is. Values owned by BatchTable; thread-compatible.
#ifndef VIGIL_COORDINATOR_CORE_BATCH_H_
#define VIGIL_COORDINATOR_CORE_BATCH_H_

#include <cstdint>
#include <string>

#include "absl/container/btree_map.h"
#include "absl/time/time.h"
#include "base/deadline_heap.h"
#include "base/ids.h"
#include "base/reason.h"
#include "coordinator/core/limits.h"

namespace vigil::coordinator {

// Numbers are those of vigil.v1.Batch.State.
enum class BatchState : int {
  kUnspecified = 0,
  kOpen = 1,
  kClosed = 2,
  kStopping = 3,
  kEnded = 4,
};

// Numbers are those of vigil.v1.Batch.StopCause.
enum class StopCause : int {
  kNone = 0,
  kDeadline = 1,
  kStopRule = 2,
  kCancelled = 3,
  kDisconnected = 4,
};

// As vigil.v1.StopRule; 0 rules nothing.
struct StopRule {
  int64_t failures = 0;
  int64_t consecutive_failures = 0;
  double failure_ratio = 0;
};

// What was asked for, checked and resolved by the caller.
struct BatchPolicy {
  int max_in_flight = kBatchInFlightDefault;
  absl::Duration schedule_to_close = absl::InfiniteDuration();
  StopRule stop_rule;
  // Its items come and its results go by a stream of RunBatch: it is stopped
  // when that breaks and is not taken over.
  bool streamed = false;
  // Opaque to the core: the resolved vigil.v1.BatchSpec without its program.
  std::string spec;
};

struct Batch : DeadlineItem {
  BatchId id;
  std::string namespace_;
  std::string request_id;
  uint64_t request_hash = 0;
  BatchPolicy policy;

  BatchState state = BatchState::kOpen;
  int64_t revision = 0;
  absl::Time create_time;
  absl::Time end_time = absl::InfinitePast();
  // When it is stopped because nobody took its broken RunBatch over.
  absl::Time owner_deadline = absl::InfiniteFuture();
  // The stream that owns it, as OwnerBack numbered it; 0 before the first.
  int64_t owner = 0;
  StopCause stop_cause = StopCause::kNone;
  std::string stop_message;

  // Items 0 to accepted - 1 were taken; 0 to started - 1 became jobs or were
  // refused.
  int64_t accepted = 0;
  int64_t started = 0;
  // Items that ended; the first three are part of `succeeded`.
  int64_t degraded = 0;
  int64_t truncated = 0;
  int64_t retried = 0;
  int64_t succeeded = 0;
  int64_t failed = 0;
  int64_t cancelled = 0;
  int64_t refused = 0;
  // Of those that ended last.
  int64_t consecutive_failures = 0;
  // Why items failed or were degraded.
  absl::btree_map<Reason, int64_t> reasons;
  // The jobs that have not ended, by index.
  absl::btree_map<int64_t, JobId> live;

  int64_t ended() const { return succeeded + failed + cancelled + refused; }
  int64_t in_flight() const { return static_cast<int64_t>(live.size()); }
  // Items that may start now.
  int64_t room() const {
    const bool runs =
        state == BatchState::kOpen || state == BatchState::kClosed;
    return runs ? policy.max_in_flight - in_flight() : 0;
  }
  int64_t not_run() const {
    return state == BatchState::kEnded ? accepted - started : 0;
  }
  bool partial() const { return stop_cause != StopCause::kNone; }
};

}  // namespace vigil::coordinator

#endif  // VIGIL_COORDINATOR_CORE_BATCH_H_
