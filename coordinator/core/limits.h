// Caps and defaults of the coordinator, each with its unit and reason. Flags of
// main.cc override those that operators have cause to change.
#ifndef VIGIL_COORDINATOR_CORE_LIMITS_H_
#define VIGIL_COORDINATOR_CORE_LIMITS_H_

#include <cstdint>

#include "absl/time/time.h"

namespace vigil::coordinator {

// Jobs that have not ended. About 1.2 GiB of memory when reached; a client that
// is refused is told to wait.
inline constexpr int64_t kLiveJobsMax = 1'000'000;

// Batches that have not ended; each has the program of its jobs in memory.
inline constexpr int64_t kLiveBatchesMax = 1000;

// Items of a batch that lie in the store and have not started: as many as live
// jobs, which is what they were without batches.
inline constexpr int64_t kBatchPendingMax = 1'000'000;

// Items of one batch that are jobs at one time, as batch.proto states: enough
// to keep every slot busy through a round trip, a tenth of the jobs that may
// live.
inline constexpr int kBatchInFlightDefault = 1000;
inline constexpr int kBatchInFlightMax = 100'000;

// The longest schedule_to_close_timeout of a batch, as batch.proto states.
inline constexpr absl::Duration kBatchTimeoutMax = absl::Hours(24 * 30);

// Items that must have ended before StopRule.failure_ratio says anything: with
// fewer, one failure is a large share.
inline constexpr int64_t kStopRatioItemsMin = 20;

// How long a refused submission is asked to wait: long enough for slots to take
// work, short enough not to idle them.
inline constexpr absl::Duration kAdmissionRetryDelay = absl::Seconds(1);

// Attempts kept in a job's record; an attempt's record can reach 6 KiB, and a
// row should stay below 1 MiB.
inline constexpr int kAttemptsKeptMax = 120;

// Calls of one kind that are counted of one attempt, so that no sum of what
// workers say overflows: a fork takes a tenth of a millisecond.
inline constexpr int64_t kNestedCallsCountedMax = 1'000'000'000;

// Clocks that fired under `observe`, kept per attempt: the first ones tell.
inline constexpr int kObservedMax = 16;

// Attempts that a job may lose with their workers: a job that takes its host
// down with it must end.
inline constexpr int kWorkerLostMax = 10;

// How long a job waits that its worker handed back unstarted: the worker may
// still say no, and a retry's own wait of up to an hour is not for this.
inline constexpr absl::Duration kHandedBackDelay = absl::Milliseconds(100);

// Processes that may end before they took the job: one may be unlucky, and a
// second one meet the same moment; a third says that the program is broken.
inline constexpr int kProcessFailuresMax = 3;

// The longest wait that a task may ask for before its next attempt, as
// frames.proto states.
inline constexpr absl::Duration kNextRetryDelayMax = absl::Hours(24);

// One checkpoint, in bytes, as frames.proto states: it travels in one message
// with an input of 3 MiB.
inline constexpr int64_t kCheckpointBytesMax = 1 << 20;

// Attempts that one slot may hold, as catalog.proto states for max_in_flight.
inline constexpr int kInFlightMax = 64;

// Attempts that a worker may be given beyond its slots, whatever it says: as
// dispatch_service.proto states.
inline constexpr int kAheadMax = 1024;

// Every third heartbeat lost still keeps a lease of ten; the margin covers the
// drift of two clocks over a lease and one slow turn of the loop.
inline constexpr absl::Duration kHeartbeatInterval = absl::Seconds(3);
inline constexpr absl::Duration kLease = absl::Seconds(30);
inline constexpr absl::Duration kLeaseMargin = absl::Seconds(3);

// After its lease a worker waits up to 1 s (its kFencedDeathMax) for a slot to
// kill a task, and then kills the slot, which may be stopped, and what lived
// under it, which takes less than the rest: so a shorter margin would start
// jobs beside what is left of them.
inline constexpr absl::Duration kSlotDeathMax = absl::Milliseconds(1400);

// From SIGKILL of a local worker to the proof that its whole tree is dead, in
// which thousands of processes die; after it the worker is given up like a
// remote one, since its slots have killed at their leases long before.
inline constexpr absl::Duration kLocalDeathMax = absl::Seconds(15);

// How long a RunJob or RunBatch whose stream broke may take to be taken over.
inline constexpr absl::Duration kOwnerGrace = absl::Seconds(10);

// How long tasks of the local worker may take when the coordinator ends: with
// shutdown_grace's 5 s and what follows it stays below the 30 s after which
// Kubernetes kills. And the longest grace of a drain, as worker_service.proto
// states: as long as an attempt may take at most.
inline constexpr absl::Duration kDrainGrace = absl::Seconds(20);
inline constexpr absl::Duration kDrainGraceMax = absl::Hours(24);

// Slots of one worker, as workers themselves bound them.
inline constexpr int kSlotsMax = 1024;

// How long a lost worker is still listed, and how many.
inline constexpr absl::Duration kLostWorkerKept = absl::Hours(1);
inline constexpr int kLostWorkersMax = 1000;

}  // namespace vigil::coordinator

#endif  // VIGIL_COORDINATOR_CORE_LIMITS_H_
