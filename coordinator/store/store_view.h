// StoreView: the reading half of the store. Thread-compatible; every call
// blocks on the disk and is a read transaction of its own, over what was
// committed when it began. Owns its connection.
#ifndef VIGIL_COORDINATOR_STORE_STORE_VIEW_H_
#define VIGIL_COORDINATOR_STORE_STORE_VIEW_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "coordinator/store/limits.h"
#include "coordinator/store/rows.h"
#include "coordinator/store/sqlite_db.h"
#include "coordinator/store/sqlite_statement.h"

namespace vigil::store {

// Every function returns, besides what it says itself:
// - DATA_LOSS: the file is damaged. At the start: refuse to start.
// - INTERNAL: the disk failed. End the process.
// - UNAVAILABLE: another program locks the database. Try again.
class StoreView {
 public:
  struct ListQuery {
    std::string namespace_id;
    // Lists jobs older than this one; empty starts at the newest.
    std::string before_job_id;
    // Lists jobs from this one on; empty goes to the oldest. Any string works
    // as a bound, whether such a job exists or not.
    std::string from_job_id;
    int64_t rows_max = kListRowsMax;
    int64_t bytes_max = kListBytesMax;
  };

  struct OutputPage {
    std::vector<OutputRow> rows;
    // Where to go on; absent when nothing is left by now.
    std::optional<int64_t> next_after_seq;
  };

  // Opens the file of a Store that is open in this process. Errors as
  // OpenStoreFileForReading.
  static absl::StatusOr<std::unique_ptr<StoreView>> Open(
      const std::string& path);

  // Takes a connection that was opened. DATA_LOSS: a table is missing.
  static absl::StatusOr<std::unique_ptr<StoreView>> Create(
      std::unique_ptr<SqliteDb> db);

  StoreView(const StoreView&) = delete;
  StoreView& operator=(const StoreView&) = delete;

  // Visits all facts about the coordinator, by key.
  absl::Status LoadMeta(
      absl::FunctionRef<void(absl::string_view key, absl::string_view value)>
          visitor);

  // Visits the jobs without end_time, by id.
  absl::Status LoadLiveJobs(absl::FunctionRef<void(JobRow)> visitor);

  // Visits the request ids of all jobs that have one, live or ended, by
  // namespace. Reads an index only: about 0.1 s per million.
  absl::Status LoadRequests(
      absl::FunctionRef<void(std::string namespace_id, std::string request_id)>
          visitor);

  // Each returns nothing when there is no such row.
  absl::StatusOr<std::optional<JobRow>> GetJob(absl::string_view job_id);
  absl::StatusOr<std::optional<JobRow>> FindRequest(
      absl::string_view namespace_id, absl::string_view request_id);
  absl::StatusOr<std::optional<std::string>> GetPayload(
      absl::string_view job_id);
  absl::StatusOr<std::optional<std::string>> GetResult(
      absl::string_view job_id);

  // Visits the batches without end_time, by id.
  absl::Status LoadLiveBatches(absl::FunctionRef<void(BatchRow)> visitor);
  // Each returns nothing when there is no such row.
  absl::StatusOr<std::optional<BatchRow>> GetBatch(absl::string_view batch_id);
  absl::StatusOr<std::optional<BatchRow>> FindBatchRequest(
      absl::string_view namespace_id, absl::string_view request_id);
  // As ListJobs, of batches; `query` holds ids of batches then.
  absl::StatusOr<std::optional<std::string>> ListBatches(
      const ListQuery& query, absl::FunctionRef<Visit(BatchRow)> visitor);
  // Visits items of a batch until the visitor stops: those from `index` on, by
  // index, also ones that wait...
  absl::Status ReadItems(absl::string_view batch_id, int64_t index,
                         absl::FunctionRef<Visit(ItemRow)> visitor);
  // ...and those that ended after number `end_number`, in order of ends.
  absl::Status ReadItemEnds(absl::string_view batch_id, int64_t end_number,
                            absl::FunctionRef<Visit(ItemRow)> visitor);

  // Visits jobs of one namespace, newest first, until the visitor stops or
  // `rows_max` rows or `bytes_max` bytes of values were visited (the row that
  // reaches a limit included). Returns the last job visited, to go on with as
  // before_job_id; nothing when there are no more.
  absl::StatusOr<std::optional<std::string>> ListJobs(
      const ListQuery& query, absl::FunctionRef<Visit(JobRow)> visitor);

  // Returns output of one attempt behind `after_seq`, in order of arrival, up
  // to `bytes_max` bytes or kOutputRowsMax rows looked at, but at least one row
  // of those looked at if any is of the stream asked for. An absent `stream`
  // takes all.
  absl::StatusOr<OutputPage> ReadOutput(absl::string_view job_id,
                                        int32_t attempt,
                                        std::optional<int> stream,
                                        int64_t after_seq, int64_t bytes_max);

  // Visits where the output of a job lies, by attempt and order of arrival,
  // without reading its bytes: what a restart needs to go on behind it.
  absl::Status LoadOutputIndex(
      absl::string_view job_id,
      absl::FunctionRef<void(const OutputIndexRow&)> visitor);

  // Returns the instant such that `ended_jobs_max` ended jobs ended at or after
  // it, to give to Store::DeleteEnded; InfinitePast when there are no more.
  // Reads an index only: some 30 ms per million jobs.
  absl::StatusOr<absl::Time> RetentionCutoff(int64_t ended_jobs_max);

 private:
  friend class Store;

  explicit StoreView(std::unique_ptr<SqliteDb> db) : db_(std::move(db)) {}
  absl::Status Prepare();

  // Before the statements, which must be gone before it goes.
  const std::unique_ptr<SqliteDb> db_;
  SqliteStatement load_meta_;
  SqliteStatement load_live_;
  SqliteStatement load_requests_;
  SqliteStatement get_job_;
  SqliteStatement find_request_;
  SqliteStatement get_payload_;
  SqliteStatement get_result_;
  SqliteStatement list_jobs_;
  SqliteStatement list_jobs_before_;
  SqliteStatement read_output_;
  SqliteStatement output_index_;
  SqliteStatement nth_end_;
  SqliteStatement load_live_batches_;
  SqliteStatement get_batch_;
  SqliteStatement find_batch_request_;
  SqliteStatement list_batches_;
  SqliteStatement list_batches_before_;
  SqliteStatement read_items_;
  SqliteStatement read_item_ends_;
};

}  // namespace vigil::store

#endif  // VIGIL_COORDINATOR_STORE_STORE_VIEW_H_
