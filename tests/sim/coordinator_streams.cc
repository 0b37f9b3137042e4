// The streams: what workers say, and what they are told.
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "tests/sim/coordinator_node.h"

namespace vigil::sim {
namespace {

using coordinator::Effects;

// Of the assignments over a rough network, those that are sent again on their
// stream, and how much later at most: long after most attempts have ended.
constexpr double kAssignedAgain = 0.05;
constexpr absl::Duration kAssignedAgainMax = absl::Seconds(5);

template <typename... Calls>
struct Overload : Calls... {
  using Calls::operator()...;
};
template <typename... Calls>
Overload(Calls...) -> Overload<Calls...>;

}  // namespace

void CoordinatorNode::Receive(StreamId stream, ToCoordinator message) {
  Enqueue([this, stream, message = std::move(message)](Effects* fx) mutable {
    ApplyMessage(stream, &message, fx);
  });
}

void CoordinatorNode::ApplyMessage(StreamId stream, ToCoordinator* message,
                                   Effects* fx) {
  const absl::Time now = parts_.clock->now();
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
          [&](DrainingMessage&) { HearDraining(stream); },
          [&](LeftMessage&) { HearLeft(stream, fx); },
          [&](AttemptEnd& end) {
            TakeStaleEnd(&end);
            if (kept_.contains(end.attempt)) TakeForCurrent(end, fx);
            TakeEnd(stream, std::move(end), fx);
          },
          [&](StreamEnd&) { LoseStream(stream, fx); }},
      *message);
}

void CoordinatorNode::TakeEnd(StreamId stream, AttemptEnd end, Effects* fx) {
  if (!IsCurrent(end.attempt)) {
    parts_.coverage->Count("end of an attempt that is over already");
  }
  core_->End(stream, std::move(end), parts_.clock->now(), fx);
}

void CoordinatorNode::LoseStream(StreamId stream, Effects* fx) {
  const coordinator::WorkerRecord* worker = RecordOf(stream);
  SessionId session;
  if (worker != nullptr) session = worker->hello.session;
  core_->StreamLost(stream);
  if (parts_.mutant == Mutant::kRequeuedBeforeLease && !session.empty()) {
    core_->WorkerDead(session, parts_.clock->now(), fx);
  }
}

const coordinator::WorkerRecord* CoordinatorNode::RecordOf(
    StreamId stream) const {
  for (const coordinator::WorkerRecord* worker : core_->Workers()) {
    if (worker->stream == stream) return worker;
  }
  return nullptr;
}

void CoordinatorNode::HearDraining(StreamId stream) {
  core_->SetDraining(stream);
  const coordinator::WorkerRecord* worker = RecordOf(stream);
  if (worker != nullptr) parts_.judge->drains().Leaves(worker->hello.session);
}

void CoordinatorNode::HearLeft(StreamId stream, Effects* fx) {
  const coordinator::WorkerRecord* worker = RecordOf(stream);
  if (worker == nullptr) {
    parts_.coverage->Count("left, and was given up before");
    return;
  }
  const SessionId session = worker->hello.session;
  const bool crossed = !worker->running.empty();
  const bool being_killed = worker->being_killed;
  core_->Left(stream, parts_.clock->now(), fx);
  // Its death is awaited.
  if (being_killed) return;
  parts_.trace->Add(parts_.queue->now(), session.value() + " has left");
  parts_.coverage->Count("worker left");
  if (crossed) parts_.coverage->Count("assignment crossed left");
  parts_.judge->drains().Left(session, *core_);
}

void CoordinatorNode::TakeForCurrent(AttemptEnd end, Effects* fx) {
  const coordinator::Job* job = core_->FindJob(end.attempt.job_id);
  if (job == nullptr || job->state != coordinator::JobState::kRunning) return;
  end.attempt.number = job->last_attempt;
  for (const coordinator::WorkerRecord* worker : core_->Workers()) {
    if (worker->hello.session != job->current().session) continue;
    core_->End(worker->stream, std::move(end), parts_.clock->now(), fx);
    return;
  }
}

void CoordinatorNode::TakeStaleEnd(AttemptEnd* end) const {
  if (parts_.mutant != Mutant::kStaleEndAccepted) return;
  const coordinator::Job* job = core_->FindJob(end->attempt.job_id);
  if (job != nullptr) end->attempt.number = job->last_attempt;
}

void CoordinatorNode::Attach(StreamId stream, coordinator::WorkerHello hello,
                             Effects* fx) {
  const absl::Time now = parts_.clock->now();
  const SessionId session = hello.session;
  const WorkerId worker = hello.worker;
  const bool proves = hello.predecessors_dead;
  const bool draining = hello.draining;
  parts_.trace->Add(
      parts_.queue->now(),
      absl::StrCat(session.value(), " attaches by stream ", stream, ", runs ",
                   hello.running.size(), ", ended ", hello.ended.size()));
  for (AttemptEnd& end : hello.ended) TakeStaleEnd(&end);
  const std::vector<AttemptEnd> ended = hello.ended;
  absl::StatusOr<coordinator::AttachVerdict> verdict =
      core_->Attach(stream, std::move(hello), now, fx);
  if (!verdict.ok()) {
    parts_.coverage->Count("session fenced");
    parts_.trace->Add(parts_.queue->now(), session.value() + " is fenced");
    parts_.network->CloseByCoordinator(stream, verdict.status());
    if (parts_.mutant == Mutant::kOldSessionHeard) {
      for (const AttemptEnd& end : ended) TakeForCurrent(end, fx);
    }
    return;
  }
  if (draining) {
    parts_.coverage->Count("attaches while it drains");
    parts_.judge->drains().Leaves(session);
  }
  for (const coordinator::Effect& effect : fx->at_once) {
    const auto* send = std::get_if<coordinator::SendDrain>(&effect);
    if (send == nullptr || send->stream != stream) continue;
    parts_.coverage->Count("drain told again on a new stream");
  }
  if (parts_.mutant == Mutant::kDeadAtAttach && proves) {
    for (const coordinator::WorkerRecord* other : core_->Workers()) {
      if (other->hello.worker == worker && other->hello.session != session) {
        core_->WorkerDead(other->hello.session, now, fx);
      }
    }
  }
  if (!verdict->kill.empty()) parts_.coverage->Count("attempt fenced");
  if (parts_.mutant == Mutant::kKeptUnchecked) {
    kept_.insert(verdict->kill.begin(), verdict->kill.end());
    verdict->kill.clear();
  }
  parts_.network->Send(stream, Attached{coordinator::kLease, verdict->kill});
}

bool CoordinatorNode::IsCurrent(const AttemptId& attempt) const {
  const coordinator::Job* job = core_->FindJob(attempt.job_id);
  return job != nullptr && job->state == coordinator::JobState::kRunning &&
         job->last_attempt == attempt.number;
}

void CoordinatorNode::Assign(const coordinator::SendAssignment& send) {
  // It may be over already, or given up, when its commit is durable.
  const coordinator::Job* job = core_->FindJob(send.attempt.job_id);
  const bool sequential = job != nullptr &&
                          job->last_attempt == send.attempt.number &&
                          job->current().sequential;
  parts_.network->Send(
      send.stream,
      Assignment{send.attempt, send.close_deadline - parts_.clock->now(),
                 sequential});
}

void CoordinatorNode::MayAssignAgain(const coordinator::SendAssignment& send) {
  Random& random = *parts_.random;
  if (!parts_.network->rough() || !random.Chance(kAssignedAgain)) return;
  parts_.queue->After(random.Between(absl::ZeroDuration(), kAssignedAgainMax),
                      [this, send, life = life_] {
                        if (life != life_ || core_ == nullptr || stopped_)
                          return;
                        // As long as its end was not acknowledged, which the
                        // worker waits for.
                        if (!IsCurrent(send.attempt)) return;
                        parts_.coverage->Count("fault: assignment sent again");
                        Assign(send);
                      });
}

void CoordinatorNode::Perform(const coordinator::Effect& effect) {
  Network& network = *parts_.network;
  std::visit(
      Overload{
          [&](const coordinator::SendAssignment& send) {
            parts_.trace->Add(
                parts_.queue->now(),
                absl::StrCat(send.attempt.job_id.value(), " attempt ",
                             send.attempt.number, " goes out by stream ",
                             send.stream));
            Assign(send);
            MayAssignAgain(send);
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
          [&](const coordinator::SendDrain& send) {
            network.Send(send.stream, DrainMessage{send.grace});
          },
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
