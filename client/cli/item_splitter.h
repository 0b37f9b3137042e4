// ItemSplitter: cuts a stream of bytes into the items of a batch: one a line,
// empty lines left out, or one before each NUL. Thread-compatible. Owns at most
// one unfinished item.
#ifndef VIGIL_CLIENT_CLI_ITEM_SPLITTER_H_
#define VIGIL_CLIENT_CLI_ITEM_SPLITTER_H_

#include <cstdint>
#include <deque>
#include <string>

#include "absl/strings/string_view.h"

namespace vigil::cli {

struct Item {
  // 1, 2, 3... in order of reading.
  int64_t index = 0;
  // Its bytes; the first kItemBytesMax of them where there are more.
  std::string text;
  // Why it cannot be sent; empty: it can.
  std::string error = {};
};

class ItemSplitter {
 public:
  enum class Separator { kNewline, kNul };

  explicit ItemSplitter(Separator separator) : separator_(separator) {}

  // Appends the items that `bytes` complete to `items`.
  void Feed(absl::string_view bytes, std::deque<Item>* items);

  // Appends what the input ends with, if it does not end with a separator.
  void Finish(std::deque<Item>* items);

  // Items so far.
  int64_t count() const { return count_; }

 private:
  void Complete(std::deque<Item>* items);

  const Separator separator_;
  std::string unfinished_;
  bool too_long_ = false;
  int64_t count_ = 0;
};

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_ITEM_SPLITTER_H_
