#include "coordinator/http/held_bytes.h"

namespace vigil::coordinator {

void HeldBytes::Set(Holder* holder, int64_t bytes) {
  const auto found = places_.find(holder);
  if (found != places_.end()) {
    bytes_ -= found->second->bytes;
    entries_.erase(found->second);
    places_.erase(found);
  }
  if (bytes == 0) return;
  places_[holder] = entries_.insert(entries_.end(), {holder, bytes});
  bytes_ += bytes;
  while (bytes_ > bytes_max_) {
    const Entry oldest = entries_.front();
    entries_.pop_front();
    places_.erase(oldest.holder);
    bytes_ -= oldest.bytes;
    oldest.holder->Cut();
  }
}

}  // namespace vigil::coordinator
