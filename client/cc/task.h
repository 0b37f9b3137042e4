// Task: the least coroutine that awaits calls and streams of the client; any
// other C++20 coroutine may await them as well. It runs at once on the thread
// that calls it, until it first waits; its result is awaited, or waited for,
// once. Owned by itself until it is over, so a Task may be dropped, and goes
// on.
#ifndef VIGIL_CLIENT_CC_TASK_H_
#define VIGIL_CLIENT_CC_TASK_H_

#include <coroutine>
#include <exception>
#include <memory>
#include <optional>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/synchronization/mutex.h"
#include "client/cc/awaitable.h"

namespace vigil::client {

// What a coroutine and its Task share. Thread-safe.
template <typename Result>
class TaskState {
 public:
  // Calls back with the result once it was told. To be called once.
  void Get(absl::AnyInvocable<void(Result)> done) {
    {
      absl::MutexLock lock(&mu_);
      if (!told_) {
        done_ = std::move(done);
        return;
      }
    }
    done(*std::move(result_));
  }

  // What Tell() is to tell.
  void Keep(Result result) { result_.emplace(std::move(result)); }

  void Tell() {
    absl::AnyInvocable<void(Result)> done;
    {
      absl::MutexLock lock(&mu_);
      told_ = true;
      done = std::exchange(done_, nullptr);
    }
    if (done) done(*std::move(result_));
  }

 private:
  // Of the coroutine until it was told, then of who got it.
  std::optional<Result> result_;

  absl::Mutex mu_;
  bool told_ ABSL_GUARDED_BY(mu_) = false;
  absl::AnyInvocable<void(Result)> done_ ABSL_GUARDED_BY(mu_);
};

template <typename Result>
class [[nodiscard]] Task {
 public:
  class promise_type;

  // Frees the coroutine, so that nothing of it is left, and then tells its
  // result.
  class End {
   public:
    bool await_ready() noexcept { return false; }
    void await_suspend(std::coroutine_handle<promise_type> ended) noexcept {
      const std::shared_ptr<TaskState<Result>> state = ended.promise().state_;
      ended.destroy();
      state->Tell();
    }
    void await_resume() noexcept {}
  };

  class promise_type {
   public:
    Task get_return_object() { return Task(state_); }
    std::suspend_never initial_suspend() noexcept { return {}; }
    End final_suspend() noexcept { return {}; }
    // Vigil's own code throws nothing.
    void unhandled_exception() { std::terminate(); }
    void return_value(Result result) { state_->Keep(std::move(result)); }

   private:
    friend class End;

    const std::shared_ptr<TaskState<Result>> state_ =
        std::make_shared<TaskState<Result>>();
  };

  // Blocks until it is over. Not to be used on the library's threads.
  Result Wait() && { return Begun().Wait(); }

  // For co_await; goes on where it ended.
  Awaitable<Result> operator co_await() && { return Begun(); }

 private:
  explicit Task(std::shared_ptr<TaskState<Result>> state)
      : state_(std::move(state)) {}

  Awaitable<Result> Begun() {
    return Awaitable<Result>(
        [state = state_](absl::AnyInvocable<void(Result)> done) {
          state->Get(std::move(done));
        });
  }

  std::shared_ptr<TaskState<Result>> state_;
};

}  // namespace vigil::client

#endif  // VIGIL_CLIENT_CC_TASK_H_
