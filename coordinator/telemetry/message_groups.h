// MessageGroups: how often failures with like messages occurred within a
// sliding window of buckets. Bounded: the least frequent group makes room for a
// new one. Pure; thread-compatible.
#ifndef VIGIL_COORDINATOR_TELEMETRY_MESSAGE_GROUPS_H_
#define VIGIL_COORDINATOR_TELEMETRY_MESSAGE_GROUPS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "base/ids.h"
#include "base/reason.h"
#include "coordinator/telemetry/limits.h"

namespace vigil::coordinator {

class MessageGroups {
 public:
  struct Group {
    Reason reason = Reason::kUnspecified;
    // Of the last one.
    std::string message;
    JobId job_id;
    absl::Time last_time;
    // Within the window, in all and by bucket.
    int64_t count = 0;
    std::array<int32_t, kWindowBuckets> by_bucket = {};
  };

  // Counts a failure in a bucket, from 0 to kWindowBuckets - 1.
  void Add(int bucket, const Failure& failure, const JobId& job,
           absl::Time now);
  // What the bucket counted is out of the window.
  void Clear(int bucket);

  // The most frequent ones, at most `max`, the last one first among equals.
  std::vector<const Group*> Top(size_t max) const;
  size_t size() const { return groups_.size(); }

 private:
  void DropRarest();

  // By reason and shape.
  absl::flat_hash_map<std::pair<int, std::string>, Group> groups_;
};

}  // namespace vigil::coordinator

#endif  // VIGIL_COORDINATOR_TELEMETRY_MESSAGE_GROUPS_H_
