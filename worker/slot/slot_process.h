// SlotProcess: a worker's handle of one slot process: starts it, asks it, hears
// from it, kills and reaps it. Loop thread only; no call blocks for the slot.
// Owns the slot's socket, pidfd and zombie; when the handle goes away the slot
// sees the end of its socket, kills its tree and exits, and is then a zombie
// for the worker to reap, so call Reap first where the handle is not the last
// thing the process does.
#ifndef VIGIL_WORKER_SLOT_SLOT_PROCESS_H_
#define VIGIL_WORKER_SLOT_SLOT_PROCESS_H_

#include <sys/types.h>

#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/unique_fd.h"
#include "worker/slot/slot.pb.h"
#include "worker/slot/slot_event.h"
#include "worker/slot/task_command.h"

namespace vigil::slot {

class SlotProcess {
 public:
  // Starts the program `slot_binary` (//worker/slot) in a session of its own,
  // with an empty environment and only stderr of this process, and with a copy
  // of `record_fd` (see record.h; -1: none) to note its tasks in. The slot's
  // first event is Ready. While slots live do not wait(-1): it would take their
  // status from Reap.
  // Fails with what errno says: NOT_FOUND for a wrong path, RESOURCE_EXHAUSTED
  // or UNAVAILABLE when processes or descriptors are short (try again later).
  static absl::StatusOr<SlotProcess> Start(const std::string& slot_binary,
                                           int record_fd = -1);

  SlotProcess(SlotProcess&&) = default;
  SlotProcess& operator=(SlotProcess&&) = default;

  // Readable when Receive has something to say.
  int fd() const { return socket_.get(); }
  pid_t pid() const { return pid_; }
  // Readable when the slot process has ended.
  int pidfd() const { return pidfd_.get(); }

  // Requests. Each returns when the request is in the socket, with:
  // - RESOURCE_EXHAUSTED: the slot does not read, so it is stuck: KillSelf.
  // - ABORTED: the slot is gone: Reap and replace it.
  // - INTERNAL: anything else; as for ABORTED.

  // Starts a task; answered by Spawned or SpawnFailed. Allowed after Ready and
  // after each SpawnFailed and confirmed TreeEmpty; refused by SpawnFailed
  // (EBUSY) otherwise. Closes `ends`. Beside the errors above:
  // INVALID_ARGUMENT, for a command that can never be started (see
  // WriteCommand), and what errno says when no memfd is to be had.
  absl::Status Spawn(const TaskCommand& command, TaskEnds ends);

  // Sends `signum` (1 to 64) to the task; no effect once the task process has
  // ended.
  absl::Status SendSignal(int signum, SignalScope scope);

  // SIGKILLs the tree; answered by TreeEmpty, no effect if there is none.
  absl::Status Kill();

  // Sets the instant, in CLOCK_BOOTTIME since boot, at which the slot kills its
  // tree by itself. The last one sent counts. Without any there is no limit.
  absl::Status Lease(absl::Duration boottime_deadline);

  // Answered by Pong with the same number, at once.
  absl::Status Ping(uint64_t number);

  // Returns the next event, or nullopt when there is none now. Events that the
  // slot sent before it ended are still returned.
  // - ABORTED: the slot has closed its end: Reap and replace it.
  // - INTERNAL: what came is not an event: KillSelf.
  absl::StatusOr<std::optional<Event>> Receive();
  // Whether Receive would return an event that has arrived with the last one.
  bool has_received() const { return !received_.empty(); }

  // SIGKILLs the slot process. The task process dies with it; the task's
  // descendants become children of the nearest subreaper, which must kill them.
  absl::Status KillSelf();

  // Reaps the slot process if it has ended, and returns its wait status;
  // nullopt while it runs. NOT_FOUND: it was reaped before.
  absl::StatusOr<std::optional<int>> Reap();

 private:
  SlotProcess(UniqueFd socket, pid_t pid, UniqueFd pidfd);

  absl::Status Send(const SlotRequest& request);

  UniqueFd socket_;
  pid_t pid_;
  UniqueFd pidfd_;
  // The rest of the last packet.
  std::deque<Event> received_;
};

}  // namespace vigil::slot

#endif  // VIGIL_WORKER_SLOT_SLOT_PROCESS_H_
