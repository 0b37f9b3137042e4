#include "client/cli/item_source.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

#include "client/cli/files.h"

namespace vigil::cli {
namespace {

constexpr size_t kReadBytes = 64 << 10;

// The items of a regular file, which is read from its start without moving
// anybody's place in it; nullopt when it cannot be read so.
std::optional<int64_t> Count(int fd, ItemSplitter::Separator separator) {
  ItemSplitter splitter(separator);
  std::deque<Item> items;
  std::string buffer(kReadBytes, '\0');
  off_t offset = lseek(fd, 0, SEEK_CUR);
  if (offset < 0) return std::nullopt;
  for (;;) {
    const ssize_t got = pread(fd, buffer.data(), buffer.size(), offset);
    if (got < 0) return std::nullopt;
    if (got == 0) break;
    offset += got;
    splitter.Feed(absl::string_view(buffer).substr(0, got), &items);
    items.clear();
  }
  splitter.Finish(&items);
  return splitter.count();
}

}  // namespace

absl::StatusOr<std::unique_ptr<ItemSource>> ItemSource::Open(
    const std::string& path, ItemSplitter::Separator separator) {
  absl::StatusOr<UniqueFd> file = OpenToRead(path);
  if (!file.ok()) return file.status();
  const int fd = file->valid() ? file->get() : STDIN_FILENO;
  std::unique_ptr<ItemSource> source(
      new ItemSource(*std::move(file), fd, separator));
  struct stat about;
  if (fstat(fd, &about) == 0 && S_ISREG(about.st_mode)) {
    source->total_ = Count(fd, separator);
  }
  return source;
}

absl::Status ItemSource::ReadSome(std::deque<Item>* items) {
  char buffer[kReadBytes];
  const ssize_t got = read(fd_, buffer, sizeof(buffer));
  if (got < 0) {
    if (errno == EINTR || errno == EAGAIN) return absl::OkStatus();
    return absl::ErrnoToStatus(errno, "cannot read the items");
  }
  if (got == 0) {
    splitter_.Finish(items);
    ended_ = true;
  } else {
    splitter_.Feed(absl::string_view(buffer, got), items);
  }
  return absl::OkStatus();
}

}  // namespace vigil::cli
