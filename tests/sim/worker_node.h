// WorkerNode: a worker's process: the real core in a loop that applies what
// slots, tasks and coordinator said and performs what the core asks for, with
// its link and its slots. It can be killed, restarted and stopped at any time.
// Thread-compatible; owns the core and the link, shares the slots.
#ifndef VIGIL_TESTS_SIM_WORKER_NODE_H_
#define VIGIL_TESTS_SIM_WORKER_NODE_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "base/ids.h"
#include "coordinator/core/limits.h"
#include "tests/sim/coverage.h"
#include "tests/sim/event_queue.h"
#include "tests/sim/host_clock.h"
#include "tests/sim/judge.h"
#include "tests/sim/mutant.h"
#include "tests/sim/network.h"
#include "tests/sim/random.h"
#include "tests/sim/slot_node.h"
#include "tests/sim/task_tree.h"
#include "tests/sim/task_type.h"
#include "tests/sim/timer.h"
#include "tests/sim/trace.h"
#include "tests/sim/warm_program.h"
#include "tests/sim/worker_link.h"
#include "worker/core/core.h"

namespace vigil::sim {

class WorkerNode : public Network::WorkerEnd,
                   public WorkerLink::Owner,
                   public SlotNode::Owner {
 public:
  struct Parts {
    EventQueue* queue;
    Random* random;
    Trace* trace;
    Coverage* coverage;
    Judge* judge;
    Network* network;
    Mutant mutant;
    // Its process, which has that index, ended by itself.
    std::function<void(int)> ended;
  };
  struct Options {
    int index = 0;
    int slots = 1;
    // Started by the coordinator.
    bool local = false;
    // Types of which nothing is to be known, and others.
    std::set<std::string> commands;
    TaskTypes types;
    // Faults that the worker itself makes likely: slots that start slowly,
    // output that nobody takes.
    bool rough = false;
    // Of its host.
    HostClock::Options clock;
    // Says that it takes that many attempts beyond its slots, if it would not
    // take more by itself.
    int ahead_min = 0;
    // How long what runs may take when it is to leave and nobody says so.
    absl::Duration drain_grace = coordinator::kDrainGrace;
  };
  WorkerNode(const Parts& parts, Options options);

  // --- its process
  void Start();
  // SIGKILL. Its slots see that and kill what they run.
  void Crash();
  void Stop();
  void Continue();
  bool up() const { return core_ != nullptr; }
  bool stopped() const { return stopped_; }
  // SIGTERM: it drains and ends by itself; a second one: it ends at once.
  void Terminate();
  // Of its end, as an operator knows it.
  bool draining() const { return leave_.draining; }
  // Nothing that it or an earlier life started is left.
  bool AllDead() const;
  void SetCalm() { options_.rough = false; }

  // --- its operator
  // Changes the definition of a type, if there is one.
  void ChangeType();
  // Wants the cache of a type to be cleared, if there is one.
  void ClearCache();

  // --- its slots; each picks one at random, if there is one
  void CrashSlot();
  void StopSlot();
  void ContinueSlots();

  const Options& options() const { return options_; }
  const SessionId& session() const { return session_; }
  WorkerId id() const;
  const worker::Core* core() const { return core_.get(); }
  // Slots that the core has had.
  int places() const { return static_cast<int>(places_.size()); }
  // Attached to stay, nothing to do, all slots ready, no end unacknowledged.
  bool Settled() const;
  // Ends the run if a clock is overdue.
  void CheckNotLate() const;

  void Receive(StreamId stream, ToWorker message) override;
  coordinator::WorkerHello Hello() override;
  void LeaseExtended(absl::Time until) override;
  void Hear(const ToWorker& message) override;
  void AttachedNow(const std::vector<AttemptId>& kill) override;
  void Lost() override;
  void Fenced() override;
  void SlotSaid(SlotNode* slot, const slot::Event& event) override;
  void SlotGone(SlotNode* slot) override;

 private:
  // How it leaves; of this life.
  struct Leaving {
    bool draining = false;
    // As said on this stream.
    bool told = false;
    // When what still runs is stopped.
    absl::Time stop_time = absl::InfiniteFuture();
    // It said that it has left.
    bool said = false;
    // When it ends without an answer.
    absl::Time deadline = absl::InfiniteFuture();
    // It ends with this turn.
    bool done = false;
  };
  struct Place {
    std::shared_ptr<SlotNode> node;
    std::shared_ptr<TaskTree> tree;
    worker::SpawnPurpose purpose = worker::SpawnPurpose::kRun;
    worker::TaskTypeRulesPtr type;
    // `tree`, if it is a warm program.
    std::shared_ptr<WarmProgram> program;
    // Attempts that were handed to it.
    int64_t starts = 0;
    // It broke the protocol, or the end of its channel was read: the worker
    // has closed its own end.
    bool broken = false;
    bool closed = false;
    // Its program was seen running, so its output is read.
    bool reads = false;
    // Nobody takes the output for now.
    bool rests = false;
    // It was asked for its stack before its stop.
    bool dumped = false;
    // Since when neither slot nor worker were stopped, nor output left unread,
    // in true time.
    absl::Time quiet_since;
  };

  void Enqueue(std::function<void()> input);
  void Wake();
  void Turn();
  void Perform();
  void NewSession();
  Place& At(int slot);
  int IndexOf(const SlotNode* slot) const;
  void Disturbed();
  void ApplySlotEvent(int slot, const slot::Event& event);
  void ApplyTreeEmpty(int slot, const slot::TreeEmpty& event);
  void TellLease(SlotNode* slot) const;
  // To be kept until EndAcknowledged.
  void SendEnd(const AttemptEnd& end);
  void EndAcknowledged(const AttemptId& attempt);
  void Read(int slot);
  void ReadPipes(int slot);
  void MayRest(int slot);

  // Its process is no more.
  void End();
  absl::Time NextDeadline() const;

  // worker_leave.cc
  void Drain(absl::Duration grace);
  void TellDraining();
  void CheckDrain();
  void Leave();

  // worker_warm.cc
  void OfferTypes();
  worker::TaskTypeRulesPtr RulesOf(const JobSpec& spec) const;
  std::set<std::string> TypeNames() const;
  std::map<std::string, int> MaxSlots() const;
  void TellTypes();
  void TellAhead();
  void TellUsable();
  // Ends the run if more attempts than slots are usable were begun since their
  // number fell.
  void CheckUsable() const;
  void CheckSpawn(const worker::SpawnTask& effect) const;
  std::shared_ptr<TaskTree> MakeTree(const worker::SpawnTask& effect,
                                     std::shared_ptr<WarmProgram>* program);
  void TakeFrames(int slot);
  void TakeFrame(int slot, WarmProgram::Frame frame);
  void TakeClose(int slot);

  // One for each effect of the core.
  void Do(const worker::StartSlot& effect);
  void Do(const worker::RetireSlot& effect);
  void Do(const worker::PingSlot& effect);
  void Do(const worker::KillSlot& effect);
  void Do(const worker::SpawnTask& effect);
  void Do(const worker::SendStart& effect);
  void Do(const worker::SendReset& effect);
  void Do(const worker::InspectTask& effect);
  void Do(const worker::EndTask& effect);
  void Do(const worker::FinishCache& effect);
  void Do(const worker::CheckOutput& effect);
  void Do(const worker::DumpStack& effect);
  void Do(const worker::CheckMemory& effect);
  void Do(const worker::SoftStop& effect);
  void Do(const worker::KillTree& effect);
  void Do(const worker::CollectOutput& effect);
  void Do(const worker::SendUpdate& effect);
  void Do(const worker::SendEnd& effect);
  void Do(const worker::UsableSlotsChanged& effect);

  const Parts parts_;
  Options options_;
  const HostClock clock_;
  WorkerLink link_;
  std::unique_ptr<worker::Core> core_;
  worker::Effects effects_;
  SessionId session_;
  int sessions_ = 0;
  // Within the session.
  int64_t attaches_ = 0;
  // Fenced; a new session starts when nothing runs any more.
  bool fenced_ = false;
  // In this life. And whether all trees of earlier ones were gone before it.
  bool was_fenced_ = false;
  bool predecessors_dead_ = false;
  Leaving leave_;
  bool signalled_ = false;
  // Its catalog, and the complete caches on its disk, by name.
  std::map<std::string, worker::TaskTypeRulesPtr> types_;
  std::map<std::string, worker::TaskTypeRulesPtr> caches_;
  // When its background thread has done all that it was given.
  absl::Time background_done_ = absl::InfinitePast();
  // What the coordinator was told of the types.
  std::map<std::string, TaskTypeStatus> told_;
  int64_t told_revision_ = 0;
  int told_ahead_ = 0;
  // Ends that it was told, and did not acknowledge.
  std::set<AttemptId> sent_ends_;
  std::optional<worker::LoweredSlots> told_usable_;
  // As the core said last; absent: all.
  std::optional<int> usable_;
  // Counts what a slot was given, and when that was by this count; and when the
  // number of usable slots last fell.
  int64_t given_count_ = 0;
  std::map<AttemptId, int64_t> given_;
  int64_t usable_fell_ = 0;
  std::vector<Place> places_;
  // Every slot process of this and earlier lives that was not seen to end.
  std::vector<std::shared_ptr<SlotNode>> processes_;
  // Counts the lives of the process.
  uint64_t life_ = 0;
  std::deque<std::function<void()>> inbox_;
  Timer timer_;
  bool turn_due_ = false;
  bool stopped_ = false;
  absl::Time stopped_since_;
  int64_t turns_ = 0;
};

}  // namespace vigil::sim

#endif  // VIGIL_TESTS_SIM_WORKER_NODE_H_
