// Store: the coordinator's durable memory in one SQLite file; this is its
// writing half, and view() reads over the same connection. Thread-compatible;
// every call blocks on the disk, so only the store thread uses it. Owns the
// connection; at most one Store may be open per file, which the lock on the
// data directory ensures.
#ifndef VIGIL_COORDINATOR_STORE_STORE_H_
#define VIGIL_COORDINATOR_STORE_STORE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "coordinator/store/rows.h"
#include "coordinator/store/sqlite_db.h"
#include "coordinator/store/sqlite_statement.h"
#include "coordinator/store/store_view.h"

namespace vigil::store {

class Store {
 public:
  struct Options {
    // Size of the database in pages of kPageBytes above which the disk counts
    // as full; 0 sets no cap. For tests, which have no disk to fill.
    int64_t page_count_max = 0;
  };

  // What one step of retention did.
  struct Deleted {
    std::vector<DeletedJob> jobs;
    // True when more is left to delete.
    bool more = false;
  };

  // Opens the file, or makes it. Errors as OpenStoreFile: show the message and
  // do not start.
  static absl::StatusOr<std::unique_ptr<Store>> Open(const std::string& path,
                                                     const Options& options);

  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  // Makes a batch durable. OK means that it survives the death of the process
  // and of the machine.
  //
  // - UNAVAILABLE: the disk is full, or another program locks the database.
  //   Nothing was written; commit the same batch again later. (Where the disk
  //   had no room for the log's index, a crash before that may bring the batch
  //   back, as if it had come right after the commit.)
  // - DATA_LOSS: the file is damaged. Nothing was written. End the process.
  // - INTERNAL: the disk failed, and whether the batch was written is unknown;
  //   or a row broke a constraint (a payload or piece of output written twice,
  //   two jobs with one request id). End the process: a new one finds out what
  //   is there.
  // - PERMISSION_DENIED, RESOURCE_EXHAUSTED: as SqliteDb::Error. End the
  //   process.
  absl::Status Commit(const Batch& batch);

  // Deletes jobs that ended before `end_before`, oldest first, with all that
  // belongs to them, and then batches, until `rows_max` rows are gone: one
  // bounded step. A job with much output loses it first, in several steps, a
  // batch its items. Errors as Commit.
  absl::StatusOr<Deleted> DeleteEnded(absl::Time end_before, int rows_max);

  StoreView& view() { return *view_; }

 private:
  explicit Store(std::unique_ptr<StoreView> view)
      : view_(std::move(view)), db_(*view_->db_) {}

  absl::Status Prepare();
  // Runs `write` as one transaction; a failure undoes it.
  absl::Status InTransaction(absl::FunctionRef<absl::Status()> write);
  absl::Status WriteBatch(const Batch& batch);
  absl::Status WriteJob(const JobRow& job);
  absl::Status WriteBatchRow(const BatchRow& row);
  absl::Status WriteItem(const ItemRow& row);
  absl::Status WriteOutput(const Batch& batch);
  absl::Status WriteMeta(const MetaRow& row);
  absl::Status DeleteStep(absl::Time end_before, int rows_max,
                          Deleted& deleted);
  absl::Status DeleteJob(absl::string_view job_id);
  // Deletes batches as DeleteStep deletes jobs, up to `rows_left` rows.
  absl::Status DeleteBatches(absl::Time end_before, int rows_left,
                             Deleted& deleted);
  // Moves the log's pages to the database when there are enough of them.
  absl::Status CheckpointIfDue();
  // Returns OK also when readers or a full disk kept it from finishing: the
  // pages stay in the log.
  absl::Status Checkpoint(int mode);

  // Owns the connection; before the statements, which must be gone before it
  // goes.
  const std::unique_ptr<StoreView> view_;
  SqliteDb& db_;
  SqliteStatement begin_;
  SqliteStatement commit_;
  SqliteStatement write_job_;
  SqliteStatement write_batch_;
  SqliteStatement write_item_;
  SqliteStatement write_payload_;
  SqliteStatement write_result_;
  SqliteStatement write_output_;
  SqliteStatement trim_output_;
  SqliteStatement write_meta_;
  SqliteStatement delete_meta_;
  SqliteStatement oldest_ended_;
  SqliteStatement delete_output_;
  SqliteStatement delete_payload_;
  SqliteStatement delete_result_;
  SqliteStatement delete_job_;
  SqliteStatement oldest_ended_batch_;
  SqliteStatement delete_items_;
  SqliteStatement delete_batch_;
  // Pages in the write-ahead log after the last commit, and at the last
  // checkpoint.
  int wal_pages_ = 0;
  int checkpoint_pages_ = 0;
};

}  // namespace vigil::store

#endif  // VIGIL_COORDINATOR_STORE_STORE_H_
