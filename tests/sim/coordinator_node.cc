#include "tests/sim/coordinator_node.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"

namespace vigil::sim {
namespace {

using coordinator::Core;
using coordinator::Effects;

// Every so many turns the core walks all its state.
constexpr int64_t kTurnsPerCheck = 32;

}  // namespace

CoordinatorNode::CoordinatorNode(Parts parts)
    : parts_(std::move(parts)),
      timer_(parts_.queue, parts_.clock, [this] { Turn(); }) {}

void CoordinatorNode::Start() {
  const absl::Time now = parts_.clock->now();
  ++life_;
  coordinator::CoreOptions options;
  options.seed = parts_.random->Next();
  options.lease_margin = parts_.mutant == Mutant::kMarginForgotten
                             ? absl::ZeroDuration()
                             : parts_.lease_margin;
  options.live_jobs_max = parts_.live_jobs_max;
  core_ = std::make_unique<Core>(options);
  RestoreBatches();
  for (const auto& [id, row] : parts_.store->rows()) {
    if (IsFinal(row.state)) continue;
    auto job = std::make_unique<coordinator::Job>(Store::RowOf(row));
    if (parts_.mutant == Mutant::kAttemptNumberReused &&
        job->last_attempt > 0 &&
        job->state != coordinator::JobState::kRunning) {
      --job->last_attempt;
    }
    if (parts_.mutant == Mutant::kItemStartForgotten && !job->batch.empty() &&
        job->batch_index >= core_->FindBatch(job->batch)->started) {
      job->batch = BatchId();
    }
    if (parts_.mutant == Mutant::kBackoffLost &&
        job->state == coordinator::JobState::kBackoff) {
      job->retry_time = now;
    }
    core_->Restore(std::move(job), now);
  }
  core_->CheckInvariants();
  stopped_ = false;
  dispatches_ = true;
  quiet_since_ = parts_.queue->now();
  parts_.network->CoordinatorUp();
  parts_.trace->Add(parts_.queue->now(),
                    absl::StrCat("coordinator starts, life ", life_, ", ",
                                 core_->live_jobs(), " live jobs"));
  Wake();
}

void CoordinatorNode::Crash() {
  if (core_ == nullptr) return;
  parts_.trace->Add(parts_.queue->now(), "coordinator crashes");
  // A commit that was under way may have reached the disk or not.
  if (flushing_.has_value() && flushing_->has_rows() &&
      parts_.random->Chance(0.5)) {
    parts_.coverage->Count("crash: commit durable, effects lost");
    Flush(*flushing_);
  }
  if (flushing_.has_value()) CountLost(*flushing_);
  CountLost(gathering_);
  flushing_.reset();
  gathering_ = Gathering();
  kept_.clear();
  parts_.judge->drains().Forgotten();
  inbox_.clear();
  feeds_.clear();
  feed_time_ = absl::InfiniteFuture();
  timer_.Disarm();
  core_.reset();
  stopped_ = false;
  parts_.network->CoordinatorDown();
}

void CoordinatorNode::CountLost(const Gathering& gathered) const {
  for (const coordinator::Effect& effect : gathered.after_commit) {
    if (std::holds_alternative<coordinator::SendEndAck>(effect)) {
      parts_.coverage->Count(
          "lost with the coordinator: acknowledgement of an end");
    } else if (std::holds_alternative<coordinator::SendAssignment>(effect)) {
      parts_.coverage->Count("lost with the coordinator: assignment");
    }
  }
}

void CoordinatorNode::Stop() {
  if (core_ == nullptr || stopped_) return;
  parts_.trace->Add(parts_.queue->now(), "coordinator is stopped");
  stopped_ = true;
  stopped_since_ = parts_.clock->now();
}

void CoordinatorNode::Continue() {
  if (core_ == nullptr || !stopped_) return;
  parts_.trace->Add(parts_.queue->now(), "coordinator goes on");
  stopped_ = false;
  quiet_since_ = parts_.queue->now();
  core_->GrantStall(parts_.clock->now() - stopped_since_);
  Wake();
}

void CoordinatorNode::Enqueue(Input input) {
  if (core_ == nullptr) return;
  inbox_.push_back(std::move(input));
  Wake();
}

void CoordinatorNode::Wake() {
  if (turn_due_ || stopped_ || core_ == nullptr) return;
  turn_due_ = true;
  parts_.queue->After(
      parts_.random->Between(absl::Microseconds(5), absl::Microseconds(200)),
      [this] {
        turn_due_ = false;
        Turn();
      });
}

void CoordinatorNode::Turn() {
  if (core_ == nullptr || stopped_) return;
  Effects effects;
  while (!inbox_.empty()) {
    const Input input = std::move(inbox_.front());
    inbox_.pop_front();
    input(&effects);
  }
  FeedBatches(&effects);
  const int64_t lost = core_->counters().attempts_lost;
  core_->Tick(parts_.clock->now(), &effects);
  if (core_->counters().attempts_lost > lost) {
    parts_.coverage->Count("lease over");
  }
  if (++turns_ % kTurnsPerCheck == 0) core_->CheckInvariants();
  parts_.judge->drains().CheckAssigned(effects, *core_);
  Take(std::move(effects));
  Commit();
  Arm();
}

void CoordinatorNode::Arm() {
  if (parts_.mutant == Mutant::kDeadlineNotRearmed &&
      timer_.time() != absl::InfiniteFuture()) {
    return;
  }
  timer_.Arm(std::min(core_->NextDeadline(), feed_time_));
}

void CoordinatorNode::Take(Effects effects) {
  for (const JobId& job : effects.save) gathering_.save.push_back(job);
  for (const BatchId& batch : effects.save_batches) {
    gathering_.save_batches.push_back(batch);
  }
  for (coordinator::ItemEnd& end : effects.item_ends) {
    gathering_.item_ends.push_back(std::move(end));
  }
  for (const auto& effect : effects.at_once) Perform(effect);
  if (parts_.mutant == Mutant::kSentBeforeCommit) {
    for (const auto& effect : effects.after_commit) Perform(effect);
    return;
  }
  for (auto& effect : effects.after_commit) {
    gathering_.after_commit.push_back(std::move(effect));
  }
}

void CoordinatorNode::Commit() {
  if (flushing_.has_value()) return;
  if (gathering_.save.empty() && gathering_.save_batches.empty() &&
      gathering_.after_commit.empty() && gathering_.replies.empty()) {
    return;
  }
  flushing_ = std::exchange(gathering_, Gathering());
  absl::btree_set<JobId> saved;
  for (const JobId& id : flushing_->save) {
    if (!saved.insert(id).second) continue;
    const coordinator::Job* job = core_->FindJob(id);
    parts_.judge->Check(job != nullptr, id, "is saved and not there");
    flushing_->rows.push_back(Store::RowOf(*job));
  }
  FillBatches(&*flushing_);
  Random& random = *parts_.random;
  absl::Duration time =
      flushing_->has_rows()
          ? random.Between(absl::Microseconds(100), absl::Milliseconds(2))
          : absl::ZeroDuration();
  if (random.Chance(0.02)) {
    time += random.Between(absl::ZeroDuration(), absl::Milliseconds(200));
  }
  parts_.queue->After(time + commit_delay_,
                      [this, life = life_] { Durable(life); });
}

void CoordinatorNode::Flush(const Gathering& gathered) {
  BatchJudge& batches = parts_.judge->batches();
  for (const coordinator::Batch& row : gathered.batch_rows) {
    batches.Storing(row);
    parts_.store->Put(row);
  }
  for (const coordinator::Job& row : gathered.rows) {
    parts_.judge->Storing(row);
    parts_.store->Put(row);
  }
  for (const coordinator::ItemEnd& end : gathered.item_ends) {
    batches.Storing(end);
    parts_.store->Put(end);
  }
  batches.Stored();
}

void CoordinatorNode::Durable(uint64_t life) {
  // The store's thread: goes on while the loop is stopped.
  if (life != life_ || !flushing_.has_value()) return;
  Flush(*flushing_);
  flushing_->rows.clear();
  flushing_->batch_rows.clear();
  Enqueue([this](Effects*) { Committed(); });
}

void CoordinatorNode::Committed() {
  const Gathering gathered = *std::exchange(flushing_, std::nullopt);
  for (const auto& reply : gathered.replies) reply();
  for (const auto& effect : gathered.after_commit) Perform(effect);
  SettleBatches(gathered);
  for (const JobId& id : gathered.save) {
    const coordinator::Job* row = parts_.store->Find(id);
    if (row != nullptr && IsFinal(row->state)) core_->Forget(id);
  }
}

void CoordinatorNode::Submit(const JobId& id) {
  Enqueue([this, id](Effects* fx) {
    const JobSpec& spec = parts_.judge->Spec(id);
    coordinator::NewJob job;
    job.id = id;
    job.task_type = spec.task_type;
    job.priority = spec.priority;
    job.policy = spec.policy;
    if (!core_->Submit(std::move(job), parts_.clock->now(), fx).ok()) {
      parts_.coverage->Count("client: refused");
      return;
    }
    gathering_.replies.push_back([this, id] {
      parts_.trace->Add(parts_.queue->now(), id.value() + " is acknowledged");
      parts_.judge->Acknowledged(id);
    });
  });
}

void CoordinatorNode::Cancel(const JobId& id) {
  parts_.judge->MayCancel(id);
  Enqueue([this, id](Effects* fx) {
    parts_.trace->Add(parts_.queue->now(), id.value() + " is to be cancelled");
    core_->Cancel(id, parts_.clock->now(), fx);
  });
}

void CoordinatorNode::OwnerGone(const JobId& id) {
  parts_.judge->MayCancel(id);
  Enqueue([this, id](Effects*) {
    const coordinator::Job* job = core_->FindJob(id);
    if (job != nullptr) {
      core_->OwnerGone(id, job->owner, parts_.clock->now());
    }
  });
}

void CoordinatorNode::OwnerBack(const JobId& id) {
  Enqueue([this, id](Effects*) { core_->OwnerBack(id); });
}

void CoordinatorNode::Pause(const WorkerId& worker) {
  Enqueue([this, worker](Effects*) { core_->Pause(worker); });
}

void CoordinatorNode::Resume(const WorkerId& worker) {
  Enqueue([this, worker](Effects*) { core_->Resume(worker); });
}

void CoordinatorNode::Drain(const WorkerId& worker,
                            std::optional<absl::Duration> grace,
                            absl::Duration own_grace) {
  Enqueue([this, worker, grace, own_grace](Effects* fx) {
    const auto told = core_->Drain(worker, grace, fx);
    if (!told.ok()) {
      parts_.coverage->Count("operator: drain refused");
      return;
    }
    const SessionId& session = (*told)->hello.session;
    parts_.trace->Add(parts_.queue->now(), session.value() + " is to leave");
    parts_.judge->drains().Asked(session, grace.value_or(own_grace));
    parts_.judge->drains().Leaves(session);
  });
}

void CoordinatorNode::SetSlots(const WorkerId& worker, int slots) {
  Enqueue([this, worker, slots](Effects* fx) {
    core_->SetSlots(worker, slots, fx).status().IgnoreError();
  });
}

void CoordinatorNode::StopDispatch() {
  dispatches_ = false;
  Enqueue([this](Effects*) {
    core_->StopDispatch();
    parts_.judge->drains().CoordinatorLeaves();
  });
}

void CoordinatorNode::WorkerDead(const SessionId& session) {
  Enqueue([this, session](Effects* fx) {
    parts_.trace->Add(parts_.queue->now(), session.value() + " proved dead");
    core_->WorkerDead(session, parts_.clock->now(), fx);
  });
}

}  // namespace vigil::sim
