// ItemSource: reads the items of a batch from a file or stdin, a piece at a
// time. Main thread only. Owns its file; stdin is borrowed.
#ifndef VIGIL_CLIENT_CLI_ITEM_SOURCE_H_
#define VIGIL_CLIENT_CLI_ITEM_SOURCE_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/unique_fd.h"
#include "client/cli/item_splitter.h"

namespace vigil::cli {

class ItemSource {
 public:
  // Opens `path`; "-" is stdin. A regular file is read once to count its items,
  // so that progress knows how many there are.
  //
  // - What the system says when it cannot be read.
  static absl::StatusOr<std::unique_ptr<ItemSource>> Open(
      const std::string& path, ItemSplitter::Separator separator);

  // Readable when ReadSome would not block.
  int fd() const { return fd_; }

  // Reads once and appends the items it completes. Blocks while there is
  // nothing to read.
  absl::Status ReadSome(std::deque<Item>* items);

  // Everything was read.
  bool ended() const { return ended_; }

  // How many items there are in all, as soon as that is known.
  std::optional<int64_t> total() const {
    return ended_ ? splitter_.count() : total_;
  }

 private:
  ItemSource(UniqueFd file, int fd, ItemSplitter::Separator separator)
      : file_(std::move(file)), fd_(fd), splitter_(separator) {}

  const UniqueFd file_;
  const int fd_;
  ItemSplitter splitter_;
  bool ended_ = false;
  std::optional<int64_t> total_;
};

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_ITEM_SOURCE_H_
