// The batches of the coordinator node, fed as the engine feeds them: items of a
// stored batch are read once they are durable and there is room, those of a
// streamed one are accepted and started together.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "coordinator/core/limits.h"
#include "tests/sim/coordinator_node.h"

namespace vigil::sim {
namespace {

using coordinator::BatchState;
using coordinator::Effects;

// Items that one read brings; the engine's many would make every batch one
// page.
constexpr int64_t kPageItems = 3;

bool IsLive(const coordinator::Batch* batch) {
  return batch != nullptr && batch->state != BatchState::kEnded;
}

}  // namespace

void CoordinatorNode::RestoreBatches() {
  const absl::Time now = parts_.clock->now();
  for (const auto& [id, row] : parts_.store->batches()) {
    if (row.state == BatchState::kEnded) continue;
    auto batch = std::make_unique<coordinator::Batch>(Store::RowOf(row));
    if (batch->state == BatchState::kStopping) {
      parts_.coverage->Count("batch: restored STOPPING");
      if (parts_.mutant == Mutant::kBatchStopForgotten) {
        batch->state = BatchState::kClosed;
        batch->stop_cause = coordinator::StopCause::kNone;
      }
    } else {
      parts_.coverage->Count("batch: restored");
    }
    if (parts_.mutant == Mutant::kItemStartForgotten) ForgetStart(batch.get());
    if (batch->policy.streamed) parts_.judge->batches().OwnerLost(id);
    feeds_[id].durable_items = feeds_[id].offered = batch->accepted;
    core_->RestoreBatch(std::move(batch), now);
  }
}

void CoordinatorNode::ForgetStart(coordinator::Batch* batch) const {
  for (const auto& [id, job] : parts_.store->rows()) {
    if (job.batch == batch->id && job.batch_index == batch->started - 1 &&
        !IsFinal(job.state)) {
      --batch->started;
      return;
    }
  }
}

void CoordinatorNode::CreateBatch(const BatchId& id) {
  Enqueue([this, id](Effects* fx) {
    if (core_->FindBatch(id) != nullptr ||
        parts_.store->FindBatch(id) != nullptr) {
      return;
    }
    const BatchSpec& spec = parts_.judge->batches().Spec(id);
    coordinator::NewBatch batch;
    batch.id = id;
    batch.policy = spec.policy;
    if (parts_.mutant == Mutant::kBackoffNotInFlight) {
      // RoomOf holds it to what was asked for.
      batch.policy.max_in_flight = coordinator::kBatchInFlightMax;
    }
    if (!core_->CreateBatch(std::move(batch), parts_.clock->now(), fx).ok()) {
      return;
    }
    feeds_[id] = Feed();
    if (spec.policy.streamed) {
      core_->BatchOwnerBack(id);
      parts_.judge->batches().OwnerBack(id);
    }
    gathering_.replies.push_back(
        [this, id] { parts_.judge->batches().Acknowledged(id, 0); });
  });
}

void CoordinatorNode::AddItems(const BatchId& id, int64_t items) {
  Enqueue([this, id, items](Effects* fx) {
    const coordinator::Batch* batch = core_->FindBatch(id);
    if (batch == nullptr || batch->state != BatchState::kOpen ||
        batch->accepted >= items) {
      return;
    }
    core_->AcceptItems(id, items - batch->accepted, fx);
    gathering_.replies.push_back(
        [this, id, items] { parts_.judge->batches().Acknowledged(id, items); });
  });
}

void CoordinatorNode::OfferItems(const BatchId& id, int64_t items,
                                 Stream stream) {
  Enqueue([this, id, items, stream](Effects*) {
    const auto feed = feeds_.find(id);
    if (feed == feeds_.end()) return;
    feed->second.offered = std::max(feed->second.offered, items);
    feed->second.closes |= stream == Stream::kCloses;
  });
}

void CoordinatorNode::CloseBatch(const BatchId& id) {
  Enqueue([this, id](Effects* fx) {
    if (!IsLive(core_->FindBatch(id))) return;
    parts_.judge->batches().MayClose(id);
    core_->CloseBatch(id, parts_.clock->now(), fx);
    gathering_.replies.push_back(
        [this, id] { parts_.judge->batches().AcknowledgedClosed(id); });
  });
}

void CoordinatorNode::CancelBatch(const BatchId& id) {
  Enqueue([this, id](Effects* fx) {
    if (!IsLive(core_->FindBatch(id))) return;
    parts_.trace->Add(parts_.queue->now(), id.value() + " is to be cancelled");
    parts_.judge->batches().MayCancel(id);
    core_->CancelBatch(id, fx);
    gathering_.replies.push_back(
        [this, id] { parts_.judge->batches().AcknowledgedStopped(id); });
  });
}

void CoordinatorNode::BatchOwnerGone(const BatchId& id) {
  Enqueue([this, id](Effects*) {
    const coordinator::Batch* batch = core_->FindBatch(id);
    if (batch == nullptr) return;
    core_->BatchOwnerGone(id, batch->owner, parts_.clock->now());
    parts_.judge->batches().OwnerLost(id);
    // What the stream brought and was not taken is lost with it.
    const auto feed = feeds_.find(id);
    if (feed == feeds_.end()) return;
    feed->second.offered = batch->accepted;
    feed->second.closes = false;
  });
}

void CoordinatorNode::BatchOwnerBack(const BatchId& id) {
  Enqueue([this, id](Effects*) {
    if (core_->BatchOwnerBack(id) == 0) return;
    parts_.judge->batches().OwnerBack(id);
  });
}

int64_t CoordinatorNode::RoomOf(const coordinator::Batch& batch) const {
  if (parts_.mutant != Mutant::kBackoffNotInFlight || batch.room() == 0) {
    return batch.room();
  }
  int64_t room = parts_.judge->batches().Spec(batch.id).policy.max_in_flight;
  for (const auto& [index, job] : batch.live) {
    if (core_->FindJob(job)->state != coordinator::JobState::kBackoff) --room;
  }
  return room;
}

void CoordinatorNode::FeedBatches(Effects* fx) {
  feed_time_ = absl::InfiniteFuture();
  const absl::Time now = parts_.clock->now();
  for (auto& [id, feed] : feeds_) {
    const coordinator::Batch* batch = core_->FindBatch(id);
    if (batch == nullptr || feed.reading) continue;
    if (feed.not_before <= now) {
      if (batch->policy.streamed) {
        TakeOffered(id, &feed, fx);
      } else {
        ReadItems(*batch, &feed);
      }
    }
    if (feed.not_before > now) {
      feed_time_ = std::min(feed_time_, feed.not_before);
    }
  }
}

void CoordinatorNode::TakeOffered(const BatchId& id, Feed* feed, Effects* fx) {
  const absl::Time now = parts_.clock->now();
  const coordinator::Batch* batch = core_->FindBatch(id);
  while (batch->state == BatchState::kOpen && batch->accepted < feed->offered &&
         RoomOf(*batch) > 0) {
    if (!core_->CanAdmit().ok()) {
      parts_.coverage->Count("batch: no room among the live jobs");
      feed->not_before = now + coordinator::kAdmissionRetryDelay;
      return;
    }
    core_->AcceptItems(id, 1, fx);
    const absl::Status status = StartItem(id, fx);
    parts_.judge->batches().Check(status.ok(), id,
                                  "an item is accepted and does not start");
    gathering_.replies.push_back([this, id, items = batch->accepted] {
      parts_.judge->batches().Acknowledged(id, items);
    });
  }
  if (!feed->closes || batch->accepted < feed->offered ||
      batch->state != BatchState::kOpen) {
    return;
  }
  parts_.judge->batches().MayClose(id);
  core_->CloseBatch(id, now, fx);
}

void CoordinatorNode::ReadItems(const coordinator::Batch& batch, Feed* feed) {
  const int64_t items = std::min(
      {RoomOf(batch), feed->durable_items - batch.started, kPageItems});
  if (items <= 0) return;
  feed->reading = true;
  const absl::Duration time =
      parts_.random->Between(absl::Microseconds(50), absl::Milliseconds(5));
  parts_.queue->After(
      time, [this, life = life_, id = batch.id, index = batch.started, items] {
        if (life != life_) return;
        Enqueue([this, id, index, items](Effects* fx) {
          TakePage(id, index, items, fx);
        });
      });
}

void CoordinatorNode::TakePage(const BatchId& id, int64_t index, int64_t items,
                               Effects* fx) {
  const auto feed = feeds_.find(id);
  if (feed == feeds_.end()) return;
  feed->second.reading = false;
  for (; items > 0; ++index, --items) {
    const coordinator::Batch* batch = core_->FindBatch(id);
    if (batch == nullptr || RoomOf(*batch) <= 0) return;
    parts_.judge->batches().Check(index == batch->started, id,
                                  "an item was read that is not the next");
    if (StartItem(id, fx).ok()) continue;
    parts_.coverage->Count("batch: no room among the live jobs");
    feed->second.not_before =
        parts_.clock->now() + coordinator::kAdmissionRetryDelay;
    return;
  }
}

absl::Status CoordinatorNode::StartItem(const BatchId& id, Effects* fx) {
  const BatchSpec& spec = parts_.judge->batches().Spec(id);
  const int64_t index = core_->FindBatch(id)->started;
  const absl::Time now = parts_.clock->now();
  if (spec.Refuses(index)) {
    core_->RefuseItem(id, absl::InvalidArgumentError("its input"), now, fx);
    return absl::OkStatus();
  }
  JobSpec item = spec.Item(index, life_);
  coordinator::NewJob job;
  job.id = item.id;
  job.task_type = item.task_type;
  job.priority = item.priority;
  job.policy = item.policy;
  const absl::Status status =
      core_->StartItem(id, std::move(job), now, fx).status();
  if (!status.ok()) return status;
  parts_.trace->Add(
      parts_.queue->now(),
      absl::StrCat(item.id.value(), " is item ", index, " of ", id.value()));
  parts_.judge->Submitted(std::move(item));
  return status;
}

void CoordinatorNode::FillBatches(Gathering* gathered) {
  if (parts_.mutant == Mutant::kOutcomeAlone && !gathered->item_ends.empty()) {
    gathering_.save_batches = std::exchange(gathered->save_batches, {});
  }
  absl::btree_set<BatchId> saved;
  for (const BatchId& id : gathered->save_batches) {
    if (!saved.insert(id).second) continue;
    const coordinator::Batch* batch = core_->FindBatch(id);
    parts_.judge->batches().Check(batch != nullptr, id,
                                  "is saved and not there");
    gathered->batch_rows.push_back(Store::RowOf(*batch));
  }
}

void CoordinatorNode::SettleBatches(const Gathering& gathered) {
  for (const BatchId& id : gathered.save_batches) {
    const coordinator::Batch* row = parts_.store->FindBatch(id);
    const auto feed = feeds_.find(id);
    if (feed == feeds_.end()) continue;
    feed->second.durable_items = row->accepted;
    if (row->state != BatchState::kEnded) continue;
    core_->ForgetBatch(id);
    feeds_.erase(feed);
  }
}

}  // namespace vigil::sim
