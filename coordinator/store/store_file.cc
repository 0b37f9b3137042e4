#include "coordinator/store/store_file.h"

#include <fcntl.h>

#include <cstdio>
#include <optional>

#include "absl/strings/str_cat.h"
#include "base/unique_fd.h"
#include "coordinator/store/disk_file.h"
#include "coordinator/store/limits.h"
#include "coordinator/store/pending_restore.h"

namespace vigil::store {
namespace {

// Rows of job, payload and result are often above the 1 KiB that a table
// without rowid keeps in its own page, so these have one; pieces of output are
// mostly smaller and always read in the order of their key.
constexpr char kTables[] = R"sql(
CREATE TABLE job (
  job_id TEXT NOT NULL UNIQUE,
  namespace_id TEXT NOT NULL,
  state INTEGER NOT NULL,
  end_time_ns INTEGER,
  request_id TEXT NOT NULL,
  value BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX job_listed ON job (namespace_id, job_id);
CREATE UNIQUE INDEX job_request ON job (namespace_id, request_id)
  WHERE request_id <> '';
CREATE INDEX job_live ON job (job_id) WHERE end_time_ns IS NULL;
CREATE INDEX job_ended ON job (end_time_ns) WHERE end_time_ns IS NOT NULL;
CREATE TABLE payload (job_id TEXT NOT NULL UNIQUE, value BLOB NOT NULL) STRICT;
CREATE TABLE result (job_id TEXT NOT NULL UNIQUE, value BLOB NOT NULL) STRICT;
CREATE TABLE output (
  job_id TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  stream INTEGER NOT NULL,
  offset INTEGER NOT NULL,
  data BLOB NOT NULL,
  PRIMARY KEY (job_id, attempt, seq)
) STRICT, WITHOUT ROWID;
CREATE TABLE meta (
  key TEXT NOT NULL PRIMARY KEY,
  value BLOB NOT NULL
) STRICT, WITHOUT ROWID;
)sql";

// Since schema 2. A batch's program is in `payload`, under its own id.
constexpr char kBatchTables[] = R"sql(
CREATE TABLE batch (
  batch_id TEXT NOT NULL UNIQUE,
  namespace_id TEXT NOT NULL,
  end_time_ns INTEGER,
  request_id TEXT NOT NULL,
  value BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX batch_listed ON batch (namespace_id, batch_id);
CREATE UNIQUE INDEX batch_request ON batch (namespace_id, request_id)
  WHERE request_id <> '';
CREATE INDEX batch_live ON batch (batch_id) WHERE end_time_ns IS NULL;
CREATE INDEX batch_ended ON batch (end_time_ns) WHERE end_time_ns IS NOT NULL;
CREATE TABLE batch_item (
  batch_id TEXT NOT NULL,
  item_index INTEGER NOT NULL,
  end_number INTEGER,
  value BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX batch_item_index ON batch_item (batch_id, item_index);
CREATE UNIQUE INDEX batch_item_end ON batch_item (batch_id, end_number)
  WHERE end_number IS NOT NULL;
)sql";

// Makes an empty store under `path`, which must not exist.
absl::Status FillNewFile(const std::string& path) {
  // Made here for its mode, which SQLite then uses for the files beside it too.
  UniqueFd file(
      open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file.valid()) return SystemError(path, "cannot create the file");
  file.Reset();
  absl::StatusOr<std::unique_ptr<SqliteDb>> db =
      SqliteDb::Open(path, SqliteDb::Access::kWrite);
  if (!db.ok()) return db.status();
  return (*db)->Execute(absl::StrCat(
      "PRAGMA page_size = ", kPageBytes, "; PRAGMA synchronous = EXTRA; BEGIN;",
      kTables, kBatchTables, "PRAGMA application_id = ", kApplicationId,
      "; PRAGMA user_version = ", kSchemaVersion, "; COMMIT;"));
}

absl::Status CreateFile(const std::string& path) {
  const std::string new_path = path + ".new";
  for (const char* suffix : {"", "-journal"}) {
    if (absl::Status s = RemoveFile(new_path + suffix); !s.ok()) return s;
  }
  if (absl::Status s = FillNewFile(new_path); !s.ok()) return s;
  if (rename(new_path.c_str(), path.c_str()) != 0) {
    return SystemError(new_path, "cannot rename the file");
  }
  return SyncDirectoryOf(path);
}

// Refuses what is no store before anything is written to it.
absl::Status CheckIdentity(SqliteDb& db) {
  absl::StatusOr<int64_t> application = db.QueryInt("PRAGMA application_id");
  if (!application.ok()) return application.status();
  absl::StatusOr<int64_t> version = db.QueryInt("PRAGMA user_version");
  if (!version.ok()) return version.status();
  if (*application != kApplicationId) {
    return absl::FailedPreconditionError(
        absl::StrCat(db.path(),
                     ": the database belongs to another program; use another "
                     "data directory"));
  }
  if (*version > kSchemaVersion) {
    return absl::FailedPreconditionError(absl::StrCat(
        db.path(), ": a newer release wrote the database (schema ", *version,
        ", this one knows ", kSchemaVersion,
        "); start that release again, or use another data directory"));
  }
  if (*version < 1) {
    return absl::DataLossError(absl::StrCat(
        db.path(), ": the database has schema ", *version,
        ", which never was; restore the file from a copy, or move it away to "
        "start empty"));
  }
  return absl::OkStatus();
}

// Settings of every connection. cell_size_check finds damage in a page when it
// is read rather than when it is used.
constexpr char kCommonSettings[] =
    "PRAGMA cell_size_check = ON; PRAGMA trusted_schema = OFF; "
    "PRAGMA temp_store = MEMORY;";

// Brings what an older release wrote to kSchemaVersion, all or nothing.
absl::Status Migrate(SqliteDb& db) {
  absl::StatusOr<int64_t> version = db.QueryInt("PRAGMA user_version");
  if (!version.ok()) return version.status();
  if (*version == kSchemaVersion) return absl::OkStatus();
  return db.Execute(absl::StrCat("BEGIN IMMEDIATE;", kBatchTables,
                                 "PRAGMA user_version = ", kSchemaVersion,
                                 "; COMMIT;"));
}

absl::Status SetUpWriter(SqliteDb& db) {
  if (absl::Status s = db.Execute(kCommonSettings); !s.ok()) return s;
  if (absl::Status s = CheckIdentity(db); !s.ok()) return s;
  absl::StatusOr<std::string> mode = db.QueryText("PRAGMA journal_mode = WAL");
  if (!mode.ok()) return mode.status();
  if (*mode != "wal") {
    return absl::FailedPreconditionError(absl::StrCat(
        db.path(), ": no write-ahead log on this file system (it is \"", *mode,
        "\"); put the data directory on a local disk"));
  }
  absl::Status status = db.Execute(absl::StrCat(
      "PRAGMA synchronous = FULL; PRAGMA cache_size = -", kWriterCacheKib,
      "; PRAGMA journal_size_limit = ", int64_t{kWalPagesMax} * kPageBytes,
      ";"));
  return status.ok() ? Migrate(db) : status;
}

absl::StatusOr<std::unique_ptr<SqliteDb>> OpenToRead(const std::string& path,
                                                     SqliteDb::Access access) {
  absl::StatusOr<std::optional<int64_t>> size = FileSize(path);
  if (!size.ok()) return size.status();
  if (!size->has_value()) {
    return absl::NotFoundError(absl::StrCat(path, ": there is no such file"));
  }
  absl::StatusOr<std::unique_ptr<SqliteDb>> db = SqliteDb::Open(path, access);
  if (!db.ok()) return db.status();
  if (absl::Status s = (*db)->Execute(kCommonSettings); !s.ok()) return s;
  if (absl::Status s = CheckIdentity(**db); !s.ok()) return s;
  return db;
}

}  // namespace

absl::StatusOr<std::unique_ptr<SqliteDb>> OpenStoreFile(
    const std::string& path) {
  if (absl::Status s = FinishPendingRestore(path); !s.ok()) return s;
  absl::StatusOr<std::optional<int64_t>> size = FileSize(path);
  if (!size.ok()) return size.status();
  if (!size->has_value()) {
    absl::StatusOr<std::optional<int64_t>> log_size = FileSize(path + "-wal");
    if (!log_size.ok()) return log_size.status();
    if (log_size->value_or(0) > 0) {
      return absl::DataLossError(absl::StrCat(
          path, ": the database is gone but its log, ", path,
          "-wal, is there: restore both from a copy, or move the log away to "
          "start empty"));
    }
    if (absl::Status s = CreateFile(path); !s.ok()) return s;
  } else if (**size == 0) {
    return absl::DataLossError(absl::StrCat(
        path,
        ": the database is empty, as Vigil never leaves it: restore it "
        "from a copy, or remove it to start empty"));
  }
  absl::StatusOr<std::unique_ptr<SqliteDb>> db =
      SqliteDb::Open(path, SqliteDb::Access::kWrite);
  if (!db.ok()) return db.status();
  if (absl::Status s = SetUpWriter(**db); !s.ok()) return s;
  return db;
}

absl::StatusOr<std::unique_ptr<SqliteDb>> OpenStoreFileForReading(
    const std::string& path) {
  return OpenToRead(path, SqliteDb::Access::kRead);
}

absl::StatusOr<int64_t> CheckStoreFile(const std::string& path) {
  absl::StatusOr<std::unique_ptr<SqliteDb>> db =
      OpenToRead(path, SqliteDb::Access::kFrozen);
  if (!db.ok()) return db.status();
  absl::StatusOr<std::string> problem =
      (*db)->QueryText("PRAGMA integrity_check(1)");
  if (!problem.ok()) return problem.status();
  if (*problem != "ok") {
    return absl::DataLossError(
        absl::StrCat(path, ": the database is damaged: ", *problem));
  }
  return (*db)->QueryInt("SELECT count(*) FROM job");
}

}  // namespace vigil::store
