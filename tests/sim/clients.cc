#include "tests/sim/clients.h"

#include <utility>

#include "absl/strings/str_format.h"

namespace vigil::sim {
namespace {

// Clients wait with new jobs while so many have not ended.
constexpr int64_t kLiveJobsWanted = 25;

constexpr absl::Duration kWatchInterval = absl::Milliseconds(500);

}  // namespace

JobId Clients::NewId() {
  return JobId(absl::StrFormat("job-%06d", NewNumber()));
}

void Clients::Start() {
  SubmitNext();
  WatchCoordinator();
}

void Clients::SubmitNext() {
  if (stopped_) return;
  Random& random = cluster_->random();
  CoordinatorNode& coordinator = cluster_->coordinator();
  if (coordinator.up() && !coordinator.stopped() &&
      coordinator.core()->live_jobs() < kLiveJobsWanted) {
    const int64_t burst = random.Chance(0.1) ? random.Int(2, 8) : 1;
    for (int64_t i = 0; i < burst; ++i) {
      Submit(RandomJob(NewId(), AnyType(), &random));
    }
    // Many small jobs of one type, so that some queue on warm programs.
    const std::shared_ptr<const TaskType> type = AnyType();
    if (type != nullptr && type->quick && random.Chance(0.3)) {
      const int64_t jobs = random.Int(4, 16);
      for (int64_t i = 0; i < jobs; ++i) {
        Submit(RandomJob(NewId(), type, &random));
      }
    }
  }
  cluster_->queue().After(
      random.Between(absl::Milliseconds(10), absl::Seconds(2)),
      [this] { SubmitNext(); });
}

std::shared_ptr<const TaskType> Clients::AnyType() {
  const TaskTypes& types = cluster_->types();
  const size_t which = cluster_->random().Index(types.size() + 1);
  return which == types.size() ? nullptr : types[which];
}

void Clients::Submit(JobSpec spec) {
  const JobId id = spec.id;
  const bool owned = spec.policy->cancel_on_disconnect;
  cluster_->judge().Submitted(std::move(spec));
  Random& random = cluster_->random();
  cluster_->queue().After(
      random.Between(absl::Microseconds(50), absl::Milliseconds(5)),
      [this, id] { cluster_->coordinator().Submit(id); });
  if (random.Chance(0.12)) PlanCancel(id);
  if (!owned) return;
  owned_.push_back(id);
  if (random.Chance(0.3)) PlanLoss(id);
}

void Clients::PlanCancel(const JobId& id) {
  Random& random = cluster_->random();
  const absl::Duration delay =
      random.Chance(0.5)
          ? random.Between(absl::Milliseconds(5), absl::Milliseconds(100))
          : random.Between(absl::Milliseconds(100), absl::Seconds(40));
  cluster_->queue().After(delay, [this, id] {
    cluster_->coverage().Count("client: cancel");
    cluster_->coordinator().Cancel(id);
  });
}

void Clients::PlanLoss(const JobId& id) {
  Random& random = cluster_->random();
  const absl::Duration delay =
      random.Between(absl::Milliseconds(10), absl::Seconds(20));
  cluster_->queue().After(delay, [this, id] {
    cluster_->coverage().Count("client: stream lost");
    cluster_->coordinator().OwnerGone(id);
  });
  if (random.Chance(0.5)) return;
  cluster_->queue().After(
      delay + random.Between(absl::Milliseconds(10), absl::Seconds(15)),
      [this, id] { cluster_->coordinator().OwnerBack(id); });
}

void Clients::WatchCoordinator() {
  if (cluster_->coordinator().up() &&
      cluster_->coordinator_lives() != seen_lives_) {
    seen_lives_ = cluster_->coordinator_lives();
    TakeOver();
  }
  cluster_->queue().After(kWatchInterval, [this] { WatchCoordinator(); });
}

void Clients::TakeOver() {
  for (const JobId& id : owned_) {
    const coordinator::Job* row = cluster_->store().Find(id);
    if (row == nullptr || IsFinal(row->state)) continue;
    cluster_->judge().MayCancel(id);
    if (cluster_->random().Chance(0.2)) continue;
    cluster_->coordinator().OwnerBack(id);
  }
}

}  // namespace vigil::sim
