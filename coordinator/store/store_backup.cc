#include "coordinator/store/store_backup.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <optional>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/unique_fd.h"
#include "coordinator/store/disk_file.h"
#include "coordinator/store/pending_restore.h"
#include "coordinator/store/sqlite_db.h"
#include "coordinator/store/store_file.h"

namespace vigil::store {
namespace {

absl::Status CheckIsNew(const std::string& target) {
  absl::StatusOr<std::optional<int64_t>> size = FileSize(target);
  if (!size.ok()) return size.status();
  if (!size->has_value()) return absl::OkStatus();
  return absl::AlreadyExistsError(absl::StrCat(
      target, ": the file exists; give another name, or move it away"));
}

// Makes the file empty, private and this process's own for as long as the
// descriptor is open.
absl::StatusOr<UniqueFd> Claim(const std::string& path) {
  UniqueFd file(
      open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file.valid()) return SystemError(path, "cannot create the file");
  struct stat opened;
  struct stat named;
  // One that had the lock until just now has renamed or removed it.
  if (flock(file.get(), LOCK_EX | LOCK_NB) != 0 ||
      fstat(file.get(), &opened) != 0 || stat(path.c_str(), &named) != 0 ||
      opened.st_ino != named.st_ino) {
    return absl::FailedPreconditionError(absl::StrCat(
        path, ": another backup writes this file; wait for its end"));
  }
  if (fchmod(file.get(), 0600) != 0 || ftruncate(file.get(), 0) != 0) {
    return SystemError(path, "cannot empty the file");
  }
  return file;
}

// Copies all pages in one step, which is one read transaction: between steps
// the copy would begin again at each commit of the coordinator. Pages, not rows
// (VACUUM INTO): a reader holds back the log, and this is the shortest one.
absl::Status CopyPages(SqliteDb& from, SqliteDb& to) {
  sqlite3_backup* backup =
      sqlite3_backup_init(to.handle(), "main", from.handle(), "main");
  if (backup == nullptr) {
    return to.Error(sqlite3_extended_errcode(to.handle()), "copy");
  }
  errno = 0;
  int code = sqlite3_backup_step(backup, -1);
  const int system_errno = errno;
  // Knows the errors of steps, but not that one was kept waiting.
  const int end_code = sqlite3_backup_finish(backup);
  if (code == SQLITE_DONE) code = end_code;
  if (code == SQLITE_OK) return absl::OkStatus();
  errno = system_errno;
  return to.Error(code, absl::StrCat("copy from ", from.path()));
}

// Fills the empty file `copy`; what lies beside it is gone afterwards.
absl::Status FillCopy(const std::string& path, const std::string& copy) {
  absl::StatusOr<std::unique_ptr<SqliteDb>> from =
      OpenStoreFileForReading(path);
  if (!from.ok()) return from.status();
  absl::StatusOr<std::unique_ptr<SqliteDb>> to =
      SqliteDb::Open(copy, SqliteDb::Access::kWrite);
  if (!to.ok()) return to.status();
  // It is synced once, when it is whole.
  absl::Status status =
      (*to)->Execute("PRAGMA synchronous = OFF; PRAGMA journal_mode = MEMORY");
  if (status.ok()) status = CopyPages(**from, **to);
  if (!status.ok()) return status;
  // The copied header says that there is a log.
  absl::StatusOr<std::string> mode =
      (*to)->QueryText("PRAGMA journal_mode = DELETE");
  if (!mode.ok()) return mode.status();
  VIGIL_CHECK(*mode == "delete", *mode);
  return absl::OkStatus();
}

absl::StatusOr<CopyReport> MakeCopy(const std::string& path,
                                    const std::string& copy) {
  if (absl::Status s = FillCopy(path, copy); !s.ok()) return s;
  absl::StatusOr<int64_t> jobs = CheckStoreFile(copy);
  if (absl::IsDataLoss(jobs.status())) {
    return absl::DataLossError(absl::StrCat(
        path,
        ": the store is damaged, so this is no backup; restore the last "
        "one that is whole. Found in the copy: ",
        jobs.status().message()));
  }
  if (!jobs.ok()) return jobs.status();
  if (absl::Status s = SyncFile(copy); !s.ok()) return s;
  absl::StatusOr<std::optional<int64_t>> size = FileSize(copy);
  if (!size.ok()) return size.status();
  return CopyReport{*jobs, size->value_or(0)};
}

}  // namespace

absl::StatusOr<CopyReport> BackupStore(const std::string& path,
                                       const std::string& target) {
  if (absl::Status s = CheckIsNew(target); !s.ok()) return s;
  absl::StatusOr<std::optional<int64_t>> pending =
      FileSize(PendingRestorePath(path));
  if (!pending.ok()) return pending.status();
  if (pending->has_value()) {
    return absl::FailedPreconditionError(absl::StrCat(
        path,
        ": a restore was cut short; start the coordinator, which ends "
        "it, and back up then"));
  }
  const std::string copy = target + ".new";
  absl::StatusOr<UniqueFd> claim = Claim(copy);
  if (!claim.ok()) return claim.status();
  absl::StatusOr<CopyReport> report = MakeCopy(path, copy);
  absl::Status status = report.status();
  if (status.ok()) status = RenameToNew(copy, target);
  if (!status.ok()) {
    RemoveDatabase(copy).IgnoreError();
    return status;
  }
  if (absl::Status s = SyncDirectoryOf(target); !s.ok()) {
    RemoveFile(target).IgnoreError();
    return s;
  }
  return report;
}

}  // namespace vigil::store
