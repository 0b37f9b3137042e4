#include "client/cli/files.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "base/unique_fd.h"

namespace vigil::cli {
namespace {

constexpr size_t kReadBytes = 64 << 10;

}  // namespace

absl::Status WriteAll(int fd, absl::string_view data) {
  while (!data.empty()) {
    const ssize_t written = write(fd, data.data(), data.size());
    if (written >= 0) {
      data.remove_prefix(static_cast<size_t>(written));
    } else if (errno == EAGAIN) {
      pollfd writable = {fd, POLLOUT, 0};
      poll(&writable, 1, -1);
    } else if (errno == EPIPE) {
      return absl::AbortedError("nobody reads it any more");
    } else if (errno != EINTR) {
      return absl::ErrnoToStatus(errno, "cannot write");
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> ReadAtMost(const std::string& path,
                                       size_t bytes_max,
                                       absl::string_view flag) {
  UniqueFd file;
  int fd = STDIN_FILENO;
  if (path != "-") {
    file.Reset(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file.valid()) {
      return absl::ErrnoToStatus(
          errno, absl::StrCat(flag, ": cannot open `", path, "`"));
    }
    fd = file.get();
  }
  std::string data;
  for (;;) {
    const size_t before = data.size();
    data.resize(before + kReadBytes);
    const ssize_t got = read(fd, data.data() + before, kReadBytes);
    data.resize(before + (got > 0 ? static_cast<size_t>(got) : 0));
    if (got == 0) return data;
    if (got < 0 && errno != EINTR) {
      return absl::ErrnoToStatus(
          errno, absl::StrCat(flag, ": cannot read `", path, "`"));
    }
    if (data.size() > bytes_max) {
      return absl::InvalidArgumentError(
          absl::StrCat(flag, ": `", path, "` has more than ", bytes_max,
                       " bytes; give the program the name of a file instead"));
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
