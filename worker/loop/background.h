// Background: a thread that does what may take long and is nobody's decision:
// removing and syncing directories. Does one thing after the other. Loop thread
// only, but for the work itself. Owns the thread; its destructor waits for the
// work that has begun and drops the rest.
#ifndef VIGIL_WORKER_LOOP_BACKGROUND_H_
#define VIGIL_WORKER_LOOP_BACKGROUND_H_

#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "base/unique_fd.h"

namespace vigil::worker {

class Background {
 public:
  Background();
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;
  ~Background();

  // Runs `work` on the thread, then `done` on the loop, in TakeDone.
  void Run(std::function<void()> work, std::function<void()> done);

  // Readable when TakeDone has something to run.
  int event_fd() const { return event_.get(); }
  void TakeDone();

 private:
  struct Item {
    std::function<void()> work;
    std::function<void()> done;
  };
  void WorkLoop();

  const UniqueFd event_;
  absl::Mutex mutex_;
  std::deque<Item> items_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::function<void()>> done_ ABSL_GUARDED_BY(mutex_);
  bool stop_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace vigil::worker

#endif  // VIGIL_WORKER_LOOP_BACKGROUND_H_
