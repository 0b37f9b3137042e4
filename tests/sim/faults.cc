#include "tests/sim/faults.h"

#include <cstdint>
#include <optional>

#include "coordinator/core/limits.h"
#include "worker/core/limits.h"

namespace vigil::sim {

namespace {

// Of all runs, those in which workers are told to leave.
constexpr double kLeavingRuns = 0.4;

}  // namespace

void Faults::Start() {
  cluster_->Disturb();
  Random& random = cluster_->random();
  constexpr Kind kAll[] = {
      Kind::kBreakStream,     Kind::kPartition, Kind::kCoordinatorCrash,
      Kind::kCoordinatorStop, Kind::kSlowStore, Kind::kWorkerCrash,
      Kind::kWorkerStop,      Kind::kSlotCrash, Kind::kSlotStop,
      Kind::kPause,           Kind::kSetSlots,  Kind::kChangeTypes,
      Kind::kClearCache,      Kind::kLeaseEdge, Kind::kLateAnswers};
  // Its worker kills the tree of one that is stopped at the end of its lease,
  // that much later.
  const bool slots_may_stop =
      cluster_->lease_margin() > 2 * worker::kFencedDeathMax;
  for (const Kind kind : kAll) {
    const bool stops_slot = kind == Kind::kSlotStop || kind == Kind::kLeaseEdge;
    if (!random.Chance(0.5) || (stops_slot && !slots_may_stop)) continue;
    kinds_.push_back(kind);
  }
  // Apart from the run's own chance: those without are as they were.
  Random leaving(cluster_->seed() * 7919 + 3);
  if (leaving.Chance(kLeavingRuns)) {
    kinds_.push_back(Kind::kDrain);
    kinds_.push_back(Kind::kTerminate);
    if (leaving.Chance(0.3)) kinds_.push_back(Kind::kCoordinatorLeaves);
  }
  if (kinds_.empty()) kinds_.push_back(Kind::kBreakStream);
  interval_ = random.Between(absl::Seconds(1), absl::Seconds(20));
  cluster_->network().SetRough(random.Chance(0.7));
  Next();
}

void Faults::Next() {
  Random& random = cluster_->random();
  cluster_->queue().After(random.Between(absl::ZeroDuration(), interval_ * 2),
                          [this] {
                            if (stopped_) return;
                            Random& random = cluster_->random();
                            Inject(kinds_[random.Index(kinds_.size())]);
                            Next();
                          });
}

absl::Duration Faults::Short() {
  Random& random = cluster_->random();
  // Across all the limits: a heartbeat, a keepalive, a lease.
  if (random.Chance(0.3)) {
    return random.Between(absl::Seconds(20), absl::Seconds(70));
  }
  return random.Between(absl::Milliseconds(20), absl::Seconds(10));
}

int Faults::AnyWorker() {
  return static_cast<int>(cluster_->random().Index(cluster_->workers()));
}

void Faults::Inject(Kind kind) {
  Coverage& coverage = cluster_->coverage();
  CoordinatorNode& coordinator = cluster_->coordinator();
  switch (kind) {
    case Kind::kBreakStream:
      cluster_->network().BreakOne();
      return;
    case Kind::kPartition:
      cluster_->network().Partition(AnyWorker(), Short());
      return;
    case Kind::kCoordinatorCrash:
      coverage.Count("fault: coordinator crash");
      cluster_->CrashCoordinator(Short());
      return;
    case Kind::kCoordinatorStop:
      StopCoordinator();
      return;
    case Kind::kSlowStore:
      coverage.Count("fault: slow store");
      coordinator.SlowStore(
          cluster_->random().Chance(0.5) ? absl::ZeroDuration() : Short() / 4);
      return;
    case Kind::kWorkerCrash:
      coverage.Count("fault: worker crash");
      cluster_->CrashWorker(AnyWorker(), Short());
      return;
    case Kind::kWorkerStop:
      StopWorker();
      return;
    case Kind::kSlotCrash:
      cluster_->worker(AnyWorker()).CrashSlot();
      return;
    case Kind::kSlotStop:
      cluster_->worker(AnyWorker()).StopSlot();
      return;
    case Kind::kPause:
      Pause();
      return;
    case Kind::kSetSlots:
      coverage.Count("operator: set slots");
      coordinator.SetSlots(cluster_->worker(AnyWorker()).id(),
                           static_cast<int>(cluster_->random().Int(0, 4)));
      return;
    case Kind::kChangeTypes:
      cluster_->worker(AnyWorker()).ChangeType();
      return;
    case Kind::kClearCache:
      cluster_->worker(AnyWorker()).ClearCache();
      return;
    case Kind::kLeaseEdge:
      StopSlotAtLease();
      return;
    case Kind::kLateAnswers:
      DelayAnswers();
      return;
    case Kind::kDrain:
      Drain();
      return;
    case Kind::kTerminate:
      Terminate();
      return;
    case Kind::kCoordinatorLeaves:
      LeaveCoordinator();
      return;
  }
}

void Faults::StopSlotAtLease() {
  // The worker's lease ends while a slot that should act on it cannot.
  const int worker = AnyWorker();
  cluster_->coverage().Count("fault: slot stopped at the lease");
  cluster_->network().Partition(
      worker, coordinator::kLease + cluster_->random().Between(
                                        absl::Seconds(5), absl::Seconds(60)));
  cluster_->queue().After(
      coordinator::kLease -
          cluster_->random().Between(absl::ZeroDuration(), absl::Seconds(6)),
      [this, worker] {
        if (!stopped_) cluster_->worker(worker).StopSlot();
      });
}

void Faults::DelayAnswers() {
  // The last heartbeats that arrive are answered, and the answers come long
  // after.
  const int worker = AnyWorker();
  cluster_->coverage().Count("fault: late answers");
  cluster_->network().HoldDown(
      worker,
      coordinator::kHeartbeatInterval +
          cluster_->random().Between(absl::Seconds(3), absl::Seconds(12)));
  cluster_->queue().After(coordinator::kHeartbeatInterval, [this, worker] {
    if (stopped_) return;
    cluster_->network().HoldUp(
        worker, coordinator::kLease + cluster_->random().Between(
                                          absl::Seconds(5), absl::Seconds(30)));
  });
}

void Faults::StopCoordinator() {
  CoordinatorNode& coordinator = cluster_->coordinator();
  if (!coordinator.up() || coordinator.stopped()) return;
  cluster_->coverage().Count("fault: coordinator stopped");
  coordinator.Stop();
  cluster_->queue().After(Short(), [&coordinator] { coordinator.Continue(); });
}

void Faults::StopWorker() {
  WorkerNode& worker = cluster_->worker(AnyWorker());
  if (!worker.up() || worker.stopped()) return;
  cluster_->coverage().Count("fault: worker stopped");
  worker.Stop();
  cluster_->queue().After(Short(), [&worker] { worker.Continue(); });
}

void Faults::Pause() {
  cluster_->coverage().Count("operator: pause");
  const WorkerId worker = cluster_->worker(AnyWorker()).id();
  cluster_->coordinator().Pause(worker);
  cluster_->queue().After(
      Short(), [this, worker] { cluster_->coordinator().Resume(worker); });
}

void Faults::Drain() {
  Random& random = cluster_->random();
  const int index = AnyWorker();
  const WorkerNode& worker = cluster_->worker(index);
  std::optional<absl::Duration> grace;
  if (random.Chance(0.2)) {
    grace = absl::ZeroDuration();
  } else if (random.Chance(0.8)) {
    grace = Short();
  }
  cluster_->coverage().Count(
      !grace.has_value() ? "operator: drain with the worker's grace"
      : *grace == absl::ZeroDuration() ? "operator: drain at once"
                                       : "operator: drain with grace");
  cluster_->coordinator().Drain(worker.id(), grace,
                                worker.options().drain_grace);
  MayInterrupt(index);
}

void Faults::Terminate() {
  const int worker = AnyWorker();
  if (!cluster_->worker(worker).up()) return;
  cluster_->coverage().Count("fault: worker terminated");
  cluster_->worker(worker).Terminate();
  MayInterrupt(worker);
}

void Faults::MayInterrupt(int worker) {
  // At once, while messages about it are under way, or while it drains.
  Random& random = cluster_->random();
  const int64_t what = random.Int(1, 100);
  const absl::Duration when =
      random.Chance(0.5)
          ? random.Between(absl::ZeroDuration(), absl::Milliseconds(5))
          : random.Between(absl::ZeroDuration(), absl::Seconds(5));
  if (what > 60) return;
  cluster_->queue().After(when, [this, worker, what] {
    if (stopped_) return;
    if (what <= 15) {
      cluster_->network().BreakAllOf(worker);
    } else if (what <= 25) {
      cluster_->network().Partition(worker, Short());
    } else if (what <= 40) {
      cluster_->CrashWorker(worker, Short());
    } else if (what <= 50) {
      cluster_->CrashCoordinator(Short());
    } else {
      const WorkerNode& node = cluster_->worker(worker);
      cluster_->coordinator().Drain(node.id(), Short() / 4,
                                    node.options().drain_grace);
    }
  });
}

void Faults::LeaveCoordinator() {
  CoordinatorNode& coordinator = cluster_->coordinator();
  if (!coordinator.up() || !coordinator.dispatches()) return;
  cluster_->coverage().Count("fault: coordinator terminated");
  coordinator.StopDispatch();
  for (int i = 0; i < cluster_->workers(); ++i) {
    if (cluster_->worker(i).options().local) cluster_->worker(i).Terminate();
  }
  cluster_->queue().After(Short(), [this] {
    if (!stopped_) cluster_->CrashCoordinator(Short());
  });
}

}  // namespace vigil::sim
