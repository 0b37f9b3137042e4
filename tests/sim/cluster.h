// Cluster: a coordinator, its store, workers and the network between them, each
// host on its own clock, and whoever starts processes again that ended: the
// coordinator for its local workers, an init system for the others.
// Thread-compatible; owns them all.
#ifndef VIGIL_TESTS_SIM_CLUSTER_H_
#define VIGIL_TESTS_SIM_CLUSTER_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/time/time.h"
#include "base/ids.h"
#include "tests/sim/coordinator_node.h"
#include "tests/sim/coverage.h"
#include "tests/sim/event_queue.h"
#include "tests/sim/host_clock.h"
#include "tests/sim/judge.h"
#include "tests/sim/mutant.h"
#include "tests/sim/network.h"
#include "tests/sim/random.h"
#include "tests/sim/store.h"
#include "tests/sim/task_type.h"
#include "tests/sim/trace.h"
#include "tests/sim/worker_node.h"

namespace vigil::sim {

class Cluster {
 public:
  struct Options {
    uint64_t seed = 1;
    Mutant mutant = Mutant::kNone;
    Trace::Mode trace = Trace::Mode::kQuiet;
    std::vector<WorkerNode::Options> workers;
    // Those that some worker offers.
    TaskTypes types;
    int64_t live_jobs_max = coordinator::kLiveJobsMax;
    absl::Duration lease_margin = coordinator::kLeaseMargin;
    // Of the coordinator's host, which is that of its local workers, too.
    HostClock::Options clock;
  };
  explicit Cluster(const Options& options);

  // Starts every process.
  void Start();

  // --- what befalls processes; each is started again after `down`
  void CrashCoordinator(absl::Duration down);
  void CrashWorker(int worker, absl::Duration down);
  // From now on processes may be stopped, killed and cut off...
  void Disturb() { calm_since_ = absl::InfiniteFuture(); }
  // ...until everything goes on, is up and reachable, and stays so.
  void Heal();

  // Ends the run if anything is as it must not be.
  void CheckEverything();
  // Notes which states occur.
  void CountStates();
  // All jobs are final, all batches have ended and all workers wait for work.
  bool Settled() const;

  uint64_t seed() const { return seed_; }
  EventQueue& queue() { return queue_; }
  Random& random() { return random_; }
  Trace& trace() { return trace_; }
  Coverage& coverage() { return coverage_; }
  Judge& judge() { return judge_; }
  Network& network() { return network_; }
  const Store& store() const { return store_; }
  const TaskTypes& types() const { return types_; }
  absl::Duration lease_margin() const { return lease_margin_; }
  CoordinatorNode& coordinator() { return coordinator_; }
  int workers() const { return static_cast<int>(workers_.size()); }
  WorkerNode& worker(int index) { return *workers_[index]; }
  // Lives of the coordinator that began so far.
  int coordinator_lives() const { return coordinator_lives_; }

 private:
  void CountClocks(const Options& options);
  void StartCoordinator();
  void RestoreWorkers();
  void KillLocalWorker(const SessionId& session);
  // A process ended; it is started again after `down`.
  void Restart(int worker, absl::Duration down);
  // Tells the coordinator once nothing of a dead local worker is left, then
  // starts it again.
  void AwaitDeath(int worker, SessionId session, absl::Time restart);

  const uint64_t seed_;
  EventQueue queue_;
  // The coordinator's.
  const HostClock clock_;
  Random random_;
  Trace trace_;
  Coverage coverage_;
  const TaskTypes types_;
  const absl::Duration lease_margin_;
  Store store_;
  Judge judge_;
  Network network_;
  CoordinatorNode coordinator_;
  std::vector<std::unique_ptr<WorkerNode>> workers_;
  int coordinator_lives_ = 0;
  // In true time.
  absl::Time calm_since_ = kStart;
};

}  // namespace vigil::sim

#endif  // VIGIL_TESTS_SIM_CLUSTER_H_
