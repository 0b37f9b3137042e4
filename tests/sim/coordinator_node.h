// CoordinatorNode: the coordinator's process: the real core in a loop that
// applies the events of a turn, ticks, and commits what changed, one batch
// being flushed while the next gathers. It can be killed, restarted and stopped
// at any time. Thread-compatible; owns the core, not the store.
#ifndef VIGIL_TESTS_SIM_COORDINATOR_NODE_H_
#define VIGIL_TESTS_SIM_COORDINATOR_NODE_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "absl/time/time.h"
#include "base/ids.h"
#include "coordinator/core/core.h"
#include "tests/sim/coverage.h"
#include "tests/sim/event_queue.h"
#include "tests/sim/job_spec.h"
#include "tests/sim/judge.h"
#include "tests/sim/messages.h"
#include "tests/sim/mutant.h"
#include "tests/sim/network.h"
#include "tests/sim/random.h"
#include "tests/sim/store.h"
#include "tests/sim/timer.h"
#include "tests/sim/trace.h"

namespace vigil::sim {

class CoordinatorNode : public Network::CoordinatorEnd {
 public:
  struct Parts {
    EventQueue* queue;
    Random* random;
    Trace* trace;
    Coverage* coverage;
    Judge* judge;
    Network* network;
    Store* store;
    Mutant mutant;
    // SIGKILLs a worker that this coordinator started.
    std::function<void(const SessionId&)> kill_local_worker;
    int64_t live_jobs_max = coordinator::kLiveJobsMax;
  };
  explicit CoordinatorNode(Parts parts);

  // --- its process
  void Start();
  void Crash();
  void Stop();
  void Continue();
  bool up() const { return core_ != nullptr; }
  bool stopped() const { return stopped_; }
  // Since when it is up and was not stopped.
  absl::Time quiet_since() const { return quiet_since_; }
  // Commits take `time` longer from now on.
  void SlowStore(absl::Duration time) { commit_delay_ = time; }
  // Null while it is down.
  const coordinator::Core* core() const { return core_.get(); }

  // --- calls of clients; nothing happens while it is down
  void Submit(const JobId& job);
  void Cancel(const JobId& job);
  void OwnerGone(const JobId& job);
  void OwnerBack(const JobId& job);
  void Drain(const WorkerId& worker, bool resume);
  void SetSlots(const WorkerId& worker, int slots);
  // A worker that it started, and everything below that, is reaped.
  void WorkerDead(const SessionId& session);

  void Receive(StreamId stream, ToCoordinator message) override;

 private:
  // Whether the coordinator says so with the assignment.
  bool IsSequential(const AttemptId& attempt) const;

  using Input = std::function<void(coordinator::Effects*)>;
  struct Batch {
    std::vector<JobId> save;
    std::vector<coordinator::Effect> after_commit;
    // What clients are told once it is durable.
    std::vector<std::function<void()>> replies;
    // The rows of `save`, once the batch is being flushed.
    std::vector<coordinator::Job> rows;
  };

  void Enqueue(Input input);
  void Wake();
  void Turn();
  void Arm();
  void Take(coordinator::Effects effects);
  void Commit();
  void Flush(const Batch& batch);
  void Durable(uint64_t life);
  void Committed();
  void ApplyMessage(StreamId stream, ToCoordinator* message,
                    coordinator::Effects* fx);
  void Attach(StreamId stream, coordinator::WorkerHello hello,
              coordinator::Effects* fx);
  void TakeStaleEnd(AttemptEnd* end) const;
  void Perform(const coordinator::Effect& effect);

  const Parts parts_;
  std::unique_ptr<coordinator::Core> core_;
  // Counts the lives of the process.
  uint64_t life_ = 0;
  std::deque<Input> inbox_;
  Timer timer_;
  bool turn_due_ = false;
  bool stopped_ = false;
  absl::Time stopped_since_;
  absl::Time quiet_since_;
  absl::Duration commit_delay_;
  int64_t turns_ = 0;
  Batch gathering_;
  std::optional<Batch> flushing_;
};

}  // namespace vigil::sim

#endif  // VIGIL_TESTS_SIM_COORDINATOR_NODE_H_
