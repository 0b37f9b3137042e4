#include "coordinator/store/store_view.h"

#include <utility>

#include "base/check.h"
#include "coordinator/store/store_file.h"

namespace vigil::store {
namespace {

#define VIGIL_JOB_COLUMNS \
  "job_id, namespace_id, state, end_time_ns, request_id, value"

// The current row of a query for VIGIL_JOB_COLUMNS.
JobRow JobFrom(const SqliteStatement& row) {
  JobRow job;
  job.job_id = row.ColumnBytes(0);
  job.namespace_id = row.ColumnBytes(1);
  job.state = static_cast<int>(row.ColumnInt(2));
  if (!row.ColumnIsNull(3)) {
    job.end_time = absl::FromUnixNanos(row.ColumnInt(3));
  }
  job.request_id = row.ColumnBytes(4);
  job.value = row.ColumnBytes(5);
  return job;
}

#define VIGIL_BATCH_COLUMNS \
  "batch_id, namespace_id, end_time_ns, request_id, value"

BatchRow BatchFrom(const SqliteStatement& row) {
  BatchRow batch;
  batch.batch_id = row.ColumnBytes(0);
  batch.namespace_id = row.ColumnBytes(1);
  if (!row.ColumnIsNull(2)) {
    batch.end_time = absl::FromUnixNanos(row.ColumnInt(2));
  }
  batch.request_id = row.ColumnBytes(3);
  batch.value = row.ColumnBytes(4);
  return batch;
}

// The current row of a query for value alone.
std::string ValueFrom(const SqliteStatement& row) { return row.ColumnBytes(0); }

// The current row of a query for item_index, end_number and value.
ItemRow ItemFrom(absl::string_view batch_id, const SqliteStatement& row) {
  ItemRow item;
  item.batch_id = std::string(batch_id);
  item.index = row.ColumnInt(0);
  if (!row.ColumnIsNull(1)) item.end_number = row.ColumnInt(1);
  item.value = row.ColumnBytes(2);
  return item;
}

// Visits the rows of a list, newest first, until it is bounded; returns the
// last one visited if there may be more. `From` makes a row, `id` says its id.
template <typename Row>
absl::StatusOr<std::optional<std::string>> ListRows(
    SqliteStatement& statement, const StoreView::ListQuery& query,
    Row (*from)(const SqliteStatement&), std::string Row::*id,
    absl::FunctionRef<Visit(Row)> visitor) {
  VIGIL_CHECK(query.rows_max > 0 && query.bytes_max > 0, "an empty page");
  statement.BindText(1, query.namespace_id).BindText(2, query.from_job_id);
  if (!query.before_job_id.empty()) statement.BindText(3, query.before_job_id);
  int64_t rows = 0;
  int64_t bytes = 0;
  std::optional<std::string> stopped_at;
  absl::Status status = statement.ForEachRow([&] {
    Row row = from(statement);
    std::string row_id = row.*id;
    bytes += static_cast<int64_t>(row.value.size());
    ++rows;
    if (visitor(std::move(row)) == Visit::kStop || rows >= query.rows_max ||
        bytes >= query.bytes_max) {
      stopped_at = std::move(row_id);
      return Visit::kStop;
    }
    return Visit::kContinue;
  });
  if (!status.ok()) return status;
  return stopped_at;
}

// The only row of a query; nullopt if it has none. `from` makes it.
template <typename Row>
absl::StatusOr<std::optional<Row>> OneRow(SqliteStatement& statement,
                                          Row (*from)(const SqliteStatement&)) {
  std::optional<Row> row;
  absl::Status status = statement.ForEachRow([&] {
    row = from(statement);
    return Visit::kContinue;
  });
  if (!status.ok()) return status;
  return row;
}

}  // namespace

absl::StatusOr<std::unique_ptr<StoreView>> StoreView::Open(
    const std::string& path) {
  absl::StatusOr<std::unique_ptr<SqliteDb>> db = OpenStoreFileForReading(path);
  if (!db.ok()) return db.status();
  return Create(*std::move(db));
}

absl::StatusOr<std::unique_ptr<StoreView>> StoreView::Create(
    std::unique_ptr<SqliteDb> db) {
  std::unique_ptr<StoreView> view(new StoreView(std::move(db)));
  if (absl::Status s = view->Prepare(); !s.ok()) return s;
  return view;
}

absl::Status StoreView::Prepare() {
  const std::pair<SqliteStatement*, const char*> statements[] = {
      {&load_meta_, "SELECT key, value FROM meta ORDER BY key"},
      {&load_live_, "SELECT " VIGIL_JOB_COLUMNS
                    " FROM job INDEXED BY job_live WHERE end_time_ns IS NULL"
                    " ORDER BY job_id"},
      {&load_requests_,
       "SELECT namespace_id, request_id FROM job INDEXED BY job_request"
       " WHERE request_id <> '' ORDER BY namespace_id, request_id"},
      {&get_job_, "SELECT " VIGIL_JOB_COLUMNS " FROM job WHERE job_id = ?1"},
      {&find_request_,
       "SELECT " VIGIL_JOB_COLUMNS " FROM job INDEXED BY job_request"
       " WHERE namespace_id = ?1 AND request_id = ?2 AND request_id <> ''"},
      {&get_payload_, "SELECT value FROM payload WHERE job_id = ?1"},
      {&get_result_, "SELECT value FROM result WHERE job_id = ?1"},
      {&list_jobs_,
       "SELECT " VIGIL_JOB_COLUMNS " FROM job INDEXED BY job_listed"
       " WHERE namespace_id = ?1 AND job_id >= ?2"
       " ORDER BY job_id DESC"},
      {&list_jobs_before_,
       "SELECT " VIGIL_JOB_COLUMNS " FROM job INDEXED BY job_listed"
       " WHERE namespace_id = ?1 AND job_id >= ?2 AND job_id < ?3"
       " ORDER BY job_id DESC"},
      {&read_output_,
       "SELECT seq, stream, offset, data FROM output"
       " WHERE job_id = ?1 AND attempt = ?2 AND seq > ?3 ORDER BY seq"},
      {&output_index_,
       "SELECT attempt, seq, stream, offset, length(data) FROM output"
       " WHERE job_id = ?1 ORDER BY attempt, seq"},
      {&nth_end_,
       "SELECT end_time_ns FROM job INDEXED BY job_ended"
       " WHERE end_time_ns IS NOT NULL"
       " ORDER BY end_time_ns DESC LIMIT 1 OFFSET ?1"},
      {&load_live_batches_,
       "SELECT " VIGIL_BATCH_COLUMNS
       " FROM batch INDEXED BY batch_live WHERE end_time_ns IS NULL"
       " ORDER BY batch_id"},
      {&get_batch_,
       "SELECT " VIGIL_BATCH_COLUMNS " FROM batch WHERE batch_id = ?1"},
      {&find_batch_request_,
       "SELECT " VIGIL_BATCH_COLUMNS " FROM batch INDEXED BY batch_request"
       " WHERE namespace_id = ?1 AND request_id = ?2 AND request_id <> ''"},
      {&list_batches_,
       "SELECT " VIGIL_BATCH_COLUMNS " FROM batch INDEXED BY batch_listed"
       " WHERE namespace_id = ?1 AND batch_id >= ?2 ORDER BY batch_id DESC"},
      {&list_batches_before_,
       "SELECT " VIGIL_BATCH_COLUMNS " FROM batch INDEXED BY batch_listed"
       " WHERE namespace_id = ?1 AND batch_id >= ?2 AND batch_id < ?3"
       " ORDER BY batch_id DESC"},
      {&read_items_,
       "SELECT item_index, end_number, value FROM batch_item"
       " INDEXED BY batch_item_index"
       " WHERE batch_id = ?1 AND item_index >= ?2 ORDER BY item_index"},
      {&read_item_ends_,
       "SELECT item_index, end_number, value FROM batch_item"
       " INDEXED BY batch_item_end"
       " WHERE batch_id = ?1 AND end_number > ?2 AND end_number IS NOT NULL"
       " ORDER BY end_number"},
  };
  for (const auto& [statement, sql] : statements) {
    if (absl::Status s = statement->Prepare(*db_, sql); !s.ok()) return s;
  }
  return absl::OkStatus();
}

absl::Status StoreView::LoadMeta(
    absl::FunctionRef<void(absl::string_view, absl::string_view)> visitor) {
  return load_meta_.ForEachRow([&] {
    visitor(load_meta_.ColumnBytes(0), load_meta_.ColumnBytes(1));
    return Visit::kContinue;
  });
}

absl::Status StoreView::LoadLiveJobs(absl::FunctionRef<void(JobRow)> visitor) {
  return load_live_.ForEachRow([&] {
    visitor(JobFrom(load_live_));
    return Visit::kContinue;
  });
}

absl::Status StoreView::LoadRequests(
    absl::FunctionRef<void(std::string, std::string)> visitor) {
  return load_requests_.ForEachRow([&] {
    visitor(load_requests_.ColumnBytes(0), load_requests_.ColumnBytes(1));
    return Visit::kContinue;
  });
}

absl::StatusOr<std::optional<JobRow>> StoreView::GetJob(
    absl::string_view job_id) {
  return OneRow(get_job_.BindText(1, job_id), &JobFrom);
}

absl::StatusOr<std::optional<JobRow>> StoreView::FindRequest(
    absl::string_view namespace_id, absl::string_view request_id) {
  return OneRow(find_request_.BindText(1, namespace_id).BindText(2, request_id),
                &JobFrom);
}

absl::StatusOr<std::optional<std::string>> StoreView::GetPayload(
    absl::string_view job_id) {
  return OneRow(get_payload_.BindText(1, job_id), &ValueFrom);
}

absl::StatusOr<std::optional<std::string>> StoreView::GetResult(
    absl::string_view job_id) {
  return OneRow(get_result_.BindText(1, job_id), &ValueFrom);
}

absl::StatusOr<std::optional<std::string>> StoreView::ListJobs(
    const ListQuery& query, absl::FunctionRef<Visit(JobRow)> visitor) {
  return ListRows<JobRow>(
      query.before_job_id.empty() ? list_jobs_ : list_jobs_before_, query,
      &JobFrom, &JobRow::job_id, visitor);
}

absl::Status StoreView::LoadLiveBatches(
    absl::FunctionRef<void(BatchRow)> visitor) {
  return load_live_batches_.ForEachRow([&] {
    visitor(BatchFrom(load_live_batches_));
    return Visit::kContinue;
  });
}

absl::StatusOr<std::optional<BatchRow>> StoreView::GetBatch(
    absl::string_view batch_id) {
  return OneRow(get_batch_.BindText(1, batch_id), &BatchFrom);
}

absl::StatusOr<std::optional<BatchRow>> StoreView::FindBatchRequest(
    absl::string_view namespace_id, absl::string_view request_id) {
  return OneRow(
      find_batch_request_.BindText(1, namespace_id).BindText(2, request_id),
      &BatchFrom);
}

absl::StatusOr<std::optional<std::string>> StoreView::ListBatches(
    const ListQuery& query, absl::FunctionRef<Visit(BatchRow)> visitor) {
  return ListRows<BatchRow>(
      query.before_job_id.empty() ? list_batches_ : list_batches_before_, query,
      &BatchFrom, &BatchRow::batch_id, visitor);
}

absl::Status StoreView::ReadItems(absl::string_view batch_id, int64_t index,
                                  absl::FunctionRef<Visit(ItemRow)> visitor) {
  return read_items_.BindText(1, batch_id).BindInt(2, index).ForEachRow([&] {
    return visitor(ItemFrom(batch_id, read_items_));
  });
}

absl::Status StoreView::ReadItemEnds(
    absl::string_view batch_id, int64_t end_number,
    absl::FunctionRef<Visit(ItemRow)> visitor) {
  return read_item_ends_.BindText(1, batch_id)
      .BindInt(2, end_number)
      .ForEachRow([&] { return visitor(ItemFrom(batch_id, read_item_ends_)); });
}

absl::StatusOr<StoreView::OutputPage> StoreView::ReadOutput(
    absl::string_view job_id, int32_t attempt, std::optional<int> stream,
    int64_t after_seq, int64_t bytes_max) {
  OutputPage page;
  int64_t rows_seen = 0;
  int64_t last_seq = after_seq;
  int64_t bytes = 0;
  read_output_.BindText(1, job_id).BindInt(2, attempt).BindInt(3, after_seq);
  absl::Status status = read_output_.ForEachRow([&] {
    // Only now is it known that something is left behind the last row.
    if (rows_seen == kOutputRowsMax || bytes >= bytes_max) {
      page.next_after_seq = last_seq;
      return Visit::kStop;
    }
    ++rows_seen;
    const int64_t seq = read_output_.ColumnInt(0);
    const int row_stream = static_cast<int>(read_output_.ColumnInt(1));
    if (row_stream == stream.value_or(row_stream)) {
      std::string data = read_output_.ColumnBytes(3);
      bytes += static_cast<int64_t>(data.size());
      if (bytes > bytes_max && !page.rows.empty()) {
        page.next_after_seq = last_seq;
        return Visit::kStop;
      }
      page.rows.push_back({std::string(job_id), attempt, seq, row_stream,
                           read_output_.ColumnInt(2), std::move(data)});
    }
    last_seq = seq;
    return Visit::kContinue;
  });
  if (!status.ok()) return status;
  return page;
}

absl::Status StoreView::LoadOutputIndex(
    absl::string_view job_id,
    absl::FunctionRef<void(const OutputIndexRow&)> visitor) {
  return output_index_.BindText(1, job_id).ForEachRow([&] {
    OutputIndexRow row;
    row.attempt = static_cast<int32_t>(output_index_.ColumnInt(0));
    row.seq = output_index_.ColumnInt(1);
    row.stream = static_cast<int>(output_index_.ColumnInt(2));
    row.offset = output_index_.ColumnInt(3);
    row.size_bytes = output_index_.ColumnInt(4);
    visitor(row);
    return Visit::kContinue;
  });
}

absl::StatusOr<absl::Time> StoreView::RetentionCutoff(int64_t ended_jobs_max) {
  absl::Time cutoff = absl::InfinitePast();
  // The newest one too many: it goes, and what ended before it.
  absl::Status status = nth_end_.BindInt(1, ended_jobs_max).ForEachRow([&] {
    cutoff = absl::FromUnixNanos(nth_end_.ColumnInt(0)) + absl::Nanoseconds(1);
    return Visit::kContinue;
  });
  if (!status.ok()) return status;
  return cutoff;
}

}  // namespace vigil::store
