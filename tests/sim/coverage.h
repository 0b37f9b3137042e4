// Coverage: how often each fault, state and reason really occurred, so that a
// test can say that what it claims to exercise was exercised.
// Thread-compatible; owns its counts.
#ifndef VIGIL_TESTS_SIM_COVERAGE_H_
#define VIGIL_TESTS_SIM_COVERAGE_H_

#include <cstdint>
#include <string>

#include "absl/container/btree_map.h"
#include "absl/strings/string_view.h"

namespace vigil::sim {

class Coverage {
 public:
  void Count(absl::string_view what) {
    const auto it = counts_.find(what);
    if (it != counts_.end()) {
      ++it->second;
    } else {
      counts_.emplace(std::string(what), 1);
    }
  }

  // Adds the counts of another simulation.
  void Add(const Coverage& other) {
    for (const auto& [what, count] : other.counts_) counts_[what] += count;
  }

  int64_t count(absl::string_view what) const {
    const auto it = counts_.find(what);
    return it == counts_.end() ? 0 : it->second;
  }
  const absl::btree_map<std::string, int64_t>& counts() const {
    return counts_;
  }

 private:
  absl::btree_map<std::string, int64_t> counts_;
};

}  // namespace vigil::sim

#endif  // VIGIL_TESTS_SIM_COVERAGE_H_
