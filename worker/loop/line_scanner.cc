#include "worker/loop/line_scanner.h"

#include <algorithm>

#include "worker/loop/limits.h"

namespace vigil::worker {

void LineScanner::Add(absl::string_view bytes, Visitor visit) {
  while (!bytes.empty()) {
    const size_t end = bytes.find_first_of("\r\n");
    const absl::string_view piece = bytes.substr(0, end);
    const bool complete = end != absl::string_view::npos;
    if (complete && start_.empty()) {
      if (!piece.empty()) visit(piece.substr(0, kLineBytesMax));
    } else {
      const size_t room =
          kLineBytesMax - std::min(kLineBytesMax, start_.size());
      start_.append(piece.data(), std::min(room, piece.size()));
      if (complete) {
        if (!start_.empty()) visit(start_);
        start_.clear();
      }
    }
    if (!complete) return;
    bytes.remove_prefix(end + 1);
  }
}

}  // namespace vigil::worker
