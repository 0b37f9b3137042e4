#include "coordinator/store/disk_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "base/unique_fd.h"

namespace vigil::store {

absl::Status SystemError(const std::string& path, absl::string_view what) {
  const int error = errno;
  return absl::ErrnoToStatus(error, absl::StrCat(path, ": ", what));
}

absl::StatusOr<std::optional<int64_t>> FileSize(const std::string& path) {
  struct stat info;
  if (stat(path.c_str(), &info) == 0) return info.st_size;
  if (errno == ENOENT) return std::nullopt;
  return SystemError(path, "cannot look at the file");
}

absl::Status RemoveFile(const std::string& path) {
  if (unlink(path.c_str()) == 0 || errno == ENOENT) return absl::OkStatus();
  return SystemError(path, "cannot remove the file");
}

absl::Status RemoveDatabase(const std::string& path) {
  absl::Status status;
  for (const char* suffix : kDatabaseSuffixes) {
    status.Update(RemoveFile(path + suffix));
  }
  return status;
}

absl::Status RenameToNew(const std::string& from, const std::string& to) {
  if (renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(),
                RENAME_NOREPLACE) == 0) {
    return absl::OkStatus();
  }
  if (errno == EINVAL) {
    // A file system that cannot; a hard link replaces nothing either.
    if (link(from.c_str(), to.c_str()) == 0) return RemoveFile(from);
  }
  return SystemError(from, absl::StrCat("cannot rename the file to ", to));
}

absl::Status SyncFile(const std::string& path) {
  UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.valid() && fsync(fd.get()) == 0) return absl::OkStatus();
  return SystemError(path, "cannot make the file durable");
}

absl::Status SyncDirectoryOf(const std::string& path) {
  const std::filesystem::path parent =
      std::filesystem::path(path).parent_path();
  const std::string directory = parent.empty() ? "." : parent.string();
  UniqueFd fd(open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.valid() && fsync(fd.get()) == 0) return absl::OkStatus();
  return SystemError(directory, "cannot make the new file durable");
}

}  // namespace vigil::store
