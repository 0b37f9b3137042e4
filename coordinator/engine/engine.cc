#include "coordinator/engine/engine.h"

#include <cstdio>
#include <cstdlib>
#include <limits>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/log.h"
#include "base/wire/attempt_wire.h"
#include "base/wire/time_wire.h"
#include "coordinator/codec/job_codec.h"

namespace vigil::coordinator {
namespace {

template <typename... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};
template <typename... Ts>
Overloaded(Ts...) -> Overloaded<Ts...>;

}  // namespace

Engine::~Engine() {
  // What changed since the last hand-over; nobody waits for it any more.
  for (JobId& id : turn_.save) gathering_.dirty.insert(std::move(id));
  if (writer_ != nullptr) {
    for (const JobId& id : gathering_.dirty) {
      if (const Job* job = core_->FindJob(id)) {
        gathering_.batch.jobs.push_back(EncodeRow(*job));
      }
    }
    if (!gathering_.batch.empty()) {
      writer_->Commit(std::move(gathering_.batch), gathering_.number);
    }
  }
  // The writer finishes what it has; its answers find no loop any more. The
  // last connection to close folds the log into the database: it must be the
  // writer's.
  reader_.reset();
  writer_.reset();
}

void Engine::BeginTurn(absl::Time expected) {
  now_ = clock_.Now();
  const absl::Duration late = now_ - expected;
  if (late > kStallMin) core_->GrantStall(late);
}

absl::Time Engine::NextDeadline() const {
  return std::min(core_->NextDeadline(), housekeeping_time_);
}

void Engine::EndTurn() {
  core_->Tick(now_, &turn_);
  Housekeeping();
  Effects turn = std::exchange(turn_, {});
  for (JobId& id : turn.save) gathering_.dirty.insert(std::move(id));
  for (Effect& effect : turn.after_commit) {
    gathering_.effects.push_back(std::move(effect));
  }
  for (const Effect& effect : turn.at_once) Perform(effect);
  for (const Notice& notice : turn.notices) {
    for (Watcher* watcher : hub_.Of(notice.job_id)) {
      watcher->OnNotice(notice.failure);
    }
  }
  for (const JobId& id : turn.touched) {
    const std::vector<Watcher*> watchers = hub_.Of(id);
    const Job* job = watchers.empty() ? nullptr : core_->FindJob(id);
    if (job == nullptr || IsFinal(job->state)) continue;
    const auto shown = std::make_shared<const v1::Job>(
        ToProto(*job, core_->WaitingReasonOf(*job)));
    for (Watcher* watcher : watchers) watcher->OnJob(shown);
  }
  HandOver();
  FlushLinks();
}

void Engine::HandOver() {
  if (in_flight_.has_value() || gathering_.empty()) return;
  Gathering batch = std::exchange(gathering_, {});
  gathering_.number = batch.number + 1;
  for (const JobId& id : batch.dirty) {
    const Job* job = core_->FindJob(id);
    VIGIL_CHECK(job != nullptr, id.value());
    batch.batch.jobs.push_back(EncodeRow(*job));
    if (hub_.Watched(id)) {
      batch.shown.emplace_back(id, std::make_shared<const v1::Job>(ToProto(
                                       *job, core_->WaitingReasonOf(*job))));
    }
    if (IsFinal(job->state)) batch.ended.push_back(id);
  }
  if (batch.batch.empty()) {
    Settle(std::move(batch));
    return;
  }
  for (auto& [attempt, log] : outputs_) log.Handed();
  store::Batch rows = std::move(batch.batch);
  const uint64_t number = batch.number;
  in_flight_ = std::move(batch);
  writer_->Commit(std::move(rows), number);
}

void Engine::OnCommitted(uint64_t number, absl::Status status) {
  if (!status.ok()) {
    // What is durable is unknown: only a new process can find out.
    Log(LogSeverity::kError,
        absl::StrCat("the store failed, ending: ", status.message()));
    std::_Exit(1);
  }
  VIGIL_CHECK(in_flight_.has_value() && in_flight_->number == number,
              "batches are answered in order");
  for (auto& [attempt, log] : outputs_) log.Committed();
  Gathering batch = *std::move(in_flight_);
  in_flight_.reset();
  Settle(std::move(batch));
  std::vector<AttemptId> attempts;
  for (const auto& [attempt, log] : outputs_) attempts.push_back(attempt);
  for (const AttemptId& attempt : attempts) AcknowledgeOutput(attempt);
}

void Engine::Settle(Gathering batch) {
  for (const Effect& effect : batch.effects) Perform(effect);
  for (const auto& [id, shown] : batch.shown) {
    for (Watcher* watcher : hub_.Of(id)) watcher->OnJob(shown);
  }
  for (const JobId& id : batch.ended) {
    payloads_.Drop(id);
    if (std::unique_ptr<Job> job = core_->Forget(id)) {
      outputs_.erase({id, job->last_attempt});
    }
  }
  for (const std::function<void()>& waiter : batch.waiters) waiter();
}

void Engine::WhenDurable(std::function<void()> done) {
  // Changes of this turn are not in gathering_ yet: they will be at its end.
  if (!in_flight_.has_value() && gathering_.empty() && turn_.save.empty()) {
    done();
    return;
  }
  gathering_.waiters.push_back(std::move(done));
}

bool Engine::Read(std::function<void(store::StoreView&)> read,
                  std::function<void()> done) {
  return reader_->Run([this, read = std::move(read),
                       done = std::move(done)](store::StoreView& view) {
    read(view);
    post_(done);
  });
}

absl::StatusOr<const Job*> Engine::Submit(Submission submission) {
  if (!store_status_.ok()) {
    ++refused_for_store;
    return absl::UnavailableError(
        absl::StrCat("nothing can be stored at the moment, so nothing is "
                     "accepted; try again later: ",
                     store_status_.message()));
  }
  NewJob job;
  job.id = ids_.Next(now_);
  job.namespace_ = submission.namespace_;
  job.request_id = submission.request_id;
  job.request_hash = submission.request_hash;
  job.task_type = submission.spec.task_type();
  job.priority = submission.spec.priority();
  job.policy = policies_.Get(submission.spec, submission.cancel_on_disconnect);
  const JobId id = job.id;
  absl::StatusOr<const Job*> accepted =
      core_->Submit(std::move(job), now_, &turn_);
  if (!accepted.ok()) return accepted;
  v1::JobSpec program;
  if (submission.spec.has_command()) {
    program.mutable_command()->Swap(submission.spec.mutable_command());
  }
  program.mutable_arguments()->Swap(submission.spec.mutable_arguments());
  if (submission.spec.has_input()) {
    program.set_input(std::move(*submission.spec.mutable_input()));
  }
  auto payload =
      std::make_shared<const std::string>(program.SerializeAsString());
  gathering_.batch.payloads.push_back({id.value(), *payload});
  payloads_.Add(id, std::move(payload));
  if (!submission.request_id.empty()) {
    request_hashes_.insert(
        RequestKey(submission.namespace_, submission.request_id));
  }
  return accepted;
}

StreamId Engine::AddLink(WorkerLink* link) {
  links_[++last_stream_].link = link;
  return last_stream_;
}

void Engine::RemoveLink(StreamId stream) {
  links_.erase(stream);
  core_->StreamLost(stream);
}

v1::AttachResponse* Engine::Outgoing(StreamId stream, int64_t size_bytes) {
  const auto it = links_.find(stream);
  return it == links_.end() ? nullptr : it->second.outbox.Open(size_bytes);
}

void Engine::FlushLinks() {
  for (auto& [stream, link] : links_) {
    while (std::optional<v1::AttachResponse> message = link.outbox.Take()) {
      link.link->Deliver(*std::move(message));
    }
  }
}

void Engine::Perform(const Effect& effect) {
  constexpr int64_t kSmall = 64;
  std::visit(
      Overloaded{
          [&](const SendAssignment& send) { SendAssignmentOn(send); },
          [&](const SendStop& send) {
            v1::AttachResponse* message = Outgoing(send.stream, kSmall);
            if (message == nullptr) return;
            v1::Stop* stop = message->add_stops();
            vigil::ToProto(send.attempt, stop->mutable_attempt());
            stop->set_reason(static_cast<v1::Failure::Reason>(send.reason));
          },
          [&](const SendEndAck& send) {
            v1::AttachResponse* message = Outgoing(send.stream, kSmall);
            if (message == nullptr) return;
            vigil::ToProto(send.attempt, message->add_acknowledged_ends());
          },
          [&](const SendHeartbeatAck& send) {
            v1::AttachResponse* message = Outgoing(send.stream, kSmall);
            if (message != nullptr) message->set_heartbeat_number(send.number);
          },
          [&](const SendSlots& send) {
            v1::AttachResponse* message = Outgoing(send.stream, kSmall);
            if (message != nullptr) message->set_slots(send.slots);
          },
          [&](const CloseStream& close) {
            const auto it = links_.find(close.stream);
            if (it != links_.end()) it->second.link->Close(close.status);
          },
          [&](const KillLocalWorker& kill) {
            if (kill_local_worker_) kill_local_worker_(kill.session);
          },
      },
      effect);
}

void Engine::FillAssignment(const SendAssignment& effect,
                            const std::string& payload,
                            v1::AttachResponse* message) {
  const Job* job = core_->FindJob(effect.attempt.job_id);
  if (job == nullptr) return;
  v1::Assignment* assignment = message->add_assignments();
  vigil::ToProto(effect.attempt, assignment->mutable_attempt());
  assignment->set_namespace_(job->namespace_);
  assignment->mutable_spec()->ParseFromString(job->policy->spec);
  assignment->mutable_spec()->MergeFromString(payload);
  vigil::ToProto(std::max(effect.close_deadline - now_, absl::ZeroDuration()),
                 assignment->mutable_time_left());
}

void Engine::SendAssignmentOn(const SendAssignment& effect) {
  const auto it = links_.find(effect.stream);
  if (it == links_.end()) return;
  const JobId& id = effect.attempt.job_id;
  outputs_.try_emplace(effect.attempt, effect.attempt);
  if (effect.attempt.number > 1) {
    outputs_.erase({id, effect.attempt.number - 1});
  }
  if (std::shared_ptr<const std::string> payload = payloads_.Find(id)) {
    FillAssignment(
        effect, *payload,
        it->second.outbox.Open(static_cast<int64_t>(payload->size()) + 512));
    return;
  }
  std::shared_ptr<WorkerOutbox::Pending> held = it->second.outbox.Hold();
  auto payload = std::make_shared<absl::StatusOr<std::optional<std::string>>>();
  const bool queued = Read(
      [id, payload](store::StoreView& view) {
        *payload = view.GetPayload(id.value());
      },
      [this, effect, held, payload] {
        if (payload->ok() && (*payload)->has_value()) {
          FillAssignment(effect, ***payload, &held->message);
        } else {
          Log(LogSeverity::kError,
              absl::StrCat("the program of job ", effect.attempt.job_id.value(),
                           " cannot be read: ", payload->status().ToString()));
        }
        held->ready = true;
      });
  // Refused reads leave the message empty: the worker does not list the attempt
  // when it next attaches, and it is requeued.
  if (!queued) held->ready = true;
}

void Engine::TakeOutput(StreamId stream, const v1::AttemptOutput& proto) {
  const AttemptId attempt = vigil::FromProto(proto.attempt());
  const auto log = outputs_.find(attempt);
  const Job* job = core_->FindJob(attempt.job_id);
  const bool current = job != nullptr && job->state == JobState::kRunning &&
                       job->last_attempt == attempt.number;
  if (log == outputs_.end() || !current) {
    // Of an attempt that was given up: taken off the worker's hands.
    if (v1::AttachResponse* message = Outgoing(stream, 64)) {
      v1::OutputAck* ack = message->add_output_acks();
      vigil::ToProto(attempt, ack->mutable_attempt());
      ack->set_total_bytes(std::numeric_limits<int64_t>::max());
    }
    return;
  }
  auto output = std::make_shared<v1::Output>(proto.output());
  output->set_attempt(attempt.number);
  if (!log->second.Accept(output.get())) return;
  log->second.Store(*output, &gathering_.batch.output, &gathering_.batch.trims);
  for (Watcher* watcher : hub_.Of(attempt.job_id)) watcher->OnOutput(output);
}

void Engine::AcknowledgeOutput(const AttemptId& attempt) {
  const auto it = outputs_.find(attempt);
  const Job* job = core_->FindJob(attempt.job_id);
  if (it == outputs_.end() || job == nullptr ||
      job->state != JobState::kRunning || job->last_attempt != attempt.number) {
    return;
  }
  OutputLog& log = it->second;
  const int64_t taken = std::min(
      log.durable_bytes(), log.received_bytes() - hub_.HeldBytes(attempt));
  if (taken <= log.acknowledged_bytes) return;
  for (const WorkerRecord* worker : core_->Workers()) {
    if (worker->hello.session != job->current().session) continue;
    v1::AttachResponse* message = Outgoing(worker->stream, 64);
    if (message == nullptr) return;
    log.acknowledged_bytes = taken;
    v1::OutputAck* ack = message->add_output_acks();
    vigil::ToProto(attempt, ack->mutable_attempt());
    ack->set_total_bytes(taken);
  }
}

void Engine::Reattached(const std::vector<AttemptId>& running) {
  for (const AttemptId& attempt : running) {
    const auto it = outputs_.find(attempt);
    if (it == outputs_.end()) continue;
    it->second.acknowledged_bytes = 0;
    AcknowledgeOutput(attempt);
  }
}

void Engine::OutputTaken(const JobId& id) {
  const Job* job = core_->FindJob(id);
  if (job != nullptr) AcknowledgeOutput({id, job->last_attempt});
}

}  // namespace vigil::coordinator
