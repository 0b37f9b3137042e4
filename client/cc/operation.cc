#include "client/cc/operation.h"

#include <utility>
#include <vector>

namespace vigil::client {

bool OperationSet::Add(std::shared_ptr<Operation> operation) {
  absl::MutexLock lock(&mu_);
  if (closed_) return false;
  const Operation* key = operation.get();
  live_.emplace(key, std::move(operation));
  return true;
}

void OperationSet::Remove(const Operation* operation) {
  // Freed outside the lock: it may be the last that holds the operation.
  std::shared_ptr<Operation> removed;
  absl::MutexLock lock(&mu_);
  auto found = live_.find(operation);
  if (found == live_.end()) return;
  removed = std::move(found->second);
  live_.erase(found);
}

void OperationSet::Close() {
  std::vector<std::shared_ptr<Operation>> all;
  {
    absl::MutexLock lock(&mu_);
    closed_ = true;
    for (const auto& [key, operation] : live_) all.push_back(operation);
  }
  for (const auto& operation : all) operation->Abandon();
  absl::MutexLock lock(&mu_);
  mu_.Await(absl::Condition(
      +[](decltype(live_)* live) { return live->empty(); }, &live_));
}

}  // namespace vigil::client
