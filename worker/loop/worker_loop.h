// WorkerLoop: the one thread that owns all state of a worker: it waits, reads
// the clock once, hands what happened to the core, performs the core's effects,
// and tells the coordinator, one message per turn. Constructed, run and
// destroyed on the first thread of the process. Owns core, slots and tasks, not
// the stream.
#ifndef VIGIL_WORKER_LOOP_WORKER_LOOP_H_
#define VIGIL_WORKER_LOOP_WORKER_LOOP_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "base/unique_fd.h"
#include "vigil/v1/catalog.pb.h"
#include "worker/core/core.h"
#include "worker/core/effects.h"
#include "worker/loop/background.h"
#include "worker/loop/coordinator_link.h"
#include "worker/loop/end_hold.h"
#include "worker/loop/oom_watch.h"
#include "worker/loop/outbox.h"
#include "worker/loop/poller.h"
#include "worker/loop/slot_host.h"
#include "worker/loop/task.h"
#include "worker/loop/task_plan.h"
#include "worker/loop/task_process.h"
#include "worker/loop/task_type.h"
#include "worker/loop/warm_cache.h"
#include "worker/slot/record.h"
#include "worker/stream/dispatch_stream.h"

namespace vigil::worker {

struct WorkerOptions {
  std::string worker_id;
  // 0 to kSlotsMax.
  int slots = 1;
  // From LoadCatalog.
  v1::Catalog catalog;
  // Reads the catalog again, at SIGHUP; unset: it never changes.
  std::function<absl::StatusOr<v1::Catalog>()> reload_catalog;
  bool allow_commands = false;
  std::string slot_binary;
  // Where Vigil's sitecustomize.py lies, absolute; empty: nowhere.
  std::string python_dir;
  // Those that this worker and its tasks may use; at least 1.
  int processors = 1;
  // Absolute; tasks run in `work/slot-N` of it unless they say where, and have
  // their caches in `cache`.
  std::string data_dir;
  std::string build;
  std::string hostname;
  std::string boot_id;
  // For the records of its slots, which are kept in `slots` of data_dir.
  slot::HostIdentity host;
  // Everything that earlier lives of this worker started is proved dead.
  bool predecessors_dead = false;
  // The coordinator's secret; empty unless that started this worker.
  std::string local_token;
  // End of file here ends the worker, tasks included; invalid: nothing does.
  UniqueFd parent_fd;
  absl::Duration reconnect_max;
  // How long what runs may take when the worker is to leave, unless the
  // coordinator says so.
  absl::Duration drain_grace;
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

  // Works until it has drained (after SIGTERM or SIGINT, or as the coordinator
  // says), the end of the parent, or a refusal. When it returns, every task is
  // dead, unless a tree could not be killed.
  WorkerExit Run();

 private:
  WorkerLoop(WorkerOptions options, Poller poller, UniqueFd signal_fd,
             DispatchStream* stream);
  absl::Status Watch();

  // --- turns (worker_loop.cc)
  void Turn();
  absl::Time NextDeadline() const;
  // The coordinator is told what tasks can be held to when the worker attaches:
  // the first slot says it, within milliseconds.
  bool MayAttach() const;
  absl::Time LinkDeadline() const;
  void GrantStall(absl::Time expected);
  void Dispatch(const Poller::Ready& ready);
  void HandleSignals();
  // Takes nothing new, and leaves when what runs has ended, `grace` from now at
  // the latest. An earlier drain's end stays where it is sooner.
  void Drain(absl::Duration grace);
  void CheckDrain();
  // The worker has drained: says so and waits for the answer, then ends.
  void Leave();
  void Flush();
  // Adds how many attempts it takes beyond its slots; false: the coordinator
  // knows.
  bool AddAhead(v1::AttachRequest* request);
  // Adds that it drains; false: it does not, or the coordinator knows.
  bool AddDraining(v1::AttachRequest* request);
  // Adds how many slots it uses; false: the coordinator knows.
  bool AddUsable(v1::AttachRequest* request);
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
  void SlotHasSpoken(int slot) override;
  void SlotGone(int slot) override;
  // Says once what the filter lacks.
  void LearnFilter(const std::string& problem);

  // --- output (worker_loop_tasks.cc)
  // Reads until nothing is there, or `bytes_max` were read.
  void ReadOutput(TaskProcess* process, OutputStream stream, size_t bytes_max);
  void TookOutput(TaskProcess* process, OutputStream stream,
                  absl::string_view bytes);
  void PauseIfFull(TaskProcess* process);
  void ResumeIfTaken(const AttemptId& attempt);
  absl::Status WatchOutput(TaskProcess* process);
  void UnwatchOutput(TaskProcess* process);
  void CloseOutput(TaskProcess* process, OutputStream stream);
  // Closes all that the process wrote to.
  void CloseAll(TaskProcess* process);

  // --- frames (worker_loop_frames.cc)
  void SendFrame(TaskProcess* process, const task::v1::WorkerFrame& frame);
  void FlushChannel(TaskProcess* process);
  // As ReadOutput, of the channel, if it has one.
  void ReadChannel(TaskProcess* process, size_t bytes_max);
  // Takes the frames that were read, as far as the core can go on.
  void TakeFrames(TaskProcess* process);
  void TakeFrame(TaskProcess* process, task::v1::TaskFrame frame);
  void TakeResult(Task* task, std::string result);
  void TakeError(Task* task, const task::v1::Error& error);
  void BreakProtocol(TaskProcess* process, absl::string_view how,
                     const task::v1::TaskFrame* frame);
  void CloseChannel(TaskProcess* process);

  // --- task types (worker_loop_types.cc)
  void OfferTypes(const v1::Catalog& catalog);
  void ReloadCatalog();
  void ClearCache(const v1::ClearCache& request);
  // Removes what a warm-up that did not succeed left; nothing if `path` is
  // empty.
  void DiscardCache(const std::string& path);
  void ClearCacheDone(int64_t number, const absl::Status& status);
  // Adds what the coordinator does not know yet of the types; false: nothing.
  bool AddTypeNews(v1::AttachRequest* request);

  // --- earlier lives (worker_loop_sweep.cc)
  void Sweep(const v1::Sweep& request);
  // Adds the sweeps that are done; false: none.
  bool AddSweepsDone(v1::AttachRequest* request);

  // --- effects (worker_loop_effects.cc)
  void PerformEffects();
  void Perform(const StartSlot& effect);
  void Perform(const RetireSlot& effect);
  void Perform(const PingSlot& effect);
  void Perform(const KillSlot& effect);
  void Perform(const SpawnTask& effect);
  void Perform(const SendStart& effect);
  void Perform(const SendReset& effect);
  void Perform(const InspectTask& effect);
  void Perform(const EndTask& effect);
  void Perform(const FinishCache& effect);
  void Perform(const CheckOutput& effect);
  void Perform(const DumpStack& effect);
  void Perform(const CheckMemory& effect);
  void Perform(const SoftStop& effect);
  void Perform(const KillTree& effect);
  void Perform(const CollectOutput& effect);
  void Perform(const SendUpdate& effect);
  void Perform(SendEnd effect);
  void Perform(const UsableSlotsChanged& effect);
  TaskPlanOptions PlanFor(const Task& task, SpawnPurpose purpose);
  // Starts the program; INVALID_ARGUMENT and others: it cannot be.
  // For a warm-up, `cache_path` is where it writes, also where it fails.
  absl::Status Spawn(Task* task, const SpawnTask& effect,
                     std::string* cache_path);
  // Records what can be seen only before a kill.
  void TakeEvidence(int slot);
  // Tells the core of Python's pools that ran in sequence since the last time.
  void ReadSequentialPools(TaskProcess* process);
  // The program in a slot, until the next one; null before the first.
  TaskProcess* ProcessIn(int slot);
  // The task whose turn it is in a slot; null if there is none.
  Task* TaskIn(int slot);
  Task* FindTask(const AttemptId& attempt);

  const WorkerOptions options_;
  const Clock clock_;
  Poller poller_;
  const UniqueFd signal_fd_;
  DispatchStream* const stream_;
  TaskTypes types_;
  WarmCache cache_;
  std::string session_id_;
  // Counts Attach messages; need not start anew with a session.
  int64_t attach_number_ = 0;
  // Of the coordinator that this session attached to; empty: to none.
  std::string history_;

  // The time of this turn.
  absl::Time now_;
  Effects effects_;
  std::unique_ptr<Core> core_;
  SlotHost slots_;
  CoordinatorLink link_;
  Outbox outbox_;
  absl::btree_map<AttemptId, std::unique_ptr<Task>> tasks_;
  // By slot.
  std::vector<std::unique_ptr<TaskProcess>> processes_;

  // What is to be told of the types: the catalog was read again; the statuses
  // as last told; removals of caches that ended.
  bool announce_ = false;
  int64_t told_revision_ = 0;
  absl::btree_map<std::string, TaskTypeStatus> told_statuses_;
  std::vector<v1::ClearCacheDone> cleared_;
  // Sweeps that ended and are to be told.
  std::vector<v1::SweepDone> swept_;
  // Changes with each stream: answers to an earlier one are dropped.
  int64_t stream_number_ = 0;

  OomWatch oom_watch_;
  // What the slots said of the filter; nothing is told to the coordinator
  // before.
  std::optional<std::string> filter_problem_;
  // When the worker attaches without knowing.
  absl::Time filter_deadline_;

  // What was told on this stream.
  int told_ahead_ = 0;
  std::optional<LoweredSlots> told_usable_;
  EndHold hold_;

  // When slots that ended are swept up after again.
  absl::Time sweep_time_ = absl::InfiniteFuture();
  // A new session is made when nothing runs any more.
  bool fenced_ = false;
  // This life has had a session that was given up.
  bool was_fenced_ = false;
  // The loss of the stream was logged.
  bool lost_ = false;
  bool signalled_ = false;
  bool draining_ = false;
  // As said on this stream.
  bool told_draining_ = false;
  // When what still runs is stopped.
  absl::Time drain_stop_time_ = absl::InfiniteFuture();
  // The coordinator was told that this worker leaves.
  bool left_ = false;
  // When a drained worker ends without acknowledgement.
  absl::Time drain_deadline_ = absl::InfiniteFuture();
  bool done_ = false;
  WorkerExit status_ = WorkerExit::kOk;

  // Last: what it still does uses the above.
  Background background_;
};

}  // namespace vigil::worker

#endif  // VIGIL_WORKER_LOOP_WORKER_LOOP_H_
