#include "worker/loop/background.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>
#include <utility>

#include "base/check.h"

namespace vigil::worker {

Background::Background()
    : event_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      thread_([this] { WorkLoop(); }) {
  VIGIL_CHECK(event_.valid(), "eventfd");
}

Background::~Background() {
  {
    absl::MutexLock lock(&mutex_);
    stop_ = true;
  }
  thread_.join();
}

void Background::Run(std::function<void()> work, std::function<void()> done) {
  absl::MutexLock lock(&mutex_);
  items_.push_back({std::move(work), std::move(done)});
}

void Background::TakeDone() {
  uint64_t count = 0;
  // Fails only where there is nothing to read.
  [[maybe_unused]] const ssize_t size =
      read(event_.get(), &count, sizeof(count));
  std::vector<std::function<void()>> done;
  {
    absl::MutexLock lock(&mutex_);
    done.swap(done_);
  }
  for (const std::function<void()>& each : done) each();
}

void Background::WorkLoop() {
  for (;;) {
    Item item;
    {
      absl::MutexLock lock(&mutex_);
      mutex_.Await(absl::Condition(
          +[](Background* self) {
            self->mutex_.AssertHeld();
            return self->stop_ || !self->items_.empty();
          },
          this));
      if (stop_) return;
      item = std::move(items_.front());
      items_.pop_front();
    }
    item.work();
    {
      absl::MutexLock lock(&mutex_);
      done_.push_back(std::move(item.done));
    }
    const uint64_t one = 1;
    // Fails only where the count is full, and then it is readable.
    [[maybe_unused]] const ssize_t size =
        write(event_.get(), &one, sizeof(one));
  }
}

}  // namespace vigil::worker
