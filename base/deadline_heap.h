// DeadlineHeap: which item is due next. An indexed binary heap: the items carry
// their own place in it, so a deadline is moved or dropped in O(log n) without
// a lookup; equal deadlines come out in the order in which they were set, so a
// replay is exact. Does not own its items; thread-compatible.
#ifndef VIGIL_BASE_DEADLINE_HEAP_H_
#define VIGIL_BASE_DEADLINE_HEAP_H_

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "base/check.h"

namespace vigil {

// Base of whatever has a deadline. An item is in at most one heap, and leaves
// it before it is destroyed.
class DeadlineItem {
 public:
  // InfiniteFuture while it is in no heap.
  absl::Time deadline() const { return deadline_; }

 private:
  template <typename Item>
  friend class DeadlineHeap;
  static constexpr size_t kNowhere = static_cast<size_t>(-1);

  absl::Time deadline_ = absl::InfiniteFuture();
  uint64_t order_ = 0;
  size_t index_ = kNowhere;
};

template <typename Item>
class DeadlineHeap {
 public:
  // Sets or moves the deadline of `item`; InfiniteFuture removes it.
  void Set(Item* item, absl::Time deadline) {
    if (deadline == absl::InfiniteFuture()) {
      Remove(item);
      return;
    }
    DeadlineItem* node = item;
    if (node->index_ != DeadlineItem::kNowhere && node->deadline_ == deadline) {
      return;
    }
    node->deadline_ = deadline;
    node->order_ = ++last_order_;
    if (node->index_ == DeadlineItem::kNowhere) {
      node->index_ = items_.size();
      items_.push_back(item);
    }
    Settle(node->index_);
  }

  void Remove(Item* item) {
    DeadlineItem* node = item;
    if (node->index_ == DeadlineItem::kNowhere) return;
    const size_t hole = node->index_;
    node->index_ = DeadlineItem::kNowhere;
    node->deadline_ = absl::InfiniteFuture();
    Item* last = items_.back();
    items_.pop_back();
    if (hole == items_.size()) return;
    Place(hole, last);
    Settle(hole);
  }

  // The next deadline; InfiniteFuture when empty.
  absl::Time NextDeadline() const {
    return items_.empty() ? absl::InfiniteFuture() : items_[0]->deadline();
  }

  // Takes out one item that is due at `now`; null when none is.
  Item* PopDue(absl::Time now) {
    if (items_.empty() || items_[0]->deadline() > now) return nullptr;
    Item* item = items_[0];
    Remove(item);
    return item;
  }

  size_t size() const { return items_.size(); }

 private:
  static bool Before(const DeadlineItem& a, const DeadlineItem& b) {
    return std::pair(a.deadline_, a.order_) < std::pair(b.deadline_, b.order_);
  }
  void Place(size_t index, Item* item) {
    items_[index] = item;
    static_cast<DeadlineItem*>(item)->index_ = index;
  }
  void Settle(size_t index) {
    Item* item = items_[index];
    while (index > 0 && Before(*item, *items_[(index - 1) / 2])) {
      Place(index, items_[(index - 1) / 2]);
      index = (index - 1) / 2;
    }
    for (;;) {
      size_t child = 2 * index + 1;
      if (child >= items_.size()) break;
      if (child + 1 < items_.size() &&
          Before(*items_[child + 1], *items_[child])) {
        ++child;
      }
      if (!Before(*items_[child], *item)) break;
      Place(index, items_[child]);
      index = child;
    }
    Place(index, item);
  }

  std::vector<Item*> items_;
  uint64_t last_order_ = 0;
};

}  // namespace vigil

#endif  // VIGIL_BASE_DEADLINE_HEAP_H_
