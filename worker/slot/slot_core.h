// SlotCore: every decision of a slot as a pure state machine, without system
// calls or a clock: inputs go in, actions come out. Thread-compatible. Owns
// only its state; whoever drives it carries the actions out, in order.
//
//   state     input                        actions                 next
//   IDLE      SpawnRequested               StartTask               STARTING
//   IDLE      SpawnRequested, lease over   SpawnFailed             IDLE
//   IDLE      WorkerGone                   Exit                    IDLE
//   STARTING  Spawned                      Spawned                 RUNNING
//   STARTING  SpawnFailed                  SpawnFailed             IDLE
//   RUNNING   SignalRequested              SignalTask              RUNNING
//   RUNNING   ChildrenChanged              ReapTree                RUNNING
//   RUNNING   TreeReport: exited           Exited, KillTree        KILLING
//   RUNNING   TreeReport: exited, empty    Exited, TreeEmpty       IDLE
//   RUNNING   KillRequested, WorkerGone,   KillTree                KILLING
//             Tick at the lease
//   KILLING   ChildrenChanged, Tick at     KillTree                KILLING
//             the retry time
//   KILLING   TreeReport: exited           Exited                  KILLING
//   KILLING   TreeReport: not empty        TreeEmpty, once, with   KILLING
//             after kTreeKillMax           `unconfirmed`
//   KILLING   TreeReport: empty            TreeEmpty (and Exit if  IDLE
//                                          the worker is gone)
//   not IDLE  SpawnRequested               SpawnFailed EBUSY       same
//   any       PingReceived                 Pong                    same
//   any       LeaseRenewed                                         same
// What a row does not name has no effect: requests cross events on the way.
#ifndef VIGIL_WORKER_SLOT_SLOT_CORE_H_
#define VIGIL_WORKER_SLOT_SLOT_CORE_H_

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "absl/time/time.h"
#include "worker/slot/slot_event.h"
#include "worker/slot/tree_report.h"

namespace vigil::slot {

// Inputs. Spawned, SpawnFailed and TreeReport answer actions.
struct SpawnRequested {};
struct SignalRequested {
  int signum = 0;
  SignalScope scope = SignalScope::kGroup;
};
struct KillRequested {};
// The lease ends at this instant, in CLOCK_BOOTTIME since boot. The last one
// given counts, even if it is earlier.
struct LeaseRenewed {
  absl::Duration deadline;
};
struct PingReceived {
  uint64_t number = 0;
};
// The worker's socket is closed.
struct WorkerGone {};
// SIGCHLD: a child of the slot ended, or descendants became its children.
struct ChildrenChanged {};
// Time passed. Given after all other inputs of a turn, so that a renewal that
// has arrived is seen before the lease is judged.
struct Tick {};
using Input =
    std::variant<SpawnRequested, Spawned, SpawnFailed, SignalRequested,
                 KillRequested, LeaseRenewed, PingReceived, WorkerGone,
                 ChildrenChanged, TreeReport, Tick>;

// Actions.
// Start the requested task. The next input must be Spawned or SpawnFailed.
struct StartTask {};
// Signal the task.
struct SignalTask {
  int signum = 0;
  SignalScope scope = SignalScope::kGroup;
};
// Reap what has ended; answer with TreeReport before any other input.
struct ReapTree {};
// SIGKILL every child and reap what has ended; answer as ReapTree.
struct KillTree {};
// Tell the worker.
struct SendEvent {
  Event event;
};
// End the slot process; it has no children.
struct Exit {};
using Action =
    std::variant<StartTask, SignalTask, ReapTree, KillTree, SendEvent, Exit>;

class SlotCore {
 public:
  enum class State { kIdle, kStarting, kRunning, kKilling };

  // Applies one input at `now` (CLOCK_BOOTTIME since boot) and returns what to
  // do, in order. CHECKs that actions are answered as said above.
  std::vector<Action> Apply(const Input& input, absl::Duration now);

  // When the next Tick is due; InfiniteDuration if only inputs matter.
  absl::Duration NextDeadline() const;

  State state() const { return state_; }

  // CHECKs what must hold between inputs.
  void CheckInvariants() const;

 private:
  // The life of one task, from SpawnRequested to the end of its tree.
  struct Task {
    bool exited = false;
    bool killed = false;
    bool lease_expired = false;
    absl::Duration kill_retry_time = absl::InfiniteDuration();
    // When the tree is reported as unconfirmed; infinite once it was.
    absl::Duration kill_deadline = absl::InfiniteDuration();
  };

  void On(const SpawnRequested&, absl::Duration now);
  void On(const Spawned& spawned, absl::Duration now);
  void On(const SpawnFailed& failed, absl::Duration now);
  void On(const SignalRequested& request, absl::Duration now);
  void On(const KillRequested&, absl::Duration now);
  void On(const LeaseRenewed& renewed, absl::Duration now);
  void On(const PingReceived& ping, absl::Duration now);
  void On(const WorkerGone&, absl::Duration now);
  void On(const ChildrenChanged&, absl::Duration now);
  void On(const TreeReport& report, absl::Duration now);
  void On(const Tick&, absl::Duration now);

  // Moves on if the transition table allows it.
  void MoveTo(State next);
  // RUNNING to KILLING.
  void BeginKill(absl::Duration now);
  void RequestTreeKill(absl::Duration now);
  void SendTreeEmpty(const TreeReport& report);
  void Send(Event event);

  State state_ = State::kIdle;
  Task task_;
  // No limit until the worker sets one.
  absl::Duration lease_ = absl::InfiniteDuration();
  bool worker_gone_ = false;
  // ReapTree or KillTree was returned and not answered yet.
  bool report_due_ = false;
  std::vector<Action> actions_;
};

}  // namespace vigil::slot

#endif  // VIGIL_WORKER_SLOT_SLOT_CORE_H_
