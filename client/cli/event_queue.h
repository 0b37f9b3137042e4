// EventQueue: what the main thread waits for: functions posted by callbacks on
// other threads, signals, and one descriptor. Post is thread-safe, the rest is
// for the main thread only. Owns its descriptors; the signals stay blocked when
// it goes away.
#ifndef VIGIL_CLIENT_CLI_EVENT_QUEUE_H_
#define VIGIL_CLIENT_CLI_EVENT_QUEUE_H_

#include <functional>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "base/unique_fd.h"

namespace vigil::cli {

class EventQueue {
 public:
  // What Wait came back for, beside posted functions.
  struct Wakeup {
    // SIGINT, SIGTERM or SIGHUP; 0: none.
    int signal = 0;
    // The descriptor is readable, or at its end.
    bool readable = false;
    // The terminal has another size (SIGWINCH).
    bool resized = false;
  };

  // Blocks SIGINT, SIGTERM, SIGHUP and SIGWINCH and takes them from now on.
  // Must be called before the process has threads, which inherit the block.
  //
  // - What the system says when it gives no descriptor.
  static absl::StatusOr<std::unique_ptr<EventQueue>> Create();

  // Has `function` called by the next Wait.
  void Post(std::function<void()> function);

  // Calls what was posted; if there is nothing, waits up to `timeout` for
  // something to be posted, a signal, or `fd` (-1: none) to be readable.
  Wakeup Wait(absl::Duration timeout, int fd = -1);

 private:
  EventQueue(UniqueFd wake, UniqueFd signals);

  const UniqueFd wake_;
  const UniqueFd signals_;
  absl::Mutex mu_;
  std::vector<std::function<void()>> posted_;
};

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_EVENT_QUEUE_H_
