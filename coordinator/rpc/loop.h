// Loop: the thread that owns the coordinator's state. It polls gRPC's
// completion queue itself, so that a request is read, applied and answered
// without a hop to another thread; other threads reach it by Post. All methods
// but Post and Stop are for the loop thread.
#ifndef VIGIL_COORDINATOR_RPC_LOOP_H_
#define VIGIL_COORDINATOR_RPC_LOOP_H_

#include <grpcpp/alarm.h>
#include <grpcpp/completion_queue.h>
#include <grpcpp/server.h>

#include <coroutine>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "coordinator/rpc/signal.h"

namespace vigil::coordinator {

// What a tag of the completion queue points to.
class Completion {
 public:
  virtual ~Completion() = default;
  virtual void Complete(bool ok) = 0;
};

// Awaits one operation: start it with tag(), then co_await.
class Operation : public Completion {
 public:
  Operation() = default;
  Operation(const Operation&) = delete;
  Operation& operator=(const Operation&) = delete;

  void* tag() { return static_cast<Completion*>(this); }
  void Complete(bool ok) override {
    ok_ = ok;
    done_ = true;
    if (waiter_) std::exchange(waiter_, nullptr).resume();
  }

  bool await_ready() const { return done_; }
  void await_suspend(std::coroutine_handle<> waiter) { waiter_ = waiter; }
  // Whether the operation succeeded; ready for the next one.
  bool await_resume() {
    done_ = false;
    return ok_;
  }

 private:
  bool ok_ = false;
  bool done_ = false;
  std::coroutine_handle<> waiter_;
};

class Loop {
 public:
  // What happens around the events of a turn.
  struct Hooks {
    // Before the first event; `expected` is when the turn was due at the
    // latest.
    std::function<void(absl::Time expected)> begin_turn;
    std::function<void()> end_turn;
    // When the next turn is due, and the time now, on one timeline.
    std::function<absl::Time()> next_deadline;
    std::function<absl::Time()> now;
  };

  explicit Loop(std::unique_ptr<grpc::ServerCompletionQueue> queue);

  grpc::ServerCompletionQueue* queue() { return queue_.get(); }
  // Where signals put the coroutines that they wake.
  ReadyList* ready() { return &ready_; }

  // Runs `closure` on the loop thread, soon, in order. Thread-safe; dropped
  // once the loop has ended.
  void Post(std::function<void()> closure);

  // Runs what was posted so far, without waiting to be woken for it.
  void RunPosted();

  // Runs turns until `done` says so, which is asked before each.
  void Run(const Hooks& hooks, const std::function<bool()>& done);

  // After the server was shut down: ends the queue and drops what is left.
  void Drain();

 private:
  class Wake : public Completion {
   public:
    explicit Wake(Loop* loop) : loop_(loop) {}
    void Complete(bool ok) override;

   private:
    Loop* const loop_;
  };

  // Resumes up to `count_max` coroutines; returns how many.
  size_t RunReady(size_t count_max);

  std::unique_ptr<grpc::ServerCompletionQueue> queue_;
  Wake wake_{this};
  grpc::Alarm alarm_;
  ReadyList ready_;
  absl::Mutex mutex_;
  std::vector<std::function<void()>> posted_ ABSL_GUARDED_BY(mutex_);
  bool wake_pending_ ABSL_GUARDED_BY(mutex_) = false;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace vigil::coordinator

#endif  // VIGIL_COORDINATOR_RPC_LOOP_H_
