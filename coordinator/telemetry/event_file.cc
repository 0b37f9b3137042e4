#include "coordinator/telemetry/event_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

#include "absl/strings/str_cat.h"

namespace vigil::coordinator {

absl::Status EventFile::Error(absl::string_view what) const {
  return absl::ErrnoToStatus(
      errno,
      absl::StrCat("the event log ", options_.path, " cannot be ", what));
}

absl::Status EventFile::Open() {
  // Without waiting: of a pipe it would be for a reader.
  UniqueFd fd(open(options_.path.c_str(),
                   O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK,
                   0600));
  if (!fd.valid()) return Error("opened");
  struct stat info;
  if (fstat(fd.get(), &info) != 0) return Error("opened");
  if (!S_ISREG(info.st_mode)) {
    return absl::FailedPreconditionError(
        absl::StrCat("the event log ", options_.path, " is no regular file"));
  }
  fd_ = std::move(fd);
  size_bytes_ = info.st_size;
  return absl::OkStatus();
}

std::string EventFile::Old(int number) const {
  return absl::StrCat(options_.path, ".", number);
}

absl::Status EventFile::Rotate() {
  for (int number = options_.kept; number > 1; --number) {
    // The last one is replaced; where there is none yet, nothing moves.
    if (rename(Old(number - 1).c_str(), Old(number).c_str()) != 0 &&
        errno != ENOENT) {
      return Error("rotated");
    }
  }
  if (rename(options_.path.c_str(), Old(1).c_str()) != 0 && errno != ENOENT) {
    return Error("rotated");
  }
  // If no new one can be opened now, the next event tries just that again.
  fd_.Reset();
  return Open();
}

absl::Status EventFile::Append(absl::string_view line) {
  if (!fd_.valid()) {
    if (absl::Status status = Open(); !status.ok()) return status;
  }
  const auto line_bytes = static_cast<int64_t>(line.size());
  if (size_bytes_ > 0 && size_bytes_ + line_bytes > options_.bytes_max) {
    if (absl::Status status = Rotate(); !status.ok()) return status;
  }
  absl::string_view rest = line;
  while (!rest.empty()) {
    const ssize_t written = write(fd_.get(), rest.data(), rest.size());
    if (written >= 0) {
      rest.remove_prefix(static_cast<size_t>(written));
    } else if (errno != EINTR) {
      absl::Status status = Error("written");
      // Half a line would spoil the next one too.
      if (ftruncate(fd_.get(), size_bytes_) != 0) fd_.Reset();
      return status;
    }
  }
  size_bytes_ += line_bytes;
  return absl::OkStatus();
}

}  // namespace vigil::coordinator
