#include "tests/sim/cluster.h"

#include <cstdlib>
#include <utility>

#include "absl/strings/string_view.h"
#include "base/attempt.h"

namespace vigil::sim {
namespace {

// How often somebody looks whether what a dead worker left is dead too.
constexpr absl::Duration kReapInterval = absl::Milliseconds(20);

// How long an init system lets a worker that has left be down, at most.
constexpr absl::Duration kRestartDelayMax = absl::Seconds(10);

// How often an operator undoes what was done to the workers.
constexpr absl::Duration kRestoreInterval = absl::Seconds(10);

// From the end of all faults to that of what they did: the lease of a worker
// that was cut off, and those attempts that were given up with it.
constexpr absl::Duration kCalmDown = absl::Minutes(2);

absl::string_view SlotStateName(worker::SlotState state) {
  switch (state) {
    case worker::SlotState::kStarting:
      return "slot: STARTING";
    case worker::SlotState::kIdle:
      return "slot: IDLE";
    case worker::SlotState::kSpawning:
      return "slot: SPAWNING";
    case worker::SlotState::kRunning:
      return "slot: RUNNING";
    case worker::SlotState::kDumping:
      return "slot: DUMPING";
    case worker::SlotState::kSoftStop:
      return "slot: SOFT_STOP";
    case worker::SlotState::kInspecting:
      return "slot: INSPECTING";
    case worker::SlotState::kResetting:
      return "slot: RESETTING";
    case worker::SlotState::kWarm:
      return "slot: WARM";
    case worker::SlotState::kEnding:
      return "slot: ENDING";
    case worker::SlotState::kKilling:
      return "slot: KILLING";
    case worker::SlotState::kCollecting:
      return "slot: COLLECTING";
    case worker::SlotState::kLeaving:
      return "slot: LEAVING";
    case worker::SlotState::kGone:
      return "slot: GONE";
    case worker::SlotState::kStuck:
      return "slot: STUCK";
  }
  return "";
}

absl::string_view PhaseName(Phase phase) {
  switch (phase) {
    case Phase::kStarting:
      return "phase: STARTING";
    case Phase::kActive:
      return "phase: ACTIVE";
    case Phase::kStopping:
      return "phase: STOPPING";
    case Phase::kWarming:
      return "phase: WARMING";
    case Phase::kUnspecified:
    case Phase::kEnded:
      break;
  }
  return "phase: other";
}

}  // namespace

Cluster::Cluster(const Options& options)
    : seed_(options.seed),
      clock_(&queue_, options.clock),
      random_(options.seed),
      trace_(options.trace),
      types_(options.types),
      lease_margin_(options.lease_margin),
      judge_({&queue_, &clock_, &trace_, &coverage_, &store_}),
      network_({&queue_, &random_, &coverage_},
               static_cast<int>(options.workers.size())),
      coordinator_(
          {&queue_, &clock_, &random_, &trace_, &coverage_, &judge_, &network_,
           &store_, options.mutant,
           [this](const SessionId& session) { KillLocalWorker(session); },
           options.live_jobs_max, options.lease_margin}) {
  network_.SetCoordinator(&coordinator_);
  CountClocks(options);
  for (const WorkerNode::Options& worker : options.workers) {
    workers_.push_back(std::make_unique<WorkerNode>(
        WorkerNode::Parts{&queue_, &random_, &trace_, &coverage_, &judge_,
                          &network_, options.mutant,
                          [this](int index) {
                            Restart(index,
                                    random_.Between(absl::Milliseconds(100),
                                                    kRestartDelayMax));
                          }},
        worker));
  }
}

void Cluster::CountClocks(const Options& options) {
  if (lease_margin_ < coordinator::kLeaseMargin) {
    coverage_.Count("clocks: margin as short as may be");
  }
  for (const WorkerNode::Options& worker : options.workers) {
    const int64_t apart = options.clock.error_ppm - worker.clock.error_ppm;
    if (apart > 0) coverage_.Count("clocks: coordinator's runs faster");
    if (apart < 0) coverage_.Count("clocks: worker's runs faster");
    if (std::abs(apart) == 2 * HostClock::kErrorPpmMax) {
      coverage_.Count("clocks: as far apart as may be");
    }
  }
}

void Cluster::Start() {
  StartCoordinator();
  for (const auto& worker : workers_) worker->Start();
}

void Cluster::StartCoordinator() {
  ++coordinator_lives_;
  coordinator_.Start();
}

void Cluster::CrashCoordinator(absl::Duration down) {
  if (!coordinator_.up()) return;
  coordinator_.Crash();
  queue_.After(down, [this] {
    if (!coordinator_.up()) StartCoordinator();
  });
  // Local workers die with it, and come back with it.
  for (int i = 0; i < workers(); ++i) {
    if (workers_[i]->options().local) {
      CrashWorker(i, down + absl::Milliseconds(100));
    }
  }
}

void Cluster::CrashWorker(int worker, absl::Duration down) {
  WorkerNode& node = *workers_[worker];
  if (!node.up()) return;
  node.Crash();
  Restart(worker, down);
}

void Cluster::Restart(int worker, absl::Duration down) {
  WorkerNode& node = *workers_[worker];
  if (node.options().local) {
    AwaitDeath(worker, node.session(), queue_.now() + down);
    return;
  }
  queue_.After(down, [&node] {
    if (!node.up()) node.Start();
  });
}

void Cluster::KillLocalWorker(const SessionId& session) {
  for (int i = 0; i < workers(); ++i) {
    if (workers_[i]->session() == session && workers_[i]->up()) {
      CrashWorker(i, absl::Milliseconds(100));
      return;
    }
  }
}

void Cluster::AwaitDeath(int worker, SessionId session, absl::Time restart) {
  WorkerNode& node = *workers_[worker];
  if (node.AllDead()) {
    coordinator_.WorkerDead(session);
    queue_.At(restart, [&node] {
      if (!node.up()) node.Start();
    });
    return;
  }
  // A tree that cannot be killed does not keep its worker from coming back.
  if (restart <= queue_.now() && !node.up()) node.Start();
  if (node.up()) return;
  queue_.After(kReapInterval, [this, worker, session, restart] {
    AwaitDeath(worker, session, restart);
  });
}

void Cluster::Heal() {
  calm_since_ = queue_.now() + kCalmDown;
  network_.HealAll();
  network_.SetRough(false);
  coordinator_.SlowStore(absl::ZeroDuration());
  coordinator_.Continue();
  if (!coordinator_.dispatches()) CrashCoordinator(absl::ZeroDuration());
  if (!coordinator_.up()) StartCoordinator();
  for (const auto& worker : workers_) {
    worker->SetCalm();
    worker->Continue();
    worker->ContinueSlots();
    if (!worker->up()) worker->Start();
  }
  RestoreWorkers();
}

void Cluster::RestoreWorkers() {
  for (const auto& worker : workers_) {
    coordinator_.Resume(worker->id());
    coordinator_.SetSlots(worker->id(), worker->options().slots);
  }
  // Calls that come before a worker is attached again are refused.
  queue_.After(kRestoreInterval, [this] { RestoreWorkers(); });
}

void Cluster::CheckEverything() {
  judge_.CheckAcknowledged(coordinator_.core());
  if (coordinator_.up() && !coordinator_.stopped()) {
    coordinator_.core()->CheckInvariants();
    if (coordinator_.quiet_since() < queue_.now() - Judge::kLateMax) {
      judge_.CheckNotLate(*coordinator_.core(), calm_since_);
    }
  }
  for (const auto& worker : workers_) {
    if (!worker->up()) continue;
    worker->core()->CheckInvariants();
    worker->CheckNotLate();
  }
}

void Cluster::CountStates() {
  for (const auto& worker : workers_) {
    if (!worker->up()) continue;
    for (int i = 0; i < worker->places(); ++i) {
      coverage_.Count(SlotStateName(worker->core()->slot_state(i)));
    }
  }
  if (!coordinator_.up()) return;
  for (const auto& [id, row] : store_.rows()) {
    const coordinator::Job* job = coordinator_.core()->FindJob(id);
    if (job == nullptr) continue;
    switch (job->state) {
      case coordinator::JobState::kQueued:
        coverage_.Count("job: QUEUED");
        break;
      case coordinator::JobState::kBackoff:
        coverage_.Count("job: BACKOFF");
        break;
      case coordinator::JobState::kRunning:
        coverage_.Count(PhaseName(job->current().phase));
        break;
      case coordinator::JobState::kUnspecified:
      case coordinator::JobState::kSucceeded:
      case coordinator::JobState::kFailed:
      case coordinator::JobState::kCancelled:
        break;
    }
  }
}

bool Cluster::Settled() const {
  if (!coordinator_.up() || coordinator_.core()->live_jobs() > 0 ||
      !coordinator_.core()->batches().empty() || !judge_.AllFinal()) {
    return false;
  }
  for (const auto& worker : workers_) {
    if (!worker->Settled()) return false;
  }
  return true;
}

}  // namespace vigil::sim
