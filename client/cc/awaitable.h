// Awaitable: something that is begun, and ends with a result, in the way that
// suits its user: `co_await it` in a C++20 coroutine, `it.Wait()` where a
// thread may block. Used once, by one thread. Owned by the expression that
// awaits it, with all it was given, until the result is there.
#ifndef VIGIL_CLIENT_CC_AWAITABLE_H_
#define VIGIL_CLIENT_CC_AWAITABLE_H_

#include <atomic>
#include <coroutine>
#include <functional>
#include <optional>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/synchronization/notification.h"

namespace vigil::client {

// Has a function run somewhere, soon and once: on a thread, in a pool, by an
// event loop. Called on any thread.
using Executor = std::function<void(absl::AnyInvocable<void()>)>;

template <typename Result>
class [[nodiscard]] Awaitable {
 public:
  // Begins, and calls `done` once: on any thread, also at once.
  using Begin = absl::AnyInvocable<void(absl::AnyInvocable<void(Result)> done)>;

  // With an `executor` coroutines go on there, in any case. Without, on the
  // thread that brings the result, one of the library's, which must not be
  // blocked; or on their own, where the result comes as soon as they wait.
  explicit Awaitable(Begin begin, Executor executor = nullptr)
      : begin_(std::move(begin)), executor_(std::move(executor)) {}
  Awaitable(const Awaitable&) = delete;
  Awaitable& operator=(const Awaitable&) = delete;

  // Begins it and blocks until the result is there. Not to be used on the
  // library's threads.
  Result Wait() && {
    absl::Notification done;
    begin_([this, &done](Result result) {
      result_.emplace(std::move(result));
      done.Notify();
    });
    done.WaitForNotification();
    return *std::move(result_);
  }

  // For co_await.
  bool await_ready() const { return false; }
  bool await_suspend(std::coroutine_handle<> coroutine) {
    begin_([this, coroutine](Result result) {
      result_.emplace(std::move(result));
      // Of await_suspend and this function the later one has the coroutine go
      // on, so that results that are there at once do not recurse.
      if (!first_.exchange(true)) return;
      if (executor_) {
        GoOnThere(coroutine);
      } else {
        coroutine.resume();
      }
    });
    if (!first_.exchange(true)) return true;
    if (!executor_) return false;
    GoOnThere(coroutine);
    return true;
  }
  Result await_resume() { return *std::move(result_); }

 private:
  // The last that is done with this: the coroutine, which holds it, may be over
  // before the executor returns. So the executor is moved away.
  void GoOnThere(std::coroutine_handle<> coroutine) {
    const Executor executor = std::move(executor_);
    executor([coroutine] { coroutine.resume(); });
  }

  Begin begin_;
  Executor executor_;
  std::optional<Result> result_;
  std::atomic<bool> first_ = false;
};

}  // namespace vigil::client

#endif  // VIGIL_CLIENT_CC_AWAITABLE_H_
