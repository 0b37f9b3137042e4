// UnfilteredThread: a thread that was started before the slot's own put the
// nesting filter on, and so can start what needs another one. It does what it
// is told while the caller waits: there is never more than one of the two at
// work. Start it with no filter on; thread-compatible. Children that it starts
// are children of the process, but their death signal follows the thread: it
// lives as long as this object.
#ifndef VIGIL_WORKER_SLOT_UNFILTERED_THREAD_H_
#define VIGIL_WORKER_SLOT_UNFILTERED_THREAD_H_

#include <pthread.h>
#include <signal.h>

#include <semaphore>

#include "absl/functional/function_ref.h"

namespace vigil::slot {

class UnfilteredThread {
 public:
  UnfilteredThread() = default;
  UnfilteredThread(const UnfilteredThread&) = delete;
  UnfilteredThread& operator=(const UnfilteredThread&) = delete;
  ~UnfilteredThread() {
    if (!started_) return;
    task_ = nullptr;
    asked_.release();
    pthread_join(thread_, nullptr);
  }

  // Starts the thread; call it once, before all else. Blocks all signals in it:
  // they are for the slot's own. Returns an errno, 0 for none.
  int Start() {
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const int error = pthread_create(
        &thread_, nullptr,
        [](void* self) -> void* {
          static_cast<UnfilteredThread*>(self)->Work();
          return nullptr;
        },
        this);
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    started_ = error == 0;
    return error;
  }

  // Calls `task` there and returns when it has returned.
  void Run(absl::FunctionRef<void()> task) {
    task_ = &task;
    asked_.release();
    done_.acquire();
  }

 private:
  void Work() {
    for (;;) {
      asked_.acquire();
      if (task_ == nullptr) return;
      (*task_)();
      done_.release();
    }
  }

  // Null: end.
  absl::FunctionRef<void()>* task_ = nullptr;
  std::binary_semaphore asked_{0};
  std::binary_semaphore done_{0};
  pthread_t thread_;
  bool started_ = false;
};

}  // namespace vigil::slot

#endif  // VIGIL_WORKER_SLOT_UNFILTERED_THREAD_H_
