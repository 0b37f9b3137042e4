#include "coordinator/engine/refusals.h"

#include "coordinator/engine/limits.h"

namespace vigil::coordinator {

void Refusals::Count(Limit limit, absl::string_view name_space,
                     absl::Time now) {
  ++total_;
  std::pair<Limit, std::string> key(limit, name_space);
  auto it = entries_.find(key);
  if (it == entries_.end()) {
    int& known = namespaces_[limit];
    if (known < kRefusedNamespacesMax) {
      ++known;
    } else {
      key.second = kOthers;
    }
    it = entries_.try_emplace(std::move(key)).first;
  }
  ++it->second.calls;
  it->second.last_time = now;
}

}  // namespace vigil::coordinator
