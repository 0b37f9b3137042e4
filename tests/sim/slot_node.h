// SlotNode: a slot's process: the real SlotCore behind a simulated socket, with
// a simulated tree below it. It can be stopped, continued and killed at any
// time. Thread-compatible; keeps itself alive while its process lives, and may
// outlive its worker.
#ifndef VIGIL_TESTS_SIM_SLOT_NODE_H_
#define VIGIL_TESTS_SIM_SLOT_NODE_H_

#include <deque>
#include <functional>
#include <memory>
#include <variant>

#include "absl/time/time.h"
#include "base/ids.h"
#include "tests/sim/event_queue.h"
#include "tests/sim/host_clock.h"
#include "tests/sim/mutant.h"
#include "tests/sim/random.h"
#include "tests/sim/task_tree.h"
#include "tests/sim/timer.h"
#include "worker/slot/slot_core.h"

namespace vigil::sim {

class SlotNode : public std::enable_shared_from_this<SlotNode> {
 public:
  // Its end of the socket, at the worker.
  class Owner {
   public:
    virtual ~Owner() = default;
    virtual void SlotSaid(SlotNode* slot, const slot::Event& event) = 0;
    // Its process ended, and nothing it started is left.
    virtual void SlotGone(SlotNode* slot) = 0;
  };
  struct Parts {
    EventQueue* queue;
    // Its worker's, which is of the same host.
    const HostClock* clock;
    Random* random;
    Mutant mutant;
  };

  SlotNode(const Parts& parts, Owner* owner)
      : parts_(parts),
        owner_(owner),
        timer_(parts.queue, parts.clock, [this] { Turn(); }) {}

  // Its process was started; it says so after `delay`.
  void Start(absl::Duration delay);

  // --- from the worker, in order
  void Spawn(std::shared_ptr<TaskTree> tree);
  void Request(slot::Input request);
  // The worker closed its end and waits for the process to end.
  void CloseSocket();
  // The worker died: nobody waits any more.
  void Disown();

  // --- what befalls the process
  // SIGKILL: the program dies with it, what the program left is swept by the
  // subreaper above.
  void Kill();
  void Stop();
  void Continue();
  bool stopped() const { return stopped_; }
  bool dead() const { return dead_; }
  slot::SlotCore::State state() const { return core_.state(); }
  bool sweeping() const { return sweeping_; }

 private:
  // The task wants a process that it may not have.
  void Ask(const std::shared_ptr<TaskTree>& tree);
  void Enqueue(std::function<void()> input);
  void Wake();
  void Turn();
  void Apply(const slot::Input& input);
  void Perform(const slot::StartTask&);
  void Perform(const slot::SignalTask& action);
  void Perform(const slot::ReapTree&);
  void Perform(const slot::KillTree&);
  void Perform(const slot::SendEvent& action);
  void Perform(const slot::Exit&);
  void Send(const slot::Event& event);
  void Die();
  absl::Duration Boottime() const { return parts_.clock->now() - kStart; }

  const Parts parts_;
  Owner* owner_;
  slot::SlotCore core_;
  Timer timer_;
  // Requests that arrived and were not read.
  std::deque<std::function<void()>> inbox_;
  bool children_changed_ = false;
  bool socket_closed_ = false;
  bool started_ = false;
  bool stopped_ = false;
  absl::Time stopped_since_;
  // As it was told last.
  absl::Duration lease_;
  bool dead_ = false;
  bool sweeping_ = false;
  bool turn_due_ = false;
  bool freed_early_ = false;
  // What StartTask starts, and then what runs.
  std::shared_ptr<TaskTree> tree_;
};

}  // namespace vigil::sim

#endif  // VIGIL_TESTS_SIM_SLOT_NODE_H_
