// Faults: what goes wrong during the safety phase, at random times, of the
// kinds that the seed chose for this run (each run has some kinds and not
// others, so that rare interplays are not drowned by common ones).
// Thread-compatible; does not own the cluster.
//
// What is assumed, as by the protocol itself: of a worker and its slots only
// one is stopped or killed at a time (what stops both stops their tasks), no
// clock runs more wrong than HostClock says, and where the margin is so short
// that only clocks fit in, no slot is stopped.
#ifndef VIGIL_TESTS_SIM_FAULTS_H_
#define VIGIL_TESTS_SIM_FAULTS_H_

#include <vector>

#include "tests/sim/cluster.h"

namespace vigil::sim {

class Faults {
 public:
  explicit Faults(Cluster* cluster) : cluster_(cluster) {}

  void Start();
  // No fault happens any more; what is broken stays so until Cluster::Heal.
  void Stop() { stopped_ = true; }

 private:
  enum class Kind {
    kBreakStream,
    kPartition,
    kCoordinatorCrash,
    kCoordinatorStop,
    kSlowStore,
    kWorkerCrash,
    kWorkerStop,
    kSlotCrash,
    kSlotStop,
    kPause,
    kSetSlots,
    kChangeTypes,
    kClearCache,
    kLeaseEdge,
    kLateAnswers,
    kDrain,
    kTerminate,
    kCoordinatorLeaves,
  };

  void Next();
  void Inject(Kind kind);
  void StopCoordinator();
  void StopWorker();
  void Pause();
  void Drain();
  void Terminate();
  // Of a worker that was told to leave just now.
  void MayInterrupt(int worker);
  void LeaveCoordinator();
  void StopSlotAtLease();
  void DelayAnswers();
  absl::Duration Short();
  int AnyWorker();

  Cluster* const cluster_;
  bool stopped_ = false;
  std::vector<Kind> kinds_;
  absl::Duration interval_;
};

}  // namespace vigil::sim

#endif  // VIGIL_TESTS_SIM_FAULTS_H_
