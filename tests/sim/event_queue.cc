#include "tests/sim/event_queue.h"

#include <algorithm>
#include <utility>

namespace vigil::sim {

bool EventQueue::Later(const Entry& a, const Entry& b) {
  return a.time != b.time ? a.time > b.time : a.order > b.order;
}

void EventQueue::At(absl::Time time, Event event) {
  entries_.push_back(
      Entry{std::max(time, now_), ++last_order_, std::move(event)});
  std::push_heap(entries_.begin(), entries_.end(), Later);
}

bool EventQueue::Step() {
  if (entries_.empty()) return false;
  std::pop_heap(entries_.begin(), entries_.end(), Later);
  Entry entry = std::move(entries_.back());
  entries_.pop_back();
  now_ = entry.time;
  ++happened_;
  entry.event();
  return true;
}

}  // namespace vigil::sim
