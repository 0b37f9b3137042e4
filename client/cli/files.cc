#include "client/cli/files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "client/cli/end_signals.h"

namespace vigil::cli {
namespace {

constexpr size_t kReadBytes = 64 << 10;

// Writes up to `bytes_max` bytes, and removes from `data` what was taken, which
// may be nothing.
absl::Status WriteSome(int fd, size_t bytes_max, absl::string_view* data) {
  const ssize_t written =
      write(fd, data->data(), std::min(bytes_max, data->size()));
  if (written >= 0) {
    data->remove_prefix(static_cast<size_t>(written));
    return absl::OkStatus();
  }
  if (errno == EINTR || errno == EAGAIN) return absl::OkStatus();
  if (errno == EPIPE) return absl::AbortedError("nobody reads it any more");
  return absl::ErrnoToStatus(errno, "cannot write");
}

}  // namespace

absl::Status WriteAll(int fd, absl::string_view data) {
  while (!data.empty()) {
    absl::Status status = WriteSome(fd, data.size(), &data);
    if (!status.ok()) return status;
    pollfd writable = {fd, POLLOUT, 0};
    if (!data.empty()) poll(&writable, 1, -1);
  }
  return absl::OkStatus();
}

absl::Status WriteUnlessSignalled(int fd, absl::string_view data) {
  struct stat about;
  // What is ready takes PIPE_BUF bytes at least without blocking; a file never
  // blocks for long.
  const bool is_file = fstat(fd, &about) == 0 && S_ISREG(about.st_mode);
  while (!data.empty()) {
    absl::Status status = AwaitWritable(fd);
    if (!status.ok()) return status;
    status = WriteSome(fd, is_file ? data.size() : PIPE_BUF, &data);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::StatusOr<UniqueFd> OpenToRead(const std::string& path) {
  UniqueFd file;
  if (path == "-") return file;
  file.Reset(open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (file.valid()) return file;
  return absl::ErrnoToStatus(errno, absl::StrCat("cannot open `", path, "`"));
}

absl::StatusOr<std::string> ReadAtMost(const std::string& path,
                                       size_t bytes_max) {
  const absl::StatusOr<UniqueFd> file = OpenToRead(path);
  if (!file.ok()) return file.status();
  const int fd = file->valid() ? file->get() : STDIN_FILENO;
  std::string data;
  for (;;) {
    if (absl::Status status = AwaitReadable(fd); !status.ok()) {
      return absl::Status(status.code(),
                          absl::StrCat("`", path, "` was not read to its end: ",
                                       status.message()));
    }
    const size_t before = data.size();
    data.resize(before + kReadBytes);
    const ssize_t got = read(fd, data.data() + before, kReadBytes);
    const int error = errno;
    data.resize(before + (got > 0 ? static_cast<size_t>(got) : 0));
    if (got == 0) return data;
    if (got < 0 && error != EINTR && error != EAGAIN) {
      return absl::ErrnoToStatus(error,
                                 absl::StrCat("cannot read `", path, "`"));
    }
    if (data.size() > bytes_max) {
      return absl::InvalidArgumentError(
          absl::StrCat("`", path, "` has more than ", bytes_max, " bytes"));
    }
  }
}

absl::Status WriteFile(const std::string& path, absl::string_view data) {
  UniqueFd file(
      open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!file.valid()) {
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot open `", path, "`"));
  }
  absl::Status status = WriteAll(file.get(), data);
  if (status.ok()) return status;
  return absl::Status(status.code(),
                      absl::StrCat("`", path, "`: ", status.message()));
}

std::string ReadTail(const std::string& path, size_t bytes_max) {
  UniqueFd file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) return "";
  const off_t size = lseek(file.get(), 0, SEEK_END);
  const off_t start = std::max<off_t>(0, size - static_cast<off_t>(bytes_max));
  std::string tail(static_cast<size_t>(size - start), '\0');
  const ssize_t got = pread(file.get(), tail.data(), tail.size(), start);
  tail.resize(got > 0 ? static_cast<size_t>(got) : 0);
  return tail;
}

}  // namespace vigil::cli
