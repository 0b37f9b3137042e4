#include "worker/core/chunk_clock.h"

#include <algorithm>

namespace vigil::worker {

void ChunkClock::Begin(absl::Time now) {
  if (begin_ == absl::InfiniteFuture()) begin_ = now;
}

void ChunkClock::Progress(int64_t done, int64_t total, absl::Time now) {
  const int64_t ended = done - done_;
  done_ = done;
  complete_ = total > 0 && done >= total;
  if (begin_ == absl::InfiniteFuture()) {
    begin_ = now;
    return;
  }
  if (ended <= 0) return;  // `0 of 10` begins, and ends nothing
  last_chunk_ = std::max(now - begin_, absl::ZeroDuration()) / ended;
  begin_ = now;
  if (complete_) return;  // nothing is left to stop
  if (last_chunk_ <= policy_.expected_chunk_time) {
    slow_ = 0;
    return;
  }
  const int64_t missing = policy_.max_consecutive_slow_chunks - slow_;
  if (missing <= 0) return;
  slow_ += std::min(ended, missing);
  if (ended >= missing) slow_time_ = now;
}

absl::Time ChunkClock::deadline() const {
  if (complete_) return absl::InfiniteFuture();
  return begin_ + policy_.chunk_timeout;
}

absl::Time ChunkClock::slow_time() const {
  return complete_ ? absl::InfiniteFuture() : slow_time_;
}

}  // namespace vigil::worker
