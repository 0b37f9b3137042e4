#include "coordinator/engine/watch_hub.h"

#include <utility>

namespace vigil::coordinator {

void WatchHub::TellOutput(const JobId& id, v1::Output output) {
  const std::vector<Watcher*> watchers = Of(id);
  if (watchers.empty()) return;
  const int64_t cost =
      static_cast<int64_t>(output.data().size()) + kWatchedPieceBytes +
      kWatchedReferenceBytes * static_cast<int64_t>(watchers.size());
  held_bytes_ += cost;
  ++held_pieces_;
  std::shared_ptr<const v1::Output> piece(new v1::Output(std::move(output)),
                                          [this, cost](const v1::Output* gone) {
                                            held_bytes_ -= cost;
                                            --held_pieces_;
                                            delete gone;
                                          });
  for (Watcher* watcher : watchers) watcher->OnOutput(piece);
  if (piece.use_count() == 1) return;
  told_.push_back({id, piece});
  piece.reset();
  Trim();
}

void WatchHub::Trim() {
  while (!told_.empty()) {
    const std::shared_ptr<const v1::Output> oldest =
        told_.front().output.lock();
    if (oldest != nullptr && held_bytes_ <= bytes_max_) break;
    const JobId id = std::move(told_.front().id);
    told_.pop_front();
    if (oldest == nullptr) continue;
    for (Watcher* watcher : Of(id)) watcher->ForgetOutput(*oldest);
  }
  // One that is held for long must not keep the names of all that came since.
  if (static_cast<int64_t>(told_.size()) > 2 * held_pieces_ + 64) {
    std::erase_if(told_,
                  [](const Told& told) { return told.output.expired(); });
  }
}

}  // namespace vigil::coordinator
