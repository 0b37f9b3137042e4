// Every cap of the store, with its unit, default and reason. Constants only;
// nothing here has state. Thread-safe.
#ifndef VIGIL_COORDINATOR_STORE_LIMITS_H_
#define VIGIL_COORDINATOR_STORE_LIMITS_H_

#include <cstddef>
#include <cstdint>

#include "absl/time/time.h"

namespace vigil::store {

// Pages of the write-ahead log, of kPageBytes each, between two passive
// checkpoints. 1000 pages are 4 MiB: a checkpoint then takes a few milliseconds
// and its two fdatasync are shared by thousands of commits.
inline constexpr int kCheckpointPages = 1000;

// Pages of the write-ahead log above which a checkpoint waits for the readers,
// so that the log starts again from its beginning. 64 MiB: passive checkpoints
// alone let it grow without end as long as some reader is always active.
inline constexpr int kWalPagesMax = 16 * 1024;

// Bytes of a database page. 4 KiB is SQLite's default and the unit of the page
// cache of the system.
inline constexpr int kPageBytes = 4096;

// Kibibytes of page cache of the writing connection. 16 MiB hold the inner
// pages of every index at a million jobs.
inline constexpr int kWriterCacheKib = 16 * 1024;

// How long one operation waits for another connection's lock. One second is
// twenty times the longest read transaction of Vigil itself; only a foreign
// program on the database can hold on for longer.
inline constexpr absl::Duration kBusyTimeout = absl::Seconds(1);

// How often, and for how long each time, a checkpoint waits for the readers to
// let go of the log before it leaves them alone until the log has grown again:
// 50 ms in all, as long as a read transaction of Vigil may last. Several short
// waits, since each one sees anew where the readers are; one long wait is
// starved by a reader that never pauses.
inline constexpr int kCheckpointTries = 25;
inline constexpr absl::Duration kCheckpointWait = absl::Milliseconds(2);

// Rows and bytes of values that one ListJobs looks at. Together they keep the
// read transaction under 50 ms, so that it does not hold back a checkpoint.
inline constexpr int64_t kListRowsMax = 10'000;
inline constexpr int64_t kListBytesMax = 16 << 20;

// Rows of output that one ReadOutput looks at, for the same reason: a task may
// have written a byte at a time.
inline constexpr int64_t kOutputRowsMax = 10'000;

// Rows that one step of retention deletes. A row of output holds at most
// 256 KiB, so a step reads at most 64 MiB and commits wait no longer for it.
inline constexpr int kRetentionRowsMax = 256;

// Batches handed to a StoreWriter and not yet answered. The coordinator keeps
// one in flight; a few more leave room at start and at shutdown.
inline constexpr size_t kQueuedBatchesMax = 8;

// How often a batch that found the disk full is tried again.
inline constexpr absl::Duration kFullRetryInterval = absl::Seconds(1);

// Reads waiting in a StoreReader. At under 50 ms each, and mostly under 1 ms,
// the last one waits at most some seconds; beyond that a caller is better told
// to come back.
inline constexpr size_t kQueuedReadsMax = 1024;

}  // namespace vigil::store

#endif  // VIGIL_COORDINATOR_STORE_LIMITS_H_
