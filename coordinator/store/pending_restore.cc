#include "coordinator/store/pending_restore.h"

#include <cstdint>
#include <optional>

#include "absl/status/statusor.h"
#include "coordinator/store/disk_file.h"

namespace vigil::store {

std::string PendingRestorePath(const std::string& path) {
  return path + ".restore";
}

std::string AsidePath(const std::string& path) {
  return path + ".before-restore";
}

absl::Status FinishPendingRestore(const std::string& path) {
  const std::string pending = PendingRestorePath(path);
  absl::StatusOr<std::optional<int64_t>> size = FileSize(pending);
  if (!size.ok()) return size.status();
  if (!size->has_value()) return absl::OkStatus();
  // The index of the log is made again.
  if (absl::Status s = RemoveFile(path + "-shm"); !s.ok()) return s;
  for (const char* suffix : {"-wal", "-journal", ""}) {
    absl::StatusOr<std::optional<int64_t>> old = FileSize(path + suffix);
    if (!old.ok()) return old.status();
    if (!old->has_value()) continue;
    absl::Status s = RenameToNew(path + suffix, AsidePath(path) + suffix);
    if (!s.ok()) return s;
  }
  // A log that is still there would be taken for the new database's own.
  if (absl::Status s = SyncDirectoryOf(path); !s.ok()) return s;
  if (absl::Status s = RenameToNew(pending, path); !s.ok()) return s;
  return SyncDirectoryOf(path);
}

}  // namespace vigil::store
