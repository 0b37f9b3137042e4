// Caps of the engine, each with its unit and reason.
#ifndef VIGIL_COORDINATOR_ENGINE_LIMITS_H_
#define VIGIL_COORDINATOR_ENGINE_LIMITS_H_

#include <cstddef>
#include <cstdint>

#include "absl/time/time.h"

namespace vigil::coordinator {

// Programs of submitted jobs kept in memory until they are sent to a worker, so
// that a job that finds a free slot needs no read; older ones are read back.
inline constexpr int64_t kPayloadCacheBytesMax = 64 << 20;

// Checkpoints kept in memory until their jobs end, so that neither the next
// attempt nor the last event of a watch needs a read; older ones are read back.
inline constexpr int64_t kCheckpointCacheBytesMax = 64 << 20;

// The end of an attempt's output, in bytes of one stream: more than anything
// writes, and sums of two fit into their type. A worker that says more is
// wrong.
inline constexpr int64_t kOutputOffsetMax = int64_t{1} << 60;

// What is packed into one message to a worker; a larger assignment goes alone.
inline constexpr int64_t kMessageBytesSoftMax = 1 << 20;

// What lies in memory for one worker that does not take it: above it further
// assignments wait without their programs, which are read when their turn
// comes. A thousand slots are kept busy with 16 KiB each; with inputs of 3 MiB
// a stopped worker could otherwise cost 3 GiB.
inline constexpr int64_t kWorkerBacklogBytesMax = 16 << 20;

// Output kept of each attempt: this much from its start, this much from its
// end.
inline constexpr int64_t kOutputHeadBytesMax = 8 << 20;
inline constexpr int64_t kOutputTailBytesMax = 8 << 20;

// Adjacent pieces of output that arrive in one turn share a row up to this
// size: few rows, and yet a page of output is read without waste.
inline constexpr int64_t kOutputRowBytesMax = 64 << 10;

// Unwritten events of one watcher. Above it a LIVE watcher loses the oldest
// output, and a lossless one holds back the worker's acknowledgements.
inline constexpr int64_t kWatcherQueueBytesMax = 1 << 20;

// Output that all watchers of jobs together have not passed on yet, counted
// once however many hold it, and what each piece costs beside its bytes:
// itself, its place in a queue, and one for each watcher. Above it the oldest
// is let go, and its watchers read it from the store when they come to it.
// Enough for a thousand readers that are 100 KiB behind; little beside the
// streams themselves.
inline constexpr int64_t kWatchersBytesMax = 128 << 20;
inline constexpr int64_t kWatchedPieceBytes = 256;
inline constexpr int64_t kWatchedReferenceBytes = 16;

// Output of one event, in bytes. A reader that takes nothing has one event in
// gRPC, where nobody can take it back: 160 MiB for all that there may be.
inline constexpr int64_t kEventOutputBytesMax = 16 << 10;

// A result above it is not kept for those who watch a job but read from the
// store when its turn comes.
inline constexpr int64_t kToldResultBytesMax = 16 << 10;

// Results, and pages of stored output, on their way to watchers. What does not
// fit waits; for its sake streams are cut off that have taken nothing of theirs
// for the time below, in which a reader that is alive takes a page or a result.
// Each claims the least below: each begins with a read of the store, and so no
// more than 512 wait there at one time, half of those for which there is room.
inline constexpr int64_t kLargeWritesBytesMax = 128 << 20;
inline constexpr int64_t kLargeWriteBytesMin = 256 << 10;
inline constexpr absl::Duration kLargeWriteStuckMin = absl::Seconds(10);

// Streams of RunJob and WatchJob; each costs about 50 KiB in gRPC and here.
inline constexpr int kWatchersMax = 10'000;

// Calls of grpc.health.v1's Watch, which cost the same; a balancer holds one
// for each of its connections.
inline constexpr size_t kHealthWatchersMax = 1000;

// Ended jobs kept: by age, and by number (about 1 KiB of disk each without
// output).
inline constexpr absl::Duration kRetention = absl::Hours(24 * 7);
inline constexpr int64_t kEndedJobsMax = 1'000'000;
inline constexpr absl::Duration kHousekeepingInterval = absl::Minutes(1);

// A turn that begins this much later than it should have means that the process
// did not run: stopped, or its machine paused. What it missed is granted.
inline constexpr absl::Duration kStallMin = absl::Seconds(1);

// Items of one batch read from the store at a time: enough that reading costs
// little for each, few enough that a page of large ones (3 MiB each) is stopped
// by its bytes.
inline constexpr int64_t kFeedItemsMax = 256;
inline constexpr int64_t kFeedBytesMax = 4 << 20;

// Streams of RunBatch and WatchBatch; each holds up to kWatcherQueueBytesMax.
inline constexpr int kBatchWatchersMax = 1000;

// Jobs of one SubmitJobs, or items of one request of a batch, as the protos
// state them; and how many are accepted in one turn, about 10 ms: other callers
// come in between.
inline constexpr int kJobsPerRequestMax = 10'000;
inline constexpr int kJobsPerTurnMax = 500;

// Results of one BatchEvent, by number and by bytes, unless a single one is
// larger. A page from the store is as large.
inline constexpr int kBatchResultsMax = 500;
inline constexpr int64_t kBatchEventBytesMax = 512 << 10;

// Task types remembered, announced by any worker ever.
inline constexpr int kTaskTypesMax = 1000;

// How long a worker may take to clear a cache or to sweep, and how many callers
// may wait for either: each is an open call.
inline constexpr absl::Duration kWorkerCallTimeout = absl::Seconds(30);
inline constexpr size_t kWorkerCallsMax = 1000;

// Namespaces whose refusals are counted apart, of each limit: as many as one
// looks through; names are the clients', and so may be any number.
inline constexpr int kRefusedNamespacesMax = 256;

}  // namespace vigil::coordinator

#endif  // VIGIL_COORDINATOR_ENGINE_LIMITS_H_
