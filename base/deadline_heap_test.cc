// Proves that DeadlineHeap yields items by deadline, equal ones in the order in
// which they were set, under random sets, moves and removals, against a sorted
// list.
#include "base/deadline_heap.h"

#include <algorithm>
#include <random>
#include <vector>

#include "gtest/gtest.h"

namespace vigil {
namespace {

struct Item : DeadlineItem {};

TEST(DeadlineHeapTest, YieldsNothingBeforeTheDeadlineAndTheItemAtIt) {
  DeadlineHeap<Item> heap;
  Item item;
  const absl::Time due = absl::FromUnixSeconds(100);
  heap.Set(&item, due);
  EXPECT_EQ(heap.PopDue(due - absl::Nanoseconds(1)), nullptr);
  EXPECT_EQ(heap.PopDue(due), &item);
  EXPECT_EQ(heap.PopDue(due), nullptr);
}

TEST(DeadlineHeapTest, InfiniteFutureRemoves) {
  DeadlineHeap<Item> heap;
  Item item;
  heap.Set(&item, absl::FromUnixSeconds(1));
  heap.Set(&item, absl::InfiniteFuture());
  EXPECT_EQ(heap.NextDeadline(), absl::InfiniteFuture());
  EXPECT_EQ(heap.size(), 0u);
}

TEST(DeadlineHeapTest, AgreesWithASortedListUnderRandomChanges) {
  std::mt19937 random(7);
  std::vector<Item> items(50);
  std::vector<std::pair<absl::Time, int>> set;  // (deadline, index), stable
  DeadlineHeap<Item> heap;
  const auto drop = [&](int i) {
    std::erase_if(set, [i](const auto& entry) { return entry.second == i; });
  };
  for (int step = 0; step < 20000; ++step) {
    const int i = static_cast<int>(random() % items.size());
    if (random() % 4 == 0) {
      heap.Remove(&items[i]);
      drop(i);
    } else if (random() % 3 == 0) {
      const absl::Time now = absl::FromUnixSeconds(random() % 20);
      std::stable_sort(
          set.begin(), set.end(),
          [](const auto& a, const auto& b) { return a.first < b.first; });
      Item* expected = nullptr;
      if (!set.empty() && set[0].first <= now) expected = &items[set[0].second];
      ASSERT_EQ(heap.PopDue(now), expected);
      if (expected != nullptr) set.erase(set.begin());
    } else {
      const absl::Time due = absl::FromUnixSeconds(random() % 20);
      if (items[i].deadline() == due) continue;
      heap.Set(&items[i], due);
      drop(i);
      set.emplace_back(due, i);
    }
  }
}

}  // namespace
}  // namespace vigil
