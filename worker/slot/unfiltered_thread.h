// UnfilteredThread: a thread that was started before the slot's own put the
// nesting filter on, and so can start what needs another one. It does what it is
// told while the caller waits: there is never more than one of the two at work.
// Construct it with no filter on; thread-compatible. Children that it starts are
// children of the process, but their death signal follows the thread: it lives as
// long as this object.
#ifndef VIGIL_WORKER_SLOT_UNFILTERED_THREAD_H_
#define VIGIL_WORKER_SLOT_UNFILTERED_THREAD_H_

#include <signal.h>

#include <semaphore>
#include <thread>

#include "absl/functional/function_ref.h"

namespace vigil::slot {

class UnfilteredThread {
 public:
  // Blocks all signals in the thread: they are for the slot's own.
  UnfilteredThread() {
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    thread_ = std::thread([this] { Work(); });
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }
  UnfilteredThread(const UnfilteredThread&) = delete;
  UnfilteredThread& operator=(const UnfilteredThread&) = delete;
  ~UnfilteredThread() {
    task_ = nullptr;
    asked_.release();
    thread_.join();
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
  std::thread thread_;
};

}  // namespace vigil::slot

#endif  // VIGIL_WORKER_SLOT_UNFILTERED_THREAD_H_
