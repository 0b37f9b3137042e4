#include "coordinator/store/store_restore.h"

#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <memory>
#include <optional>

#include "absl/strings/str_cat.h"
#include "base/unique_fd.h"
#include "coordinator/store/disk_file.h"
#include "coordinator/store/pending_restore.h"
#include "coordinator/store/rows.h"
#include "coordinator/store/store.h"
#include "coordinator/store/store_file.h"

namespace vigil::store {
namespace {

// Bytes that one call copies; any size works.
constexpr size_t kCopyBytes = 16 << 20;

// Refuses what lies where the old database is to go.
absl::Status CheckAsideIsFree(const std::string& path) {
  for (const char* suffix : kDatabaseSuffixes) {
    const std::string aside = AsidePath(path) + suffix;
    absl::StatusOr<std::optional<int64_t>> size = FileSize(aside);
    if (!size.ok()) return size.status();
    if (!size->has_value()) continue;
    return absl::AlreadyExistsError(absl::StrCat(
        aside,
        ": an earlier restore kept the database of before here; move it away "
        "or remove it, and restore again"));
  }
  return absl::OkStatus();
}

// Refuses a database in use, or one that a crash left: its file alone is not
// all of it.
absl::Status CheckIsNoStore(const std::string& backup) {
  for (const char* suffix : {"-wal", "-journal"}) {
    absl::StatusOr<std::optional<int64_t>> log = FileSize(backup + suffix);
    if (!log.ok()) return log.status();
    if (!log->has_value()) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        backup, ": ", backup, suffix,
        " lies beside it, so this is the database of a coordinator and no "
        "backup; make one of it with --backup"));
  }
  return absl::OkStatus();
}

// Copies the bytes of `backup` to a new private file.
absl::Status CopyFile(const std::string& backup, const std::string& copy) {
  UniqueFd from(open(backup.c_str(), O_RDONLY | O_CLOEXEC));
  if (!from.valid()) return SystemError(backup, "cannot open the file");
  UniqueFd to(
      open(copy.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!to.valid()) return SystemError(copy, "cannot create the file");
  for (;;) {
    const ssize_t size = sendfile(to.get(), from.get(), nullptr, kCopyBytes);
    if (size == 0) return absl::OkStatus();
    if (size < 0 && errno != EINTR) {
      return SystemError(copy,
                         "cannot copy the backup; free space if the disk "
                         "is full, and restore again");
    }
  }
}

// Brings the copy to this release's layout and marks it; leaves one file.
absl::Status MarkRestored(const std::string& copy) {
  absl::StatusOr<std::unique_ptr<Store>> store = Store::Open(copy, {});
  if (!store.ok()) return store.status();
  Batch mark;
  mark.meta = {{kRestoredKey, "1"}};
  if (absl::Status s = (*store)->Commit(mark); !s.ok()) return s;
  store->reset();
  absl::StatusOr<std::optional<int64_t>> log = FileSize(copy + "-wal");
  if (!log.ok()) return log.status();
  if (log->has_value()) {
    return absl::InternalError(absl::StrCat(
        copy,
        ": its log could not be copied into it; free space if the disk "
        "is full, and restore again"));
  }
  return SyncFile(copy);
}

// Makes `copy` a restored store, whole and durable, and then the one to be
// taken by FinishPendingRestore.
absl::Status PrepareRestore(const std::string& backup, const std::string& copy,
                            const std::string& path) {
  if (absl::Status s = RemoveDatabase(copy); !s.ok()) return s;
  absl::Status status = CopyFile(backup, copy);
  if (status.ok()) status = MarkRestored(copy);
  if (status.ok()) status = SyncDirectoryOf(copy);
  if (status.ok()) status = RenameToNew(copy, PendingRestorePath(path));
  if (!status.ok()) {
    RemoveDatabase(copy).IgnoreError();
    return status;
  }
  return SyncDirectoryOf(path);
}

}  // namespace

absl::StatusOr<RestoreReport> RestoreStore(const std::string& backup,
                                           const std::string& path) {
  if (absl::Status s = FinishPendingRestore(path); !s.ok()) return s;
  RestoreReport report;
  for (const char* suffix : {"", "-wal"}) {
    absl::StatusOr<std::optional<int64_t>> old = FileSize(path + suffix);
    if (!old.ok()) return old.status();
    if (old->has_value()) report.aside = AsidePath(path);
  }
  if (absl::Status s = CheckAsideIsFree(path); !s.ok()) return s;
  if (absl::Status s = CheckIsNoStore(backup); !s.ok()) return s;
  absl::StatusOr<int64_t> jobs = CheckStoreFile(backup);
  if (!jobs.ok()) return jobs.status();
  report.restored.jobs = *jobs;
  const std::string copy = PendingRestorePath(path) + ".new";
  if (absl::Status s = PrepareRestore(backup, copy, path); !s.ok()) return s;
  if (absl::Status s = FinishPendingRestore(path); !s.ok()) {
    return absl::Status(
        s.code(),
        absl::StrCat("the restored database is ready, but not in its place: ",
                     s.message(),
                     "; mend that and start the coordinator, which ends it"));
  }
  absl::StatusOr<std::optional<int64_t>> size = FileSize(path);
  if (!size.ok()) return size.status();
  report.restored.bytes = size->value_or(0);
  return report;
}

}  // namespace vigil::store
