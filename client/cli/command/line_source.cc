#include "client/cli/command/line_source.h"

#include <errno.h>
#include <unistd.h>

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "client/cli/files.h"
#include "client/cli/limits.h"

namespace vigil::cli {
namespace {

constexpr size_t kReadBytes = 64 << 10;

}  // namespace

absl::StatusOr<LineSource> LineSource::Open(const std::string& path) {
  absl::StatusOr<UniqueFd> file = OpenToRead(path);
  if (!file.ok()) return file.status();
  LineSource source;
  source.file_ = *std::move(file);
  return source;
}

std::optional<std::string> LineSource::Next() {
  for (;;) {
    size_t end = buffer_.find('\n');
    if (end == buffer_.npos) {
      if (!end_ || buffer_.empty()) return std::nullopt;
      end = buffer_.size();
    }
    std::string line(
        absl::StripAsciiWhitespace(absl::string_view(buffer_).substr(0, end)));
    buffer_.erase(0, end + 1);
    ++number_;
    if (!line.empty()) return line;
  }
}

int LineSource::fd() const {
  if (end_) return -1;
  return file_.valid() ? file_.get() : STDIN_FILENO;
}

absl::Status LineSource::Fill() {
  const size_t before = buffer_.size();
  buffer_.resize(before + kReadBytes);
  const ssize_t got = read(fd(), buffer_.data() + before, kReadBytes);
  const int error = errno;
  buffer_.resize(before + (got > 0 ? static_cast<size_t>(got) : 0));
  if (got == 0) end_ = true;
  if (got < 0 && error != EINTR && error != EAGAIN) {
    return absl::ErrnoToStatus(error, "cannot read");
  }
  if (buffer_.size() > kRequestTextBytesMax + kReadBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("line ", number_ + 1, " is longer than ",
                     kRequestTextBytesMax, " bytes"));
  }
  return absl::OkStatus();
}

}  // namespace vigil::cli
