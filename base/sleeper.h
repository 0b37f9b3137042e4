// Sleeper: the sleep of a thread that another may end early. It counts on a
// clock that nobody sets: timed waits of absl::Mutex count on the wall clock,
// and last as much longer as that is set back meanwhile. Thread-safe.
#ifndef VIGIL_BASE_SLEEPER_H_
#define VIGIL_BASE_SLEEPER_H_

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>

#include "absl/time/time.h"

namespace vigil {

class Sleeper {
 public:
  Sleeper() = default;
  Sleeper(const Sleeper&) = delete;
  Sleeper& operator=(const Sleeper&) = delete;

  // Sleeps for `time`, at most until Wake was called, now or ever before; true
  // for that.
  bool Sleep(absl::Duration time) {
    // An instant that is never reached has no form on that clock.
    const auto bounded =
        absl::ToChronoNanoseconds(std::min(time, absl::Hours(24 * 365)));
    std::unique_lock<std::mutex> lock(mutex_);
    return wake_.wait_until(lock, std::chrono::steady_clock::now() + bounded,
                            [this] { return woken_; });
  }

  // Ends this sleep and all later ones.
  void Wake() {
    const std::lock_guard<std::mutex> lock(mutex_);
    woken_ = true;
    wake_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable wake_;
  bool woken_ = false;
};

}  // namespace vigil

#endif  // VIGIL_BASE_SLEEPER_H_
