// WorkerLoop: the one thread that owns all state of a worker: it waits, reads
// the clock once, hands what happened to the core, performs the core's effects,
// and tells the coordinator, one message per turn. Constructed, run and
// destroyed on the first thread of the process. Owns core, slots and tasks, not
// the stream.
#ifndef VIGIL_WORKER_LOOP_WORKER_LOOP_H_
#define VIGIL_WORKER_LOOP_WORKER_LOOP_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "base/unique_fd.h"
#include "vigil/v1/catalog.pb.h"
#include "worker/core/core.h"
#include "worker/core/effects.h"
#include "worker/loop/coordinator_link.h"
#include "worker/loop/outbox.h"
#include "worker/loop/poller.h"
#include "worker/loop/reason_patterns.h"
#include "worker/loop/slot_host.h"
#include "worker/loop/task.h"
#include "worker/stream/dispatch_stream.h"

namespace vigil::worker {

struct WorkerOptions {
  std::string worker_id;
  // 0 to kSlotsMax.
  int slots = 1;
  // From LoadCatalog.
  v1::Catalog catalog;
  bool allow_commands = false;
  std::string slot_binary;
  // Absolute; tasks run in `work/slot-N` of it unless they say where.
  std::string data_dir;
  std::string build;
  std::string hostname;
  std::string boot_id;
  // The coordinator's secret; empty unless that started this worker.
  std::string local_token;
  // End of file here ends the worker, tasks included; invalid: nothing does.
  UniqueFd parent_fd;
  absl::Duration reconnect_max;
  // Returns a random number in [0, 1).
  std::function<double()> random;
  // Returns a random id that was never used.
  std::function<std::string()> new_id;
};

// What Run ends with, as an exit status.
enum class WorkerExit {
  // Drained, or the parent ended.
  kOk = 0,
  // Refused by the coordinator.
  kRefused = 1,
  // Ended by a second signal, before it was drained.
  kForced = 3,
};

class WorkerLoop : private CoordinatorLink::Handler, private SlotHost::Handler {
 public:
  // Blocks the signals that the loop takes by descriptor. Call it before any
  // thread is started.
  static void BlockSignals();

  // Makes the process a subreaper. `stream` outlives the loop. Fails with what
  // errno says.
  static absl::StatusOr<std::unique_ptr<WorkerLoop>> Create(
      WorkerOptions options, DispatchStream* stream);

  // Works until SIGTERM or SIGINT, the end of the parent, or a refusal. When it
  // returns, every task is dead, unless a tree could not be killed.
  WorkerExit Run();

 private:
  WorkerLoop(WorkerOptions options, Poller poller, UniqueFd signal_fd,
             DispatchStream* stream);
  absl::Status Watch();

  // --- turns (worker_loop.cc)
  void Turn();
  absl::Time NextDeadline() const;
  void GrantStall(absl::Time expected);
  void Dispatch(const Poller::Ready& ready);
  void HandleSignals();
  void BeginDrain();
  void CheckDrain();
  void Flush();
  void Finish(WorkerExit status);

  // --- CoordinatorLink::Handler (worker_loop_coordinator.cc)
  v1::AttachRequest MakeAttach() override;
  void LeaseExtended(absl::Time until) override;
  void Received(const v1::AttachResponse& response, absl::Time now) override;
  void Lost(const absl::Status& status) override;
  void Fenced(const absl::Status& status, absl::Time now) override;
  void Refused(const absl::Status& status) override;
  void Assigned(const v1::Assignment& assignment);

  // --- SlotHost::Handler (worker_loop_tasks.cc)
  void SlotSaid(int slot, const slot::Event& event) override;
  void SlotGone(int slot) override;

  // --- output (worker_loop_tasks.cc)
  // Reads until nothing is there, or `bytes_max` were read.
  void ReadOutput(Task* task, OutputStream stream, size_t bytes_max);
  void TookOutput(Task* task, OutputStream stream, absl::string_view bytes);
  void PauseIfFull(Task* task);
  void ResumeIfTaken(const AttemptId& attempt);
  absl::Status WatchOutput(Task* task);
  void UnwatchOutput(Task* task);
  void CloseOutput(Task* task, OutputStream stream);

  // --- effects (worker_loop_effects.cc)
  void PerformEffects();
  void Perform(const StartSlot& effect);
  void Perform(const RetireSlot& effect);
  void Perform(const PingSlot& effect);
  void Perform(const KillSlot& effect);
  void Perform(const SpawnTask& effect);
  void Perform(const CheckOutput& effect);
  void Perform(const SoftStop& effect);
  void Perform(const KillTree& effect);
  void Perform(const CollectOutput& effect);
  void Perform(const SendUpdate& effect);
  void Perform(SendEnd effect);
  // Starts the program; INVALID_ARGUMENT and others: it cannot be.
  absl::Status Spawn(Task* task);
  Task* TaskIn(int slot);

  const WorkerOptions options_;
  const Clock clock_;
  Poller poller_;
  const UniqueFd signal_fd_;
  DispatchStream* const stream_;
  // Task types by name, with what their errors mean.
  absl::flat_hash_map<std::string, const v1::TaskType*> types_;
  absl::flat_hash_map<std::string, ReasonPatterns> reasons_;
  std::string session_id_;
  // Counts Attach messages; need not start anew with a session.
  int64_t attach_number_ = 0;

  // The time of this turn.
  absl::Time now_;
  Effects effects_;
  std::unique_ptr<Core> core_;
  SlotHost slots_;
  CoordinatorLink link_;
  Outbox outbox_;
  absl::btree_map<AttemptId, std::unique_ptr<Task>> tasks_;
  // The task that runs in each slot; null where none does.
  std::vector<Task*> running_;

  // When slots that ended are swept up after again.
  absl::Time sweep_time_ = absl::InfiniteFuture();
  // A new session is made when nothing runs any more.
  bool fenced_ = false;
  // The loss of the stream was logged.
  bool lost_ = false;
  bool draining_ = false;
  // When a drained worker ends without acknowledgement.
  absl::Time drain_deadline_ = absl::InfiniteFuture();
  bool done_ = false;
  WorkerExit status_ = WorkerExit::kOk;
};

}  // namespace vigil::worker

#endif  // VIGIL_WORKER_LOOP_WORKER_LOOP_H_
