// Signal: lets one coroutine wait until there is something to do. Notify has
// the loop resume it, or is remembered until it waits; it never runs the waiter
// itself, so it may be called from anywhere. Loop thread only.
#ifndef VIGIL_COORDINATOR_RPC_SIGNAL_H_
#define VIGIL_COORDINATOR_RPC_SIGNAL_H_

#include <coroutine>
#include <utility>
#include <vector>

namespace vigil::coordinator {

// Coroutines that can go on; run by the loop in each turn.
using ReadyList = std::vector<std::coroutine_handle<>>;

class Signal {
 public:
  explicit Signal(ReadyList* ready) : ready_(ready) {}
  Signal(const Signal&) = delete;
  Signal& operator=(const Signal&) = delete;

  void Notify() {
    notified_ = true;
    if (waiter_) ready_->push_back(std::exchange(waiter_, nullptr));
  }

  bool await_ready() { return notified_; }
  void await_suspend(std::coroutine_handle<> waiter) { waiter_ = waiter; }
  void await_resume() { notified_ = false; }

 private:
  ReadyList* const ready_;
  bool notified_ = false;
  std::coroutine_handle<> waiter_;
};

}  // namespace vigil::coordinator

#endif  // VIGIL_COORDINATOR_RPC_SIGNAL_H_
