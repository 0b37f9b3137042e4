// Poller: waits for descriptors and for an instant. Loop thread only. Owns the
// epoll and timer descriptors, not those it watches.
#ifndef VIGIL_WORKER_LOOP_POLLER_H_
#define VIGIL_WORKER_LOOP_POLLER_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/unique_fd.h"

namespace vigil::worker {

class Poller {
 public:
  // What a descriptor is to the loop; `index` says which slot where there are
  // many.
  enum class Kind : uint32_t {
    kTimer,
    kSignal,
    kParent,
    kStream,
    kSlot,
    kStdout,
    kStderr,
    kChannel,
    kBackground,
  };
  struct Ready {
    Kind kind;
    int index;
  };

  // Fails with what errno says.
  static absl::StatusOr<Poller> Create();

  // Watches `fd` for input, end and error, as long as they last. A descriptor
  // is removed before it is closed. Fails with what errno says.
  absl::Status Add(int fd, Kind kind, int index);
  // As Add, of a descriptor that is watched: from now on also for room to write
  // (`or_output`), or not.
  void Watch(int fd, Kind kind, int index, bool or_output);
  void Remove(int fd);

  // Returns what is ready, at most 64 at once, after waiting for it until
  // `boottime` (CLOCK_BOOTTIME since boot, so that it also passes while the
  // machine sleeps); InfiniteDuration waits for ever.
  std::vector<Ready> Wait(absl::Duration boottime);

 private:
  Poller(UniqueFd epoll, UniqueFd timer);

  UniqueFd epoll_;
  UniqueFd timer_;
  // What the timer is set to.
  absl::Duration armed_ = absl::InfiniteDuration();
};

}  // namespace vigil::worker

#endif  // VIGIL_WORKER_LOOP_POLLER_H_
