#include "coordinator/store/store.h"

#include <cerrno>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "coordinator/store/limits.h"
#include "coordinator/store/store_file.h"

namespace vigil::store {
namespace {

std::optional<int64_t> NanosOf(std::optional<absl::Time> time) {
  if (!time.has_value()) return std::nullopt;
  return absl::ToUnixNanos(*time);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Store>> Store::Open(const std::string& path,
                                                   const Options& options) {
  absl::StatusOr<std::unique_ptr<SqliteDb>> db = OpenStoreFile(path);
  if (!db.ok()) return db.status();
  if (options.page_count_max > 0) {
    absl::Status s = (*db)->Execute(
        absl::StrCat("PRAGMA max_page_count = ", options.page_count_max));
    if (!s.ok()) return s;
  }
  absl::StatusOr<std::unique_ptr<StoreView>> view =
      StoreView::Create(*std::move(db));
  if (!view.ok()) return view.status();
  std::unique_ptr<Store> store(new Store(*std::move(view)));
  if (absl::Status s = store->Prepare(); !s.ok()) return s;
  // Replaces SQLite's own checkpoints, which hide their errors.
  sqlite3_wal_hook(
      store->db_.handle(),
      [](void* self, sqlite3*, const char*, int pages) {
        static_cast<Store*>(self)->wal_pages_ = pages;
        return SQLITE_OK;
      },
      store.get());
  return store;
}

absl::Status Store::Prepare() {
  const std::pair<SqliteStatement*, const char*> statements[] = {
      {&begin_, "BEGIN IMMEDIATE"},
      {&commit_, "COMMIT"},
      {&write_job_,
       "INSERT INTO job"
       " (job_id, namespace_id, state, end_time_ns, request_id, value)"
       " VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (job_id) DO UPDATE SET"
       " state = ?3, end_time_ns = ?4, value = ?6"},
      {&write_batch_,
       "INSERT INTO batch"
       " (batch_id, namespace_id, end_time_ns, request_id, value)"
       " VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (batch_id) DO UPDATE SET"
       " end_time_ns = ?3, value = ?5"},
      {&write_item_,
       "INSERT INTO batch_item (batch_id, item_index, end_number, value)"
       " VALUES (?1, ?2, ?3, ?4) ON CONFLICT (batch_id, item_index)"
       " DO UPDATE SET end_number = ?3, value = ?4"},
      {&write_payload_, "INSERT INTO payload (job_id, value) VALUES (?1, ?2)"},
      {&write_result_,
       "INSERT INTO result (job_id, value) VALUES (?1, ?2)"
       " ON CONFLICT (job_id) DO UPDATE SET value = ?2"},
      {&write_output_,
       "INSERT INTO output (job_id, attempt, seq, stream, offset, data)"
       " VALUES (?1, ?2, ?3, ?4, ?5, ?6)"},
      {&trim_output_,
       "DELETE FROM output"
       " WHERE job_id = ?1 AND attempt = ?2 AND seq BETWEEN ?3 AND ?4"},
      {&write_meta_,
       "INSERT INTO meta (key, value) VALUES (?1, ?2)"
       " ON CONFLICT (key) DO UPDATE SET value = ?2"},
      {&delete_meta_, "DELETE FROM meta WHERE key = ?1"},
      {&oldest_ended_,
       "SELECT job_id, namespace_id, request_id FROM job INDEXED BY job_ended"
       " WHERE end_time_ns IS NOT NULL AND end_time_ns < ?1"
       " ORDER BY end_time_ns LIMIT ?2"},
      {&delete_output_,
       "DELETE FROM output WHERE (job_id, attempt, seq) IN"
       " (SELECT job_id, attempt, seq FROM output WHERE job_id = ?1 LIMIT ?2)"},
      {&delete_payload_, "DELETE FROM payload WHERE job_id = ?1"},
      {&delete_result_, "DELETE FROM result WHERE job_id = ?1"},
      {&delete_job_, "DELETE FROM job WHERE job_id = ?1"},
      {&oldest_ended_batch_,
       "SELECT batch_id FROM batch INDEXED BY batch_ended"
       " WHERE end_time_ns IS NOT NULL AND end_time_ns < ?1"
       " ORDER BY end_time_ns LIMIT 1"},
      {&delete_items_,
       "DELETE FROM batch_item WHERE rowid IN"
       " (SELECT rowid FROM batch_item WHERE batch_id = ?1 LIMIT ?2)"},
      {&delete_batch_, "DELETE FROM batch WHERE batch_id = ?1"},
  };
  for (const auto& [statement, sql] : statements) {
    if (absl::Status s = statement->Prepare(db_, sql); !s.ok()) return s;
  }
  return absl::OkStatus();
}

absl::Status Store::Commit(const Batch& batch) {
  if (batch.empty()) return absl::OkStatus();
  return InTransaction([&] { return WriteBatch(batch); });
}

absl::Status Store::InTransaction(absl::FunctionRef<absl::Status()> write) {
  absl::Status status = begin_.Run();
  if (status.ok()) status = write();
  if (status.ok()) status = commit_.Run();
  if (status.ok()) {
    // Closing may copy the log into the file from now on; see SqliteDb::Open.
    sqlite3_db_config(db_.handle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0,
                      nullptr);
    return CheckpointIfDue();
  }
  // Some errors end the transaction by themselves.
  if (sqlite3_get_autocommit(db_.handle()) == 0) {
    if (absl::Status s = db_.Execute("ROLLBACK"); !s.ok()) {
      return absl::InternalError(absl::StrCat(
          status.message(), "; and it could not be undone: ", s.message()));
    }
  }
  if (absl::IsUnavailable(status)) {
    // The log's own pages are room too: once copied, it starts again.
    if (absl::Status s = Checkpoint(SQLITE_CHECKPOINT_RESTART); !s.ok()) {
      return s;
    }
  }
  return status;
}

absl::Status Store::WriteBatch(const Batch& batch) {
  for (const MetaRow& row : batch.meta) {
    if (absl::Status s = WriteMeta(row); !s.ok()) return s;
  }
  for (const JobRow& job : batch.jobs) {
    if (absl::Status s = WriteJob(job); !s.ok()) return s;
  }
  for (const BatchRow& row : batch.batches) {
    if (absl::Status s = WriteBatchRow(row); !s.ok()) return s;
  }
  for (const ItemRow& row : batch.items) {
    if (absl::Status s = WriteItem(row); !s.ok()) return s;
  }
  for (const BlobRow& row : batch.payloads) {
    absl::Status s =
        write_payload_.BindText(1, row.job_id).BindBlob(2, row.value).Run();
    if (!s.ok()) return s;
  }
  for (const BlobRow& row : batch.results) {
    absl::Status s =
        write_result_.BindText(1, row.job_id).BindBlob(2, row.value).Run();
    if (!s.ok()) return s;
  }
  return WriteOutput(batch);
}

absl::Status Store::WriteJob(const JobRow& job) {
  VIGIL_CHECK(!job.job_id.empty(), "a job without an id");
  write_job_.BindText(1, job.job_id)
      .BindText(2, job.namespace_id)
      .BindInt(3, job.state)
      .BindInt(4, NanosOf(job.end_time))
      .BindText(5, job.request_id)
      .BindBlob(6, job.value);
  return write_job_.Run();
}

absl::Status Store::WriteBatchRow(const BatchRow& row) {
  VIGIL_CHECK(!row.batch_id.empty(), "a batch without an id");
  write_batch_.BindText(1, row.batch_id)
      .BindText(2, row.namespace_id)
      .BindInt(3, NanosOf(row.end_time))
      .BindText(4, row.request_id)
      .BindBlob(5, row.value);
  return write_batch_.Run();
}

absl::Status Store::WriteItem(const ItemRow& row) {
  write_item_.BindText(1, row.batch_id)
      .BindInt(2, row.index)
      .BindInt(3, row.end_number)
      .BindBlob(4, row.value);
  return write_item_.Run();
}

absl::Status Store::WriteOutput(const Batch& batch) {
  for (const OutputRow& row : batch.output) {
    absl::Status s = write_output_.BindText(1, row.job_id)
                         .BindInt(2, row.attempt)
                         .BindInt(3, row.seq)
                         .BindInt(4, row.stream)
                         .BindInt(5, row.offset)
                         .BindBlob(6, row.data)
                         .Run();
    if (!s.ok()) return s;
  }
  for (const OutputTrim& trim : batch.trims) {
    absl::Status s = trim_output_.BindText(1, trim.job_id)
                         .BindInt(2, trim.attempt)
                         .BindInt(3, trim.seq_from)
                         .BindInt(4, trim.seq_to)
                         .Run();
    if (!s.ok()) return s;
  }
  return absl::OkStatus();
}

absl::Status Store::WriteMeta(const MetaRow& row) {
  if (!row.value.has_value()) return delete_meta_.BindText(1, row.key).Run();
  return write_meta_.BindText(1, row.key).BindBlob(2, *row.value).Run();
}

absl::StatusOr<Store::Deleted> Store::DeleteEnded(absl::Time end_before,
                                                  int rows_max) {
  VIGIL_CHECK(rows_max > 0, "a step that deletes nothing");
  Deleted deleted;
  absl::Status status =
      InTransaction([&] { return DeleteStep(end_before, rows_max, deleted); });
  if (!status.ok()) return status;
  return deleted;
}

absl::Status Store::DeleteStep(absl::Time end_before, int rows_max,
                               Deleted& deleted) {
  std::vector<DeletedJob> jobs;
  absl::Status status = oldest_ended_.BindInt(1, absl::ToUnixNanos(end_before))
                            .BindInt(2, rows_max)
                            .ForEachRow([&] {
                              jobs.push_back({oldest_ended_.ColumnBytes(0),
                                              oldest_ended_.ColumnBytes(1),
                                              oldest_ended_.ColumnBytes(2)});
                              return Visit::kContinue;
                            });
  if (!status.ok()) return status;
  // A full page of jobs may not have been the last one.
  deleted.more = jobs.size() == static_cast<size_t>(rows_max);
  int rows_left = rows_max;
  for (DeletedJob& job : jobs) {
    if (rows_left > 0) {
      absl::Status s =
          delete_output_.BindText(1, job.job_id).BindInt(2, rows_left).Run();
      if (!s.ok()) return s;
      rows_left -= sqlite3_changes(db_.handle());
    }
    if (rows_left == 0) {
      deleted.more = true;
      break;
    }
    if (absl::Status s = DeleteJob(job.job_id); !s.ok()) return s;
    --rows_left;
    deleted.jobs.push_back(std::move(job));
  }
  return deleted.more ? absl::OkStatus()
                      : DeleteBatches(end_before, rows_left, deleted);
}

absl::Status Store::DeleteBatches(absl::Time end_before, int rows_left,
                                  Deleted& deleted) {
  for (;;) {
    std::string batch_id;
    absl::Status status =
        oldest_ended_batch_.BindInt(1, absl::ToUnixNanos(end_before))
            .ForEachRow([&] {
              batch_id = oldest_ended_batch_.ColumnBytes(0);
              return Visit::kContinue;
            });
    if (!status.ok() || batch_id.empty()) return status;
    status = delete_items_.BindText(1, batch_id).BindInt(2, rows_left).Run();
    if (!status.ok()) return status;
    rows_left -= sqlite3_changes(db_.handle());
    if (rows_left <= 0) {
      deleted.more = true;
      return absl::OkStatus();
    }
    for (SqliteStatement* statement : {&delete_payload_, &delete_batch_}) {
      status = statement->BindText(1, batch_id).Run();
      if (!status.ok()) return status;
    }
    --rows_left;
  }
}

absl::Status Store::DeleteJob(absl::string_view job_id) {
  for (SqliteStatement* statement :
       {&delete_payload_, &delete_result_, &delete_job_}) {
    if (absl::Status s = statement->BindText(1, job_id).Run(); !s.ok()) {
      return s;
    }
  }
  return absl::OkStatus();
}

absl::Status Store::CheckpointIfDue() {
  // The log started again from its beginning.
  if (wal_pages_ < checkpoint_pages_) checkpoint_pages_ = 0;
  if (wal_pages_ - checkpoint_pages_ < kCheckpointPages) {
    return absl::OkStatus();
  }
  checkpoint_pages_ = wal_pages_;
  return Checkpoint(wal_pages_ < kWalPagesMax ? SQLITE_CHECKPOINT_PASSIVE
                                              : SQLITE_CHECKPOINT_RESTART);
}

absl::Status Store::Checkpoint(int mode) {
  int code = SQLITE_OK;
  int tries = 0;
  db_.SetBusyTimeout(kCheckpointWait);
  do {
    errno = 0;
    code =
        sqlite3_wal_checkpoint_v2(db_.handle(), "main", mode, nullptr, nullptr);
  } while (code == SQLITE_BUSY && ++tries < kCheckpointTries);
  absl::Status status =
      code == SQLITE_OK ? absl::OkStatus() : db_.Error(code, "checkpoint");
  db_.SetBusyTimeout(kBusyTimeout);
  return absl::IsUnavailable(status) ? absl::OkStatus() : status;
}

}  // namespace vigil::store
