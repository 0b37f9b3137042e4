// Coroutines of the loop. Task<T> is a part of a handler: it starts when it is
// awaited and resumes its caller when it returns. Detached starts at once and
// belongs to nobody: the body of a whole call. An exception that leaves either
// ends the process. Loop thread only; a Task owns its frame.
//
// GCC 12 destroys aggregate temporaries in a co_await operand twice: await
// named objects, and pass arguments by reference to named objects.
#ifndef VIGIL_COORDINATOR_RPC_TASK_H_
#define VIGIL_COORDINATOR_RPC_TASK_H_

#include <coroutine>
#include <exception>
#include <optional>
#include <utility>

namespace vigil::coordinator {

struct Detached {
  struct promise_type {
    Detached get_return_object() { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { std::terminate(); }
  };
};

template <typename T>
class [[nodiscard]] Task {
 public:
  struct promise_type;
  using Handle = std::coroutine_handle<promise_type>;

  struct FinalAwaiter {
    bool await_ready() noexcept { return false; }
    std::coroutine_handle<> await_suspend(Handle handle) noexcept {
      return handle.promise().caller;
    }
    void await_resume() noexcept {}
  };

  struct promise_type {
    std::optional<T> value;
    std::coroutine_handle<> caller;

    Task get_return_object() { return Task(Handle::from_promise(*this)); }
    std::suspend_always initial_suspend() noexcept { return {}; }
    FinalAwaiter final_suspend() noexcept { return {}; }
    void return_value(T result) { value.emplace(std::move(result)); }
    void unhandled_exception() { std::terminate(); }
  };

  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
  Task& operator=(Task&&) = delete;
  ~Task() {
    if (handle_) handle_.destroy();
  }

  bool await_ready() const noexcept { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> caller) {
    handle_.promise().caller = caller;
    return handle_;
  }
  T await_resume() { return std::move(*handle_.promise().value); }

 private:
  explicit Task(Handle handle) : handle_(handle) {}

  Handle handle_;
};

}  // namespace vigil::coordinator

#endif  // VIGIL_COORDINATOR_RPC_TASK_H_
