#include "client/cli/item_splitter.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/utf8.h"
#include "client/cli/limits.h"

namespace vigil::cli {

void ItemSplitter::Feed(absl::string_view bytes, std::deque<Item>* items) {
  const char separator = separator_ == Separator::kNul ? '\0' : '\n';
  while (!bytes.empty()) {
    const size_t end = bytes.find(separator);
    const absl::string_view part = bytes.substr(0, end);
    const size_t room = kItemBytesMax - unfinished_.size();
    unfinished_.append(part.data(), std::min(part.size(), room));
    too_long_ = too_long_ || part.size() > room;
    if (end == absl::string_view::npos) return;
    Complete(items);
    bytes.remove_prefix(end + 1);
  }
}

void ItemSplitter::Finish(std::deque<Item>* items) {
  if (!unfinished_.empty()) Complete(items);
}

void ItemSplitter::Complete(std::deque<Item>* items) {
  if (unfinished_.empty() && separator_ == Separator::kNewline) return;
  Item item;
  item.index = ++count_;
  item.text = std::exchange(unfinished_, std::string());
  if (std::exchange(too_long_, false)) {
    item.error =
        absl::StrCat("item ", item.index, " has more than ", kItemBytesMax,
                     " bytes; give the program the name of a file instead");
  } else if (!IsUtf8(item.text)) {
    item.error = absl::StrCat("item ", item.index,
                              " is not UTF-8 text and cannot be sent");
  } else if (item.text.find('\0') != std::string::npos) {
    item.error =
        absl::StrCat("item ", item.index, " holds a NUL byte; was -0 meant?");
  }
  items->push_back(std::move(item));
}

}  // namespace vigil::cli
