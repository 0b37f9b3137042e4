// Lane: one direction of a stream: messages arrive in the order in which they
// were sent, each after a delay, and none while the lane is held.
// Thread-compatible; owns what is under way.
#ifndef VIGIL_TESTS_SIM_LANE_H_
#define VIGIL_TESTS_SIM_LANE_H_

#include <algorithm>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <utility>

#include "absl/time/time.h"
#include "tests/sim/event_queue.h"

namespace vigil::sim {

template <typename Message>
class Lane {
 public:
  // `held_until` says until when nothing arrives; InfinitePast when it does.
  Lane(EventQueue* queue, std::function<absl::Time()> held_until,
       std::function<void(Message)> deliver)
      : state_(std::make_shared<State>(State{
            queue, std::move(held_until), std::move(deliver), {}, false})) {}

  void Send(Message message, absl::Duration delay) {
    absl::Time due = state_->queue->now() + delay;
    if (!state_->under_way.empty()) {
      due = std::max(due, state_->under_way.back().first);
    }
    state_->under_way.emplace_back(due, std::move(message));
    Post(state_);
  }

  size_t under_way() const { return state_->under_way.size(); }

  // Loses all but the first `count` messages that are under way, after it
  // called `lose` with each.
  void KeepFirst(size_t count,
                 const std::function<void(const Message&)>& lose) {
    while (state_->under_way.size() > count) {
      lose(state_->under_way.back().second);
      state_->under_way.pop_back();
    }
  }

 private:
  struct State {
    EventQueue* queue;
    std::function<absl::Time()> held_until;
    std::function<void(Message)> deliver;
    std::deque<std::pair<absl::Time, Message>> under_way;
    bool posted;
  };

  static void Post(const std::shared_ptr<State>& state) {
    if (state->posted || state->under_way.empty()) return;
    state->posted = true;
    const absl::Time due =
        std::max(state->under_way.front().first, state->held_until());
    state->queue->At(due, [state] {
      state->posted = false;
      const absl::Time now = state->queue->now();
      if (state->held_until() <= now && !state->under_way.empty() &&
          state->under_way.front().first <= now) {
        Message message = std::move(state->under_way.front().second);
        state->under_way.pop_front();
        state->deliver(std::move(message));
      }
      Post(state);
    });
  }

  std::shared_ptr<State> state_;
};

}  // namespace vigil::sim

#endif  // VIGIL_TESTS_SIM_LANE_H_
