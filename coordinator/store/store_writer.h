// StoreWriter: the store thread, which commits batches in the order given and
// reports each one when it is durable. Thread-safe. Owns its thread and the
// Store; the callbacks run on the store thread, must not block, and must not
// destroy the StoreWriter.
#ifndef VIGIL_COORDINATOR_STORE_STORE_WRITER_H_
#define VIGIL_COORDINATOR_STORE_STORE_WRITER_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "base/sleeper.h"
#include "coordinator/store/limits.h"
#include "coordinator/store/rows.h"
#include "coordinator/store/store.h"

namespace vigil::store {

class StoreWriter {
 public:
  struct Callbacks {
    // The batch `number` is durable, or never will be. Called once for each
    // batch, in order. Any error means that the process must end; after the
    // first one all later batches get the same without being tried. Only a
    // writer that is being destroyed answers UNAVAILABLE.
    std::function<void(uint64_t number, absl::Status status)> on_committed;
    // UNAVAILABLE: the disk is full (or the database locked by another
    // program), commits wait; called once per such time. OK: they go on.
    std::function<void(absl::Status status)> on_stalled;
    // Retention removed these jobs.
    std::function<void(std::vector<DeletedJob> jobs)> on_deleted;
  };

  struct Options {
    absl::Duration retry_interval = kFullRetryInterval;
    int retention_rows_max = kRetentionRowsMax;
  };

  // Which ended jobs go: those that ended before `end_before`, and the oldest
  // above `ended_jobs_max`.
  struct Retention {
    absl::Time end_before;
    int64_t ended_jobs_max;
  };

  // All callbacks must be set.
  StoreWriter(std::unique_ptr<Store> store, Callbacks callbacks,
              const Options& options);
  StoreWriter(const StoreWriter&) = delete;
  StoreWriter& operator=(const StoreWriter&) = delete;

  // Finishes what is queued and answers every batch; drops retention. Blocks
  // for as long as these writes take, but not for a full disk: a batch that
  // finds it full is given up, and those behind it.
  ~StoreWriter();

  // Queues a batch. Does not block. Precondition: fewer than kQueuedBatchesMax
  // batches are unanswered.
  void Commit(Batch batch, uint64_t number);

  // Starts retention, or replaces one that is under way. It runs in small
  // steps, whenever no batch waits. A full disk ends it until it is asked for
  // again; another error is reported with the next batch.
  void Retain(const Retention& retention);

 private:
  struct Numbered {
    Batch batch;
    uint64_t number;
  };

  void Run();
  // Commits the oldest batch and answers it.
  void CommitFront();
  // Commits until it is durable, has failed, or the writer shuts down while the
  // disk is full.
  absl::Status CommitOrWait(const Batch& batch);
  void BeginRetention(const Retention& retention);
  void RetentionStep();
  // A full disk is no failure: retention is asked for again.
  void EndRetention(const absl::Status& status);

  const std::unique_ptr<Store> store_;
  const Callbacks callbacks_;
  const Options options_;

  // Store thread only: the first error, after which nothing is written; and how
  // far the retention under way goes.
  absl::Status failure_;
  std::optional<absl::Time> delete_before_;

  absl::Mutex mutex_;
  // The front is the batch being committed.
  std::deque<Numbered> queue_ ABSL_GUARDED_BY(mutex_);
  std::optional<Retention> retention_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  // Between tries while the disk is full; woken when the writer shuts down.
  Sleeper sleeper_;

  // Last: it uses all of the above.
  std::thread thread_;
};

}  // namespace vigil::store

#endif  // VIGIL_COORDINATOR_STORE_STORE_WRITER_H_
