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

template <typename... Calls>
struct Overload : Calls... {
  using Calls::operator()...;
};
template <typename... Calls>
Overload(Calls...) -> Overload<Calls...>;

}  // namespace

CoordinatorNode::CoordinatorNode(Parts parts)
    : parts_(std::move(parts)), timer_(parts_.queue, [this] { Turn(); }) {}

void CoordinatorNode::Start() {
  const absl::Time now = parts_.queue->now();
  ++life_;
  coordinator::CoreOptions options;
  options.seed = parts_.random->Next();
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
    core_->Restore(std::move(job), now);
  }
  core_->CheckInvariants();
  stopped_ = false;
  quiet_since_ = now;
  parts_.network->CoordinatorUp();
  parts_.trace->Add(now, absl::StrCat("coordinator starts, life ", life_, ", ",
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
  flushing_.reset();
  gathering_ = Gathering();
  inbox_.clear();
  feeds_.clear();
  feed_time_ = absl::InfiniteFuture();
  timer_.Disarm();
  core_.reset();
  stopped_ = false;
  parts_.network->CoordinatorDown();
}

void CoordinatorNode::Stop() {
  if (core_ == nullptr || stopped_) return;
  parts_.trace->Add(parts_.queue->now(), "coordinator is stopped");
  stopped_ = true;
  stopped_since_ = parts_.queue->now();
}

void CoordinatorNode::Continue() {
  if (core_ == nullptr || !stopped_) return;
  parts_.trace->Add(parts_.queue->now(), "coordinator goes on");
  stopped_ = false;
  quiet_since_ = parts_.queue->now();
  core_->GrantStall(quiet_since_ - stopped_since_);
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
  core_->Tick(parts_.queue->now(), &effects);
  if (core_->counters().attempts_lost > lost) {
    parts_.coverage->Count("lease over");
  }
  if (++turns_ % kTurnsPerCheck == 0) core_->CheckInvariants();
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
    if (!core_->Submit(std::move(job), parts_.queue->now(), fx).ok()) {
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
    core_->Cancel(id, parts_.queue->now(), fx);
  });
}

void CoordinatorNode::OwnerGone(const JobId& id) {
  parts_.judge->MayCancel(id);
  Enqueue([this, id](Effects*) {
    const coordinator::Job* job = core_->FindJob(id);
    if (job != nullptr) {
      core_->OwnerGone(id, job->owner, parts_.queue->now());
    }
  });
}

void CoordinatorNode::OwnerBack(const JobId& id) {
  Enqueue([this, id](Effects*) { core_->OwnerBack(id); });
}

void CoordinatorNode::Drain(const WorkerId& worker, bool resume) {
  Enqueue([this, worker, resume](Effects*) {
    resume ? core_->Resume(worker) : core_->Pause(worker);
  });
}

void CoordinatorNode::SetSlots(const WorkerId& worker, int slots) {
  Enqueue([this, worker, slots](Effects* fx) {
    core_->SetSlots(worker, slots, fx).status().IgnoreError();
  });
}

void CoordinatorNode::WorkerDead(const SessionId& session) {
  Enqueue([this, session](Effects* fx) {
    parts_.trace->Add(parts_.queue->now(), session.value() + " proved dead");
    core_->WorkerDead(session, parts_.queue->now(), fx);
  });
}

void CoordinatorNode::Receive(StreamId stream, ToCoordinator message) {
  Enqueue([this, stream, message = std::move(message)](Effects* fx) mutable {
    ApplyMessage(stream, &message, fx);
  });
}

void CoordinatorNode::ApplyMessage(StreamId stream, ToCoordinator* message,
                                   Effects* fx) {
  const absl::Time now = parts_.queue->now();
  std::visit(
      Overload{
          [&](coordinator::WorkerHello& hello) {
            Attach(stream, std::move(hello), fx);
          },
          [&](HeartbeatMessage& heartbeat) {
            core_->Heartbeat(stream, heartbeat.number, {}, {}, now, fx);
          },
          [&](AttemptUpdate& update) {
            core_->Update(stream, std::move(update), now, fx);
          },
          [&](AttemptCheckpoint& checkpoint) {
            core_->TakeCheckpoint(stream, std::move(checkpoint), now, fx);
          },
          [&](Announcement& announcement) {
            core_->Announce(stream, std::move(announcement.task_types),
                            std::move(announcement.max_slots));
          },
          [&](TaskTypeStatus& status) {
            core_->SetTaskTypeStatus(stream, std::move(status));
          },
          [&](AheadMessage& ahead) { core_->SetAhead(stream, ahead.attempts); },
          [&](UsableSlotsMessage& usable) {
            core_->SetUsableSlots(stream, usable.slots, std::move(usable.cause),
                                  fx);
          },
          [&](AttemptEnd& end) {
            TakeStaleEnd(&end);
            core_->End(stream, std::move(end), now, fx);
          },
          [&](StreamEnd&) { core_->StreamLost(stream); }},
      *message);
}

void CoordinatorNode::TakeStaleEnd(AttemptEnd* end) const {
  if (parts_.mutant != Mutant::kStaleEndAccepted) return;
  const coordinator::Job* job = core_->FindJob(end->attempt.job_id);
  if (job != nullptr) end->attempt.number = job->last_attempt;
}

void CoordinatorNode::Attach(StreamId stream, coordinator::WorkerHello hello,
                             Effects* fx) {
  const absl::Time now = parts_.queue->now();
  const SessionId session = hello.session;
  const WorkerId worker = hello.worker;
  const bool proves = hello.predecessors_dead;
  parts_.trace->Add(now, absl::StrCat(session.value(), " attaches by stream ",
                                      stream, ", runs ", hello.running.size(),
                                      ", ended ", hello.ended.size()));
  for (AttemptEnd& end : hello.ended) TakeStaleEnd(&end);
  const absl::StatusOr<coordinator::AttachVerdict> verdict =
      core_->Attach(stream, std::move(hello), now, fx);
  if (!verdict.ok()) {
    parts_.coverage->Count("session fenced");
    parts_.trace->Add(now, session.value() + " is fenced");
    parts_.network->CloseByCoordinator(stream, verdict.status());
    return;
  }
  if (parts_.mutant == Mutant::kDeadAtAttach && proves) {
    for (const coordinator::WorkerRecord* other : core_->Workers()) {
      if (other->hello.worker == worker && other->hello.session != session) {
        core_->WorkerDead(other->hello.session, now, fx);
      }
    }
  }
  if (!verdict->kill.empty()) parts_.coverage->Count("attempt fenced");
  parts_.network->Send(stream, Attached{coordinator::kLease, verdict->kill});
}

bool CoordinatorNode::IsSequential(const AttemptId& attempt) const {
  const coordinator::Job* job = core_->FindJob(attempt.job_id);
  return job != nullptr && job->last_attempt == attempt.number &&
         job->current().sequential;
}

void CoordinatorNode::Perform(const coordinator::Effect& effect) {
  Network& network = *parts_.network;
  const absl::Time now = parts_.queue->now();
  std::visit(
      Overload{
          [&](const coordinator::SendAssignment& send) {
            parts_.trace->Add(
                now, absl::StrCat(send.attempt.job_id.value(), " attempt ",
                                  send.attempt.number, " goes out by stream ",
                                  send.stream));
            network.Send(send.stream,
                         Assignment{send.attempt, send.close_deadline - now,
                                    IsSequential(send.attempt)});
          },
          [&](const coordinator::SendStop& send) {
            network.Send(send.stream, StopMessage{send.attempt, send.reason});
          },
          [&](const coordinator::SendEndAck& send) {
            network.Send(send.stream, EndAck{send.attempt});
          },
          [&](const coordinator::SendHeartbeatAck& send) {
            network.Send(send.stream, HeartbeatAck{send.number});
          },
          [&](const coordinator::SendSlots& send) {
            network.Send(send.stream, SlotsMessage{send.slots});
          },
          [](const coordinator::SendDrain&) {},
          [&](const coordinator::CloseStream& close) {
            network.CloseByCoordinator(close.stream, close.status);
          },
          [&](const coordinator::KillLocalWorker& kill) {
            parts_.coverage->Count("local worker killed");
            parts_.kill_local_worker(kill.session);
          }},
      effect);
}

}  // namespace vigil::sim
