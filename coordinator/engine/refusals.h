// Refusals: what clients were refused for want of room, by limit and namespace,
// so that an operator sees who is turned away and why. Counts since the start,
// in bounded memory. Loop thread only; owns its counts.
#ifndef VIGIL_COORDINATOR_ENGINE_REFUSALS_H_
#define VIGIL_COORDINATOR_ENGINE_REFUSALS_H_

#include <cstdint>
#include <string>
#include <utility>

#include "absl/container/btree_map.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace vigil::coordinator {

// What there was no room in; numbers as in v1::Refusal.
enum class Limit {
  kLiveJobs = 1,
  kLiveBatches = 2,
  kStoredItems = 3,
  kWatchers = 4,
  kBatchWatchers = 5,
  kHealthWatchers = 6,
  kStoreReads = 7,
  kWorkerCalls = 8,
  kDisk = 9,
  kStopping = 10,
};

class Refusals {
 public:
  struct Entry {
    int64_t calls = 0;
    absl::Time last_time;
  };
  // By limit and namespace; "" where a call has none.
  using Entries = absl::btree_map<std::pair<Limit, std::string>, Entry>;

  // A call was refused. Namespaces beyond kRefusedNamespacesMax of a limit are
  // counted together, as kOthers.
  void Count(Limit limit, absl::string_view name_space, absl::Time now);

  const Entries& entries() const { return entries_; }
  int64_t total() const { return total_; }

  // No namespace has such a name.
  static constexpr char kOthers[] = "(others)";

 private:
  Entries entries_;
  // Namespaces that are counted apart, by limit.
  absl::btree_map<Limit, int> namespaces_;
  int64_t total_ = 0;
};

}  // namespace vigil::coordinator

#endif  // VIGIL_COORDINATOR_ENGINE_REFUSALS_H_
