// SlotLoop: drives a SlotCore with the real world: the worker's socket, the
// process tree, CLOCK_BOOTTIME. For the one thread of a slot process, blocks
// only in poll. Owns the socket and the descriptors of its loop.
#ifndef VIGIL_WORKER_SLOT_SLOT_LOOP_H_
#define VIGIL_WORKER_SLOT_SLOT_LOOP_H_

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/unique_fd.h"
#include "worker/slot/nesting_watch.h"
#include "worker/slot/process_tree.h"
#include "worker/slot/slot.pb.h"
#include "worker/slot/slot_core.h"
#include "worker/slot/slot_event.h"
#include "worker/slot/slot_socket.h"
#include "worker/slot/task_command.h"

namespace vigil::slot {

class SlotLoop {
 public:
  // Blocks SIGCHLD and opens what the loop waits for. Fails with what errno
  // says; the slot cannot run then.
  // `listener` is that of the filter which the calling thread wears;
  // `filter_problem` says why there is none; empty: there is one.
  static absl::StatusOr<std::unique_ptr<SlotLoop>> Create(
      UniqueFd socket, LaunchOptions options, UniqueFd listener,
      std::string filter_problem);

  // Runs until the worker is gone and the tree is empty. A request that cannot
  // be read counts as the worker's end: nothing it says later can be trusted.
  void Run();

 private:
  SlotLoop(UniqueFd socket, UniqueFd signals, UniqueFd timer,
           LaunchOptions options, UniqueFd listener,
           std::string filter_problem);

  // At most for `held`, if that is positive.
  void Wait(absl::Duration held);
  void ReadRequests();
  void ApplyRequest(Packet packet);
  void AcceptSpawn(const SlotRequest::Spawn& spawn, std::vector<UniqueFd> fds);
  void ReadSignals();
  // Answers what the task's filter asks.
  void AnswerNesting();
  // The task asks no more: tells what was counted.
  void EndNesting();
  void LoseWorker();

  void Apply(const Input& input);
  void Perform(const StartTask&);
  void Perform(const SignalTask& action);
  void Perform(const ReapTree&);
  void Perform(const KillTree&);
  void Perform(const SendEvent& action);
  void Perform(const Exit&);

  // How much longer what waits is held, since it is but the word that a task
  // runs, for what may follow it; not positive: it is to be sent.
  absl::Duration HoldTime() const;
  // Sends what waits, as far as the socket has room.
  void FlushEvents();
  void ArmTimer();

  // Invalid once the worker is gone.
  UniqueFd socket_;
  UniqueFd signals_;
  UniqueFd timer_;
  const UniqueFd listener_;
  const std::string filter_problem_;
  SlotCore core_;
  ProcessTree tree_;
  // Null without a task, or without a filter.
  std::unique_ptr<NestingWatch> nesting_;
  bool nesting_asked_ = false;
  // When the current turn began.
  absl::Duration now_;
  // What the timer is set to.
  absl::Duration timer_deadline_ = absl::InfiniteDuration();
  bool exit_ = false;

  // The request that StartTask carries out.
  TaskCommand command_;
  TaskEnds ends_;

  // Events of this turn; and those that found no room in the socket.
  std::deque<SlotEvent> unsent_;
  // The socket had no room: the worker does not read. While that is so no
  // request is read, so there are never more events than one turn produces.
  bool blocked_ = false;
  // Until when a Spawned alone is held; long past, unless the task is brief.
  absl::Duration held_until_;
};

}  // namespace vigil::slot

#endif  // VIGIL_WORKER_SLOT_SLOT_LOOP_H_
