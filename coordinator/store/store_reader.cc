#include "coordinator/store/store_reader.h"

#include <utility>

#include "coordinator/store/limits.h"

namespace vigil::store {

StoreReader::StoreReader(std::unique_ptr<StoreView> view)
    : view_(std::move(view)), thread_([this] { Loop(); }) {}

StoreReader::~StoreReader() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  thread_.join();
}

bool StoreReader::Run(std::function<void(StoreView&)> read) {
  absl::MutexLock lock(&mutex_);
  if (queue_.size() >= kQueuedReadsMax) return false;
  queue_.push_back(std::move(read));
  return true;
}

void StoreReader::Loop() {
  const auto has_work = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return !queue_.empty() || stopping_;
  };
  for (;;) {
    std::function<void(StoreView&)> read;
    {
      absl::MutexLock lock(&mutex_);
      mutex_.Await(absl::Condition(&has_work));
      if (queue_.empty()) return;
      read = std::move(queue_.front());
      queue_.pop_front();
    }
    read(*view_);
  }
}

}  // namespace vigil::store
