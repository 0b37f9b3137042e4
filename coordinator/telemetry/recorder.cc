#include "coordinator/telemetry/recorder.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "base/utf8.h"
#include "base/wire/time_wire.h"
#include "coordinator/telemetry/telemetry_view.h"

namespace vigil::coordinator {
namespace {

v1::Failure::Reason ReasonOf(const Job& job) {
  Reason reason = Reason::kUnspecified;
  if (job.fallback_failure.has_value()) {
    reason = job.fallback_failure->reason;
  } else if (job.truncation.has_value()) {
    reason = job.truncation->failure.reason;
  } else if (job.failure.has_value()) {
    reason = job.failure->reason;
  }
  return static_cast<v1::Failure::Reason>(reason);
}

void LogHealth(const Judgement& health) {
  switch (health.state) {
    case HealthState::kOk:
      Log(LogSeverity::kInfo, "health is OK again");
      return;
    case HealthState::kWarning:
      Log(LogSeverity::kWarning,
          absl::StrCat("health is WARNING: ", health.causes[0]));
      return;
    case HealthState::kAction:
      Log(LogSeverity::kWarning,
          absl::StrCat("health is ACTION: ", health.causes[0]));
      return;
  }
}

}  // namespace

template <typename Fill>
void Recorder::Emit(absl::Time now, Fill fill) {
  if (!sink_) return;
  events::Event event;
  vigil::ToProto(now, event.mutable_time());
  fill(&event);
  sink_(std::move(event));
}

void Recorder::AttemptEnded(const Job& job, const AttemptRecord& attempt,
                            absl::Time now) {
  telemetry_.AttemptEnded(job.task_type, job.id, attempt.failure, now);
  check_time_ = std::min(check_time_, now + kHealthCheckInterval);
  if (!attempt.failure.has_value()) return;
  Emit(now, [&](events::Event* event) {
    events::AttemptFailed* failed = event->mutable_attempt_failed();
    failed->set_job_id(job.id.value());
    failed->set_namespace_(job.namespace_);
    failed->set_task_type(job.task_type);
    failed->set_attempt(attempt.number);
    failed->set_worker_id(attempt.worker.value());
    failed->set_reason(
        static_cast<v1::Failure::Reason>(attempt.failure->reason));
    failed->set_message(ToUtf8(attempt.failure->message, kMessageBytesMax));
    failed->set_charged(attempt.charged);
  });
}

void Recorder::JobEnded(const Job& job, absl::Time now) {
  JobOutcome outcome;
  outcome.failed = job.state == JobState::kFailed;
  outcome.fallback = job.fallback_failure.has_value();
  outcome.truncated = job.truncation.has_value();
  outcome.retry_cured = job.retry_cured();
  telemetry_.JobEnded(outcome, now);
  Emit(now, [&](events::Event* event) {
    events::JobEnded* ended = event->mutable_job_ended();
    ended->set_job_id(job.id.value());
    ended->set_namespace_(job.namespace_);
    ended->set_task_type(job.task_type);
    ended->set_batch_id(job.batch.value());
    ended->set_state(static_cast<v1::Job::State>(job.state));
    ended->set_reason(ReasonOf(job));
    ended->set_attempts(job.charged_attempts + job.lost_attempts +
                        job.process_failures);
    ended->set_attempts_lost(job.lost_attempts);
    ended->set_retry_cured(outcome.retry_cured);
    ended->set_degraded(outcome.fallback);
    ended->set_truncated(outcome.truncated);
    vigil::ToProto(job.end_time - job.create_time,
                   ended->mutable_total_duration());
    if (job.start_time != absl::InfinitePast()) {
      vigil::ToProto(job.end_time - job.start_time,
                     ended->mutable_run_duration());
    }
  });
}

void Recorder::BatchEnded(const v1::Batch& batch, absl::Time now) {
  if (batch.partial()) telemetry_.PartialBatchEnded(now);
  Emit(now, [&](events::Event* event) {
    events::BatchEnded* ended = event->mutable_batch_ended();
    ended->set_batch_id(batch.batch_id());
    ended->set_namespace_(batch.namespace_());
    // A batch has at most some millions.
    const v1::BatchCounts& counts = batch.counts();
    ended->set_items(static_cast<int32_t>(counts.accepted()));
    ended->set_succeeded(static_cast<int32_t>(counts.succeeded()));
    ended->set_failed(static_cast<int32_t>(counts.failed()));
    ended->set_partial(batch.partial());
    ended->set_cause(ToUtf8(batch.stop_message(), kMessageBytesMax));
    vigil::ToProto(FromProto(batch.end_time()) - FromProto(batch.create_time()),
                   ended->mutable_total_duration());
  });
}

void Recorder::WorkerChanged(const WorkerNews& news, absl::Time now) {
  Emit(now, [&](events::Event* event) {
    switch (news.kind) {
      case WorkerNews::Kind::kAttached: {
        events::WorkerAttached* attached = event->mutable_worker_attached();
        attached->set_worker_id(news.worker.value());
        attached->set_session_id(news.session.value());
        attached->set_hostname(news.hostname);
        attached->set_slots(news.slots_max);
        return;
      }
      case WorkerNews::Kind::kLost: {
        events::WorkerLost* lost = event->mutable_worker_lost();
        lost->set_worker_id(news.worker.value());
        lost->set_session_id(news.session.value());
        lost->set_cause(news.cause);
        return;
      }
      case WorkerNews::Kind::kLeft: {
        events::WorkerLeft* left = event->mutable_worker_left();
        left->set_worker_id(news.worker.value());
        left->set_session_id(news.session.value());
        return;
      }
      case WorkerNews::Kind::kUsableSlots: {
        events::UsableSlotsChanged* usable =
            event->mutable_usable_slots_changed();
        usable->set_worker_id(news.worker.value());
        usable->set_slots(news.slots);
        usable->set_slots_max(news.slots_max);
        usable->set_cause(ToUtf8(news.cause, kMessageBytesMax));
        return;
      }
    }
  });
}

void Recorder::Tick(absl::Time now) {
  if (now < check_time_) return;
  telemetry_.Advance(now);
  // What is counted now may leave the window without a word.
  check_time_ = telemetry_.attempts() == 0
                    ? absl::InfiniteFuture()
                    : now + telemetry_.options().window / kWindowBuckets;
  const Judgement health = telemetry_.Judge();
  if (health.state == health_) return;
  Emit(now, [&](events::Event* event) {
    events::HealthChanged* changed = event->mutable_health_changed();
    changed->set_before(static_cast<v1::Telemetry::Health>(health_));
    changed->set_now(static_cast<v1::Telemetry::Health>(health.state));
    for (const std::string& cause : health.causes) changed->add_causes(cause);
  });
  health_ = health.state;
  LogHealth(health);
}

v1::Telemetry Recorder::Report(absl::Time now) {
  telemetry_.Advance(now);
  return ToProto(telemetry_);
}

}  // namespace vigil::coordinator
