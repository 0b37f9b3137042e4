// Timer: one deadline of a node on its host's clock, as a timerfd is to the
// real one: setting it replaces what was set. Thread-compatible; must outlive
// the queue's events or be cancelled with Disarm when its node goes away.
#ifndef VIGIL_TESTS_SIM_TIMER_H_
#define VIGIL_TESTS_SIM_TIMER_H_

#include <functional>
#include <memory>
#include <utility>

#include "absl/time/time.h"
#include "tests/sim/event_queue.h"
#include "tests/sim/host_clock.h"

namespace vigil::sim {

class Timer {
 public:
  Timer(EventQueue* queue, const HostClock* clock, std::function<void()> due)
      : queue_(queue), clock_(clock), state_(std::make_shared<State>()) {
    state_->due = std::move(due);
  }
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  ~Timer() { state_->due = nullptr; }

  // InfiniteFuture disarms.
  void Arm(absl::Time time) {
    state_->time = time;
    if (time < state_->posted) Post(queue_, clock_, state_, time);
  }
  void Disarm() { state_->time = absl::InfiniteFuture(); }
  absl::Time time() const { return state_->time; }

 private:
  struct State {
    std::function<void()> due;
    absl::Time time = absl::InfiniteFuture();
    // The earliest event that looks at `time`.
    absl::Time posted = absl::InfiniteFuture();
  };

  static void Post(EventQueue* queue, const HostClock* clock,
                   std::shared_ptr<State> state, absl::Time time) {
    state->posted = time;
    State* raw = state.get();
    queue->At(clock->When(time),
              [queue, clock, state = std::move(state), raw, time] {
                if (raw->due == nullptr || raw->posted != time) return;
                raw->posted = absl::InfiniteFuture();
                if (raw->time > clock->now()) {
                  if (raw->time != absl::InfiniteFuture())
                    Post(queue, clock, state, raw->time);
                  return;
                }
                raw->time = absl::InfiniteFuture();
                raw->due();
              });
  }

  EventQueue* const queue_;
  const HostClock* const clock_;
  std::shared_ptr<State> state_;
};

}  // namespace vigil::sim

#endif  // VIGIL_TESTS_SIM_TIMER_H_
