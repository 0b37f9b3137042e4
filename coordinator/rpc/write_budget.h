// WriteBudget: bounds the bytes of what is large and on its way to readers,
// over all streams. What does not fit waits, in order; for its sake those are
// cut off that have held theirs for long, since gRPC cannot be asked to give
// back what a reader does not take. Loop thread only; owns nothing: claims live
// in the frames of their streams.
#ifndef VIGIL_COORDINATOR_RPC_WRITE_BUDGET_H_
#define VIGIL_COORDINATOR_RPC_WRITE_BUDGET_H_

#include <coroutine>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <optional>
#include <utility>

#include "absl/time/time.h"
#include "coordinator/engine/limits.h"
#include "coordinator/rpc/signal.h"

namespace vigil::coordinator {

class WriteBudget {
 public:
  // Part of the budget: co_await it, then hold it until what it is for was
  // taken. One that alone is above the maximum is granted when nothing else is.
  class Claim {
   public:
    // `cut` ends the stream; what it has claimed is released soon after.
    Claim(WriteBudget* budget, int64_t bytes, std::function<void()> cut)
        : budget_(budget), bytes_(bytes), cut_(std::move(cut)) {}
    Claim(const Claim&) = delete;
    Claim& operator=(const Claim&) = delete;
    ~Claim();

    // Its reader took something: it is held as if from now on. Precondition: it
    // was granted.
    void Renew();

    bool await_ready();
    void await_suspend(std::coroutine_handle<> waiter);
    void await_resume() {}

   private:
    friend class WriteBudget;

    WriteBudget* const budget_;
    const int64_t bytes_;
    const std::function<void()> cut_;
    std::coroutine_handle<> waiter_;
    // Since when it is held, as a turn saw it first.
    absl::Time since_ = absl::InfiniteFuture();
    std::optional<std::list<Claim*>::iterator> held_;
    bool was_cut_ = false;
  };

  // Coroutines that may go on are put into `ready`.
  explicit WriteBudget(ReadyList* ready,
                       int64_t bytes_max = kLargeWritesBytesMax)
      : ready_(ready), bytes_max_(bytes_max) {}
  WriteBudget(const WriteBudget&) = delete;
  WriteBudget& operator=(const WriteBudget&) = delete;

  // Cuts off who has held a claim for kLargeWriteStuckMin while others wait,
  // the oldest first, as many as make room for the first that waits.
  void Tick(absl::Time now);
  absl::Time NextDeadline() const;

  int64_t held_bytes() const { return held_bytes_; }
  // Streams that were cut off.
  int64_t cut() const { return cut_; }

 private:
  bool HasRoom(int64_t bytes) const {
    return held_.empty() || held_bytes_ + bytes <= bytes_max_;
  }
  void Hold(Claim* claim);
  // Lets those go on that have room by now.
  void Grant();

  ReadyList* const ready_;
  const int64_t bytes_max_;
  // In order of the time since which they are held.
  std::list<Claim*> held_;
  int64_t held_bytes_ = 0;
  std::deque<Claim*> waiting_;
  int64_t cut_ = 0;
};

}  // namespace vigil::coordinator

#endif  // VIGIL_COORDINATOR_RPC_WRITE_BUDGET_H_
