#include "coordinator/telemetry/message_groups.h"

#include <algorithm>

#include "base/utf8.h"
#include "coordinator/telemetry/message_shape.h"

namespace vigil::coordinator {
namespace {

// Whether `a` is worth more than `b`.
bool Before(const MessageGroups::Group& a, const MessageGroups::Group& b) {
  if (a.count != b.count) return a.count > b.count;
  if (a.last_time != b.last_time) return a.last_time > b.last_time;
  return a.message < b.message;
}

}  // namespace

void MessageGroups::Add(int bucket, const Failure& failure, const JobId& job,
                        absl::Time now) {
  std::pair<int, std::string> key{static_cast<int>(failure.reason),
                                  ShapeOf(failure.message)};
  if (groups_.size() >= kMessageGroupsMax && !groups_.contains(key)) {
    DropRarest();
  }
  Group& group = groups_[std::move(key)];
  group.reason = failure.reason;
  group.message = ToUtf8(failure.message, kMessageBytesMax);
  group.job_id = job;
  group.last_time = now;
  ++group.count;
  ++group.by_bucket[bucket];
}

void MessageGroups::Clear(int bucket) {
  absl::erase_if(groups_, [bucket](auto& entry) {
    Group& group = entry.second;
    group.count -= std::exchange(group.by_bucket[bucket], 0);
    return group.count == 0;
  });
}

std::vector<const MessageGroups::Group*> MessageGroups::Top(size_t max) const {
  std::vector<const Group*> top;
  top.reserve(groups_.size());
  for (const auto& [key, group] : groups_) top.push_back(&group);
  const size_t shown = std::min(max, top.size());
  std::partial_sort(
      top.begin(), top.begin() + static_cast<ptrdiff_t>(shown), top.end(),
      [](const Group* a, const Group* b) { return Before(*a, *b); });
  top.resize(shown);
  return top;
}

void MessageGroups::DropRarest() {
  groups_.erase(std::max_element(
      groups_.begin(), groups_.end(),
      [](const auto& a, const auto& b) { return Before(a.second, b.second); }));
}

}  // namespace vigil::coordinator
