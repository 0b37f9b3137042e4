// What goes to the workers' streams and comes from them.
#include <limits>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/log.h"
#include "base/wire/attempt_wire.h"
#include "base/wire/time_wire.h"
#include "coordinator/engine/engine.h"

namespace vigil::coordinator {
namespace {

template <typename... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};
template <typename... Ts>
Overloaded(Ts...) -> Overloaded<Ts...>;

}  // namespace

StreamId Engine::AddLink(WorkerLink* link) {
  links_[++last_stream_].link = link;
  return last_stream_;
}

void Engine::RemoveLink(StreamId stream) {
  links_.erase(stream);
  core_->StreamLost(stream);
  clears_.StreamLost(stream);
  sweeps_.StreamLost(stream);
}

v1::AttachResponse* Engine::Outgoing(StreamId stream, int64_t size_bytes) {
  const auto it = links_.find(stream);
  return it == links_.end() ? nullptr : it->second.outbox.Open(size_bytes);
}

void Engine::FlushLinks() {
  for (auto& [stream, link] : links_) {
    // What a worker does not read waits here, where it has no programs.
    while (link.link->backlog_bytes() < kWorkerBacklogBytesMax) {
      std::optional<v1::AttachResponse> message = link.outbox.Take();
      if (!message.has_value()) break;
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
          [&](const SendDrain& send) {
            v1::AttachResponse* message = Outgoing(send.stream, kSmall);
            if (message == nullptr) return;
            v1::Drain* drain = message->mutable_drain();
            if (send.grace.has_value()) {
              vigil::ToProto(*send.grace, drain->mutable_grace());
            }
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
                            const std::string* checkpoint,
                            v1::AttachResponse* message) {
  const Job* job = core_->FindJob(effect.attempt.job_id);
  if (job == nullptr) return;
  v1::Assignment* assignment = message->add_assignments();
  vigil::ToProto(effect.attempt, assignment->mutable_attempt());
  assignment->set_namespace_(job->namespace_);
  assignment->mutable_spec()->ParseFromString(job->policy->spec);
  assignment->mutable_spec()->MergeFromString(payload);
  assignment->mutable_spec()->clear_fallback();  // none of a worker's business
  vigil::ToProto(std::max(effect.close_deadline - now_, absl::ZeroDuration()),
                 assignment->mutable_time_left());
  if (checkpoint != nullptr) assignment->set_checkpoint(*checkpoint);
  assignment->set_sequential(job->current().sequential);
}

void Engine::SendAssignmentOn(const SendAssignment& effect) {
  const auto it = links_.find(effect.stream);
  const JobId& id = effect.attempt.job_id;
  const Job* job = core_->FindJob(id);
  if (it == links_.end() || job == nullptr) return;
  WorkerOutbox* outbox = &it->second.outbox;
  outputs_.try_emplace(effect.attempt, effect.attempt);
  if (effect.attempt.number > 1) {
    outputs_.erase({id, effect.attempt.number - 1});
  }
  if (outbox->size_bytes() + it->second.link->backlog_bytes() >=
      kWorkerBacklogBytesMax) {
    outbox->PutOff(
        [this, effect](const std::shared_ptr<WorkerOutbox::Pending>& held) {
          FillPutOff(effect, held);
        });
    return;
  }
  const Blob payload = payloads_.Find(id);
  const Blob checkpoint =
      job->checkpoint.has_value() ? checkpoints_.Find(id) : nullptr;
  if (payload == nullptr ||
      (job->checkpoint.has_value() && checkpoint == nullptr)) {
    ReadAssignment(effect, outbox->Hold(kMessageBytesSoftMax));
    return;
  }
  const size_t bytes =
      payload->size() + (checkpoint == nullptr ? 0 : checkpoint->size());
  FillAssignment(effect, *payload, checkpoint.get(),
                 outbox->Open(static_cast<int64_t>(bytes) + 512));
}

void Engine::FillPutOff(const SendAssignment& effect,
                        const std::shared_ptr<WorkerOutbox::Pending>& held) {
  const JobId& id = effect.attempt.job_id;
  const Job* job = core_->FindJob(id);
  if (job == nullptr || job->state != JobState::kRunning ||
      job->last_attempt != effect.attempt.number) {
    held->ready = true;  // It is over; its worker need not hear of it.
    return;
  }
  ReadAssignment(effect, held);
}

void Engine::ReadAssignment(
    const SendAssignment& effect,
    const std::shared_ptr<WorkerOutbox::Pending>& held) {
  struct Parts {
    absl::StatusOr<std::optional<std::string>> payload;
    absl::StatusOr<std::optional<std::string>> checkpoint = std::nullopt;
  };
  const JobId& id = effect.attempt.job_id;
  const bool with_checkpoint = core_->FindJob(id)->checkpoint.has_value();
  auto parts = std::make_shared<Parts>();
  const bool queued = Read(
      [id, with_checkpoint, parts](store::StoreView& view) {
        parts->payload = view.GetPayload(id.value());
        if (with_checkpoint) parts->checkpoint = view.GetResult(id.value());
      },
      [this, effect, held, parts] {
        const auto& [payload, checkpoint] = *parts;
        if (payload.ok() && payload->has_value() && checkpoint.ok()) {
          FillAssignment(
              effect, **payload,
              checkpoint->has_value() ? &checkpoint->value() : nullptr,
              &held->message);
        } else {
          const absl::Status why = !payload.ok() ? payload.status()
                                   : !checkpoint.ok()
                                       ? checkpoint.status()
                                       : absl::DataLossError("it is not there");
          Log(LogSeverity::kError,
              absl::StrCat("what job ", effect.attempt.job_id.value(),
                           " runs cannot be read: ", why.ToString()));
          core_->NotSent(effect.attempt, why, now_, &turn_);
        }
        held->ready = true;
      });
  if (queued) return;
  held->ready = true;
  core_->NotSent(effect.attempt, absl::ResourceExhaustedError("reads wait"),
                 now_, &turn_);
}

absl::Status Engine::ClearCache(StreamId stream, const std::string& task_type,
                                CacheClears::Done done) {
  if (clears_.full()) {
    return Refuse(Limit::kWorkerCalls, "",
                  absl::ResourceExhaustedError(absl::StrCat(
                      kWorkerCallsMax,
                      " caches are being cleared, which is the most; try again "
                      "later")));
  }
  const auto it = links_.find(stream);
  VIGIL_CHECK(it != links_.end(), task_type);
  Link& link = it->second;
  const int64_t number = ++link.last_clear_cache;
  v1::ClearCache* clear = link.outbox.Open(128)->add_clear_caches();
  clear->set_number(number);
  clear->set_task_type(task_type);
  clears_.Add(stream, number, now_ + kWorkerCallTimeout, std::move(done));
  return absl::OkStatus();
}

void Engine::TakeClearCacheDone(StreamId stream,
                                const v1::ClearCacheDone& done) {
  clears_.Answer(
      stream, done.number(),
      absl::Status(static_cast<absl::StatusCode>(done.code()), done.message()));
}

absl::Status Engine::Sweep(StreamId stream, SweepMode mode, Sweeps::Done done) {
  if (sweeps_.full()) {
    return Refuse(Limit::kWorkerCalls, "",
                  absl::ResourceExhaustedError(absl::StrCat(
                      kWorkerCallsMax,
                      " sweeps are waited for, which is the most; try again "
                      "later")));
  }
  const auto it = links_.find(stream);
  VIGIL_CHECK(it != links_.end(), "a sweep is asked of a worker's stream");
  Link& link = it->second;
  const int64_t number = ++link.last_sweep;
  v1::Sweep* sweep = link.outbox.Open(64)->add_sweeps();
  sweep->set_number(number);
  sweep->set_dry_run(mode == SweepMode::kLookOnly);
  sweeps_.Add(stream, number, now_ + kWorkerCallTimeout, std::move(done));
  return absl::OkStatus();
}

void Engine::TakeSweepDone(StreamId stream, const v1::SweepDone& done) {
  if (done.code() == 0) {
    sweeps_.Answer(stream, done.number(), done.result());
    return;
  }
  sweeps_.Answer(
      stream, done.number(),
      absl::Status(static_cast<absl::StatusCode>(done.code()), done.message()));
}

void Engine::TakeOutput(StreamId stream, const v1::AttemptOutput& proto) {
  const AttemptId attempt = vigil::FromProto(proto.attempt());
  const auto log = outputs_.find(attempt);
  if (log == outputs_.end() || !core_->Holds(stream, attempt)) {
    const Job* job = core_->FindJob(attempt.job_id);
    if (job != nullptr && job->last_attempt == attempt.number &&
        job->state != JobState::kRunning) {
      // Its end is known and may not be durable: should it have to come again,
      // so must this. The acknowledgement of the end frees the worker of it.
      return;
    }
    // Of an attempt that was given up, or was never this worker's: taken off
    // its hands.
    if (v1::AttachResponse* message = Outgoing(stream, 64)) {
      v1::OutputAck* ack = message->add_output_acks();
      vigil::ToProto(attempt, ack->mutable_attempt());
      ack->set_total_bytes(std::numeric_limits<int64_t>::max());
    }
    return;
  }
  v1::Output output = proto.output();
  output.set_attempt(attempt.number);
  if (!log->second.Accept(&output)) return;
  log->second.Store(output, &gathering_.batch.output, &gathering_.batch.trims);
  hub_.TellOutput(attempt.job_id, std::move(output));
}

void Engine::AcknowledgeOutput(const AttemptId& attempt) {
  const auto it = outputs_.find(attempt);
  const Job* job = core_->FindJob(attempt.job_id);
  if (it == outputs_.end() || job == nullptr ||
      job->state != JobState::kRunning || job->last_attempt != attempt.number) {
    return;
  }
  OutputLog& log = it->second;
  if (log.durable_bytes() <= log.acknowledged_bytes) return;
  const int64_t received = log.received_bytes();
  const int64_t taken = std::min(log.durable_bytes(),
                                 received - hub_.HeldBytes(attempt, received));
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

void Engine::AcknowledgeTaken() {
  for (const JobId& id : std::exchange(taken_, {})) {
    const Job* job = core_->FindJob(id);
    if (job != nullptr) AcknowledgeOutput({id, job->last_attempt});
  }
}

}  // namespace vigil::coordinator
