// Caps and times of the worker's loop, each with its unit and reason.
#ifndef VIGIL_WORKER_LOOP_LIMITS_H_
#define VIGIL_WORKER_LOOP_LIMITS_H_

#include <cstddef>

#include "absl/time/time.h"

namespace vigil::worker {

// One read of a task's pipe, in bytes: all that a pipe holds by default.
inline constexpr size_t kReadBytesMax = 64 << 10;

// Read from one stream of one task in one turn, in bytes, so that a task that
// floods does not keep the loop from the others.
inline constexpr size_t kReadBytesPerTurnMax = 256 << 10;

// Read of a task whose tree is empty, in bytes: more than a pipe can be made to
// hold without privileges, so that only a writer outside the tree could exceed
// it.
inline constexpr size_t kCollectBytesMax = 4 << 20;

// Longest line that patterns look at, in bytes, as policy.proto states.
inline constexpr size_t kLineBytesMax = 4 << 10;

// The last output of both streams that is kept as evidence, and of stderr that
// reason patterns look at, in bytes, as job.proto and catalog.proto state.
inline constexpr size_t kEvidenceBytesMax = 1 << 10;
inline constexpr size_t kStderrTailBytesMax = 4 << 10;

// The last output as quoted in a failure's message, in bytes.
inline constexpr size_t kQuoteBytesMax = 120;

// What each piece of output costs beside its bytes; counted so that a task that
// writes single bytes cannot make the worker large.
inline constexpr size_t kChunkOverheadBytes = 64;

// Content of one message to the coordinator, in bytes: well below the 4 MiB -
// 64 KiB that no message exceeds, also with one item more.
inline constexpr size_t kMessageFillBytes = 1 << 20;

// Bytes handed to the stream and not yet written; above it output waits in its
// windows, where it is bounded.
inline constexpr size_t kStreamBacklogBytesMax = 2 << 20;

// Ends listed in Attach, in bytes; the others follow as messages.
inline constexpr size_t kAttachEndsBytesMax = 1 << 20;

// How long the ends of attempts wait for more of them while there is work for
// every slot at hand: a message, and a commit of the coordinator's, for ten of
// the shortest instead of each.
inline constexpr absl::Duration kEndsHeldMax = absl::Milliseconds(10);

// How often the checkpoint of an attempt is sent: a task may hand them in as
// fast as it likes, and each is a write to the disk.
inline constexpr absl::Duration kCheckpointInterval = absl::Seconds(1);

// A frame as quoted in a failure's message, in bytes.
inline constexpr size_t kFrameQuoteMax = 200;

// What a failure's message keeps of an error's, in bytes, as frames.proto
// states.
inline constexpr size_t kErrorMessageBytesMax = 4 << 10;

// The longest wait that a task may ask for before its next attempt.
inline constexpr absl::Duration kRetryDelayMax = absl::Hours(24);

// Clocks of `observe` that fired and were not sent, over all attempts.
inline constexpr size_t kObservedMax = 1024;

// How often the CPU time of an active task is read at most: finer than anyone
// looks, and a few tens of microseconds each.
inline constexpr absl::Duration kCpuSampleInterval = absl::Milliseconds(100);

// Processes of one task whose CPU time is added up; the rest are ignored.
inline constexpr int kCpuProcessesMax = 64;

// A task that used that much CPU while silent, or that share of the silence,
// worked: its output probably lies in a buffer.
inline constexpr absl::Duration kBusyCpuMin = absl::Seconds(1);
inline constexpr double kBusyCpuShareMin = 0.2;

// How long a worker waits for its first slot before it attaches without knowing
// what tasks can be held to.
inline constexpr absl::Duration kFilterAnswerMax = absl::Seconds(2);

// Processes of a tree that evidence lists, those that it looks at, and those
// that are counted and whose memory is added up: as many as max_processes
// allows.
inline constexpr size_t kEvidenceProcessesMax = 32;
inline constexpr int kTreeProcessesMax = 256;
inline constexpr size_t kTreeListedMax = 10000;
// A command line as evidence shows it, in bytes.
inline constexpr size_t kCommandBytesMax = 128;

// What a task writes in answer to its stack-dump signal, in bytes, as job.proto
// states.
inline constexpr size_t kStackDumpBytesMax = 16 << 10;

// Read of a report of pools that ran in sequence, in bytes: some thousand
// lines.
inline constexpr size_t kReportBytesMax = 256 << 10;

// The host is short of threads or files above that share of its limit: whoever
// asks for a few hundred is refused.
inline constexpr double kHostFullShare = 0.95;

// Threads on a host above which it is under stress: one task seldom needs more
// than tens, so a pool has opened pools somewhere, and what comes next is
// "can't start new thread".
inline constexpr int kHostThreadsMax = 1000;

// Load for each processor above which a host is under stress: what runs there
// gets a quarter of a processor, and clocks that are set for a whole one fire.
inline constexpr double kLoadPerCpuMax = 4;

// The share of the memory that must be available, or the host is under stress:
// less is soon eaten, and then the kernel chooses whom to kill.
inline constexpr double kMemoryAvailableShareMin = 0.05;

// Processes of a host that are counted: as many as keep the loop for thirty
// milliseconds with each heartbeat.
inline constexpr int kHostProcessesMax = 10000;

// How late the loop may wake before it counts as stopped: far above what a
// loaded machine does, far below any clock.
inline constexpr absl::Duration kStallMin = absl::Seconds(1);

// How often children that a dead slot left behind are killed again. Deaths wake
// the loop at once; this catches one that arrived without a signal.
inline constexpr absl::Duration kSweepInterval = absl::Milliseconds(100);

// How long what runs may take when a worker drains, by default and at most.
// With shutdown_grace's 5 s and what follows it stays below the 30 s after
// which Kubernetes kills; no attempt takes longer than 24 h by default.
inline constexpr absl::Duration kDrainGrace = absl::Seconds(20);
inline constexpr absl::Duration kDrainGraceMax = absl::Hours(24);

// From the end of the last task of a draining worker until it gives up waiting
// for the coordinator's acknowledgement.
inline constexpr absl::Duration kDrainAckMax = absl::Seconds(5);

// How long a worker that ends waits for its slots: longer than a slot takes to
// give a tree up (10 s).
inline constexpr absl::Duration kSlotsExitMax = absl::Seconds(12);

// How long Attach may stay unanswered before the stream is tried anew.
inline constexpr absl::Duration kAttachAnswerMax = absl::Seconds(10);

// Waits before the stream is opened again: each twice the last, by a random
// factor in [0.5, 1].
inline constexpr absl::Duration kReconnectMin = absl::Milliseconds(100);
// On a unix socket: the coordinator is on this machine, and back soon.
inline constexpr absl::Duration kReconnectMaxUnix = absl::Seconds(2);
// On TCP: thousands of workers may be waiting.
inline constexpr absl::Duration kReconnectMaxTcp = absl::Seconds(10);
// How often a worker tries at least within a lease, so that one that was cut
// off for a part of it is back before its tasks must die.
inline constexpr int kReconnectsPerLease = 3;

}  // namespace vigil::worker

#endif  // VIGIL_WORKER_LOOP_LIMITS_H_
