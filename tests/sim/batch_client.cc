#include "tests/sim/batch_client.h"

#include <algorithm>
#include <utility>

#include "tests/sim/batch_spec.h"

namespace vigil::sim {
namespace {

using coordinator::BatchState;

// Batches that one run has at a time: enough to meet each other, few enough to
// leave room for other jobs.
constexpr size_t kLiveBatchesWanted = 3;

// As of other clients, so that both kinds of jobs are there.
constexpr int64_t kLiveJobsWanted = 25;

constexpr absl::Duration kWatchInterval = absl::Milliseconds(500);

}  // namespace

void BatchClient::Start() {
  MakeNext();
  WatchCoordinator();
}

void BatchClient::Stop() {
  stopped_ = true;
  for (auto& [id, session] : sessions_) session.items = session.brought;
}

void BatchClient::MakeNext() {
  if (stopped_) return;
  CoordinatorNode& coordinator = cluster_->coordinator();
  if (sessions_.size() < kLiveBatchesWanted && coordinator.up() &&
      !coordinator.stopped() &&
      coordinator.core()->live_jobs() < kLiveJobsWanted) {
    Make();
  }
  cluster_->queue().After(
      cluster_->random().Between(absl::Milliseconds(50), absl::Seconds(8)),
      [this] { MakeNext(); });
}

void BatchClient::Make() {
  Random& random = cluster_->random();
  const TaskTypes& types = cluster_->types();
  const size_t which = random.Index(types.size() + 1);
  BatchSpec spec =
      RandomBatch(clients_->NewNumber(),
                  which == types.size() ? nullptr : types[which], &random);
  const BatchId id = spec.id;
  Session& session = sessions_[id];
  session.streamed = spec.policy.streamed;
  session.items = spec.items;
  cluster_->judge().batches().Submitted(std::move(spec));
  cluster_->coverage().Count(session.streamed ? "client: streams a batch"
                                              : "client: stores a batch");
  if (random.Chance(0.15)) PlanCancel(id);
  if (random.Chance(0.2)) PlanCancelOfItem(id);
  if (session.streamed && random.Chance(0.4)) PlanLoss(id);
  GoOn(id);
}

void BatchClient::GoOn(const BatchId& id) {
  NoticeRestart();
  const auto session = sessions_.find(id);
  if (session == sessions_.end()) return;
  const coordinator::Batch* row = cluster_->store().FindBatch(id);
  if (row != nullptr && row->state == BatchState::kEnded) {
    sessions_.erase(session);
    return;
  }
  // Who lost the stream of a batch cannot make one on it.
  if (session->second.connected) {
    if (row == nullptr) {
      cluster_->coordinator().CreateBatch(id);
    } else if (row->state == BatchState::kOpen) {
      Bring(id, &session->second);
    }
  }
  Random& random = cluster_->random();
  cluster_->queue().After(
      random.Chance(0.5)
          ? random.Between(absl::Milliseconds(1), absl::Milliseconds(20))
          : random.Between(absl::Milliseconds(20), absl::Seconds(3)),
      [this, id] { GoOn(id); });
}

void BatchClient::Bring(const BatchId& id, Session* session) {
  CoordinatorNode& coordinator = cluster_->coordinator();
  const bool last = session->brought == session->items;
  session->brought =
      std::min(session->items, session->brought + cluster_->random().Int(1, 5));
  // Also what was brought before: a crash may have forgotten it.
  if (session->streamed) {
    coordinator.OfferItems(id, session->brought,
                           last ? CoordinatorNode::Stream::kCloses
                                : CoordinatorNode::Stream::kGoesOn);
    return;
  }
  coordinator.AddItems(id, session->brought);
  if (last) coordinator.CloseBatch(id);
}

void BatchClient::PlanCancel(const BatchId& id) {
  cluster_->queue().After(
      cluster_->random().Between(absl::Milliseconds(5), absl::Seconds(20)),
      [this, id] {
        cluster_->coverage().Count("client: cancel of a batch");
        cluster_->coordinator().CancelBatch(id);
      });
}

void BatchClient::PlanCancelOfItem(const BatchId& id) {
  cluster_->queue().After(
      cluster_->random().Between(absl::Milliseconds(5), absl::Seconds(20)),
      [this, id] {
        CoordinatorNode& coordinator = cluster_->coordinator();
        if (!coordinator.up()) return;
        const coordinator::Batch* batch = coordinator.core()->FindBatch(id);
        if (batch == nullptr || batch->live.empty()) return;
        cluster_->coverage().Count("client: cancel of an item");
        coordinator.Cancel(batch->live.begin()->second);
      });
}

void BatchClient::PlanLoss(const BatchId& id) {
  Random& random = cluster_->random();
  const absl::Duration delay =
      random.Between(absl::Milliseconds(10), absl::Seconds(15));
  cluster_->queue().After(delay, [this, id] {
    const auto session = sessions_.find(id);
    if (session == sessions_.end()) return;
    cluster_->coverage().Count("client: stream of a batch lost");
    session->second.connected = false;
    cluster_->coordinator().BatchOwnerGone(id);
  });
  if (random.Chance(0.4)) return;
  cluster_->queue().After(
      delay + random.Between(absl::Milliseconds(10), absl::Seconds(12)),
      [this, id] { Connect(id); });
}

void BatchClient::Connect(const BatchId& id) {
  const auto session = sessions_.find(id);
  if (session == sessions_.end()) return;
  cluster_->coverage().Count("client: batch taken up");
  session->second.connected = true;
  cluster_->coordinator().BatchOwnerBack(id);
}

void BatchClient::NoticeRestart() {
  if (!cluster_->coordinator().up() ||
      cluster_->coordinator_lives() == seen_lives_) {
    return;
  }
  seen_lives_ = cluster_->coordinator_lives();
  Random& random = cluster_->random();
  for (auto& [id, session] : sessions_) {
    if (!session.streamed) continue;
    session.connected = false;
    if (random.Chance(0.25)) continue;
    cluster_->queue().After(
        random.Between(absl::Milliseconds(1), absl::Seconds(11)),
        [this, id = id] { Connect(id); });
  }
}

void BatchClient::WatchCoordinator() {
  NoticeRestart();
  cluster_->queue().After(kWatchInterval, [this] { WatchCoordinator(); });
}

}  // namespace vigil::sim
