#include "base/dir_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <fstream>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"

namespace vigil {
namespace {

absl::Status SystemError(const std::string& path, const char* what) {
  const int error = errno;
  return absl::ErrnoToStatus(error, absl::StrCat(path, ": ", what));
}

// Makes the directory and its parents; leaves those that exist as they are.
absl::Status MakeDirectories(const std::string& directory) {
  size_t end = 0;
  do {
    end = directory.find('/', end + 1);
    const std::string part = directory.substr(0, end);
    if (mkdir(part.c_str(), 0700) == 0) continue;
    const int error = errno;
    // A parent that cannot be written may still exist, which is enough.
    struct stat info;
    if (stat(part.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) continue;
    errno = error;
    return SystemError(part, "cannot make the directory");
  } while (end != std::string::npos);
  return absl::OkStatus();
}

absl::Status CheckPrivate(const std::string& directory, int fd) {
  struct stat info;
  if (fstat(fd, &info) != 0) {
    return SystemError(directory, "cannot look at the directory");
  }
  if (info.st_uid != geteuid()) {
    return absl::PermissionDeniedError(
        absl::StrCat(directory, ": the directory belongs to user ", info.st_uid,
                     ", this process runs as user ", geteuid(),
                     "; use a directory of this user, or start as that one"));
  }
  if ((info.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return absl::PermissionDeniedError(absl::StrFormat(
        "%s: other users can write to the directory (mode %04o); run `chmod "
        "go-w %s`",
        directory, info.st_mode & 07777, directory));
  }
  return absl::OkStatus();
}

// The process that the kernel names as the holder of the lock; empty: none that
// can be seen from here.
std::string FindHolder(int fd) {
  struct stat info;
  if (fstat(fd, &info) != 0) return "";
  // As in `1: FLOCK  ADVISORY  WRITE 567 fe:00:12345 0 EOF`.
  const std::string file =
      absl::StrFormat("%02x:%02x:%d", major(info.st_dev), minor(info.st_dev),
                      static_cast<int64_t>(info.st_ino));
  std::ifstream locks("/proc/locks");
  for (std::string line; std::getline(locks, line);) {
    const std::vector<std::string> words =
        absl::StrSplit(line, ' ', absl::SkipEmpty());
    if (words.size() > 5 && words[1] == "FLOCK" && words[5] == file &&
        words[4] != "0") {
      return words[4];
    }
  }
  return "";
}

// The holder of the lock, for the message: one that has just taken it may not
// have written its pid yet, but the kernel may not show it either.
std::string ReadHolder(int fd) {
  std::string holder = FindHolder(fd);
  if (!holder.empty()) return holder;
  char text[32];
  const ssize_t size = pread(fd, text, sizeof(text), 0);
  if (size <= 0) return "unknown";
  return std::string(absl::StripAsciiWhitespace(
      absl::string_view(text, static_cast<size_t>(size))));
}

absl::Status WriteHolder(const std::string& path, int fd) {
  const std::string text = absl::StrCat(getpid(), "\n");
  if (ftruncate(fd, 0) != 0 || pwrite(fd, text.data(), text.size(), 0) !=
                                   static_cast<ssize_t>(text.size())) {
    return SystemError(path, "cannot write to the lock file");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<DirLock> DirLock::Acquire(const std::string& directory) {
  if (directory.empty()) {
    return absl::InvalidArgumentError("no directory given to lock");
  }
  if (absl::Status s = MakeDirectories(directory); !s.ok()) return s;
  UniqueFd dir(open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!dir.valid()) return SystemError(directory, "cannot open the directory");
  if (absl::Status s = CheckPrivate(directory, dir.get()); !s.ok()) return s;
  const std::string path = absl::StrCat(directory, "/lock");
  UniqueFd file(openat(dir.get(), "lock",
                       O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file.valid()) return SystemError(path, "cannot open the lock file");
  if (flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return SystemError(path, "cannot lock");
    return absl::FailedPreconditionError(absl::StrCat(
        directory, ": process ", ReadHolder(file.get()),
        " uses this directory; use that process, or end it first, or give "
        "another directory"));
  }
  if (absl::Status s = WriteHolder(path, file.get()); !s.ok()) return s;
  return DirLock(directory, std::move(file));
}

}  // namespace vigil
