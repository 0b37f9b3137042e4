// WorkerLink: a worker's stream thread: attaches, answers nothing before it is
// attached, sends heartbeats, attaches again after a loss with growing waits,
// and stops for good when the session is fenced. Driven by its worker's turns,
// so that a stopped worker has a stopped link. Thread-compatible.
#ifndef VIGIL_TESTS_SIM_WORKER_LINK_H_
#define VIGIL_TESTS_SIM_WORKER_LINK_H_

#include <cstdint>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/time/time.h"
#include "base/ids.h"
#include "coordinator/core/worker_record.h"
#include "tests/sim/host_clock.h"
#include "tests/sim/messages.h"
#include "tests/sim/mutant.h"
#include "tests/sim/network.h"
#include "tests/sim/random.h"

namespace vigil::sim {

class WorkerLink {
 public:
  class Owner {
   public:
    virtual ~Owner() = default;
    // What Attach says.
    virtual coordinator::WorkerHello Hello() = 0;
    // The worker may act until `until`.
    virtual void LeaseExtended(absl::Time until) = 0;
    // Everything but Attached, HeartbeatAck and StreamClosed.
    virtual void Hear(const ToWorker& message) = 0;
    // The coordinator answered Attach; of what that listed, `kill` is to end.
    // Ends since then were not sent yet.
    virtual void AttachedNow(const std::vector<AttemptId>& kill) = 0;
    // The stream was lost, and is opened again.
    virtual void Lost() = 0;
    // The session was given up.
    virtual void Fenced() = 0;
  };
  struct Parts {
    // Its worker's.
    const HostClock* clock;
    Random* random;
    Network* network;
    Mutant mutant;
    // The worker's index in the network.
    int worker;
    Network::WorkerEnd* end;
  };

  WorkerLink(const Parts& parts, Owner* owner) : parts_(parts), owner_(owner) {}

  // Attaches as a new session.
  void Start();
  // The process ended.
  void Stop();
  // Dropped unless attached: what matters is said again by Hello, or, if it
  // happened after that, in AttachedNow.
  void Send(ToCoordinator message);
  void Apply(StreamId stream, const ToWorker& message);
  void Tick();
  absl::Time NextDeadline() const { return deadline_; }
  bool attached() const { return state_ == State::kAttached; }

 private:
  enum class State { kStopped, kWaiting, kAttaching, kAttached };

  void Connect();
  void Lose();
  void Answered(int64_t number);
  void Heartbeat();

  const Parts parts_;
  Owner* const owner_;
  State state_ = State::kStopped;
  StreamId stream_ = 0;
  // Of the state: the next try, the end of the try, the next heartbeat.
  absl::Time deadline_ = absl::InfiniteFuture();
  int failures_ = 0;
  absl::Duration lease_;
  // Number 0 stands for Attach itself.
  int64_t last_number_ = 0;
  absl::btree_map<int64_t, absl::Time> sent_;
};

}  // namespace vigil::sim

#endif  // VIGIL_TESTS_SIM_WORKER_LINK_H_
