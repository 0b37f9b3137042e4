// ChunkClock: whether the chunks of an attempt's work are too slow. Two rules,
// apart from each other: one chunk that runs past chunk_timeout, and so many in
// a row that took longer than expected. Pure and thread-compatible; the caller
// says what happened and when.
#ifndef VIGIL_WORKER_CORE_CHUNK_CLOCK_H_
#define VIGIL_WORKER_CORE_CHUNK_CLOCK_H_

#include <cstdint>

#include "absl/time/time.h"
#include "base/policy.h"

namespace vigil::worker {

class ChunkClock {
 public:
  explicit ChunkClock(const ChunkPolicy& policy) : policy_(policy) {}

  // The first chunk begins now, unless it has.
  void Begin(absl::Time now);
  // Progress that grew: `done` chunks have ended, of `total` (0: not known).
  // Before Begin it begins the next chunk and judges none, since nobody knows
  // when the others began.
  void Progress(int64_t done, int64_t total, absl::Time now);
  // `stall` does not count as time of the chunk that runs.
  void GrantStall(absl::Duration stall) { begin_ += stall; }
  // The chunks in a row that were slow were recorded: the rule speaks again
  // after a fast one.
  void SlowRecorded() { slow_time_ = absl::InfiniteFuture(); }

  // When the chunk that runs is over its timeout; InfiniteFuture if none runs.
  absl::Time deadline() const;
  // When the last of too many slow chunks in a row ended; InfiniteFuture if
  // there were not that many, or nothing is left to stop.
  absl::Time slow_time() const;
  // Every chunk has ended, as far as the total says: none runs.
  bool complete() const { return complete_; }

  // When the chunk that runs began.
  absl::Time begin() const { return begin_; }
  // How long the chunk that ended last ran.
  absl::Duration last_chunk() const { return last_chunk_; }

 private:
  const ChunkPolicy policy_;
  absl::Time begin_ = absl::InfiniteFuture();
  int64_t done_ = 0;
  bool complete_ = false;
  // Slow chunks in a row, at most as many as end the rest.
  int64_t slow_ = 0;
  absl::Time slow_time_ = absl::InfiniteFuture();
  absl::Duration last_chunk_;
};

}  // namespace vigil::worker

#endif  // VIGIL_WORKER_CORE_CHUNK_CLOCK_H_
