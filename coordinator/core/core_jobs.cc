// The life of a job: states, deadlines, retries.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/check.h"
#include "coordinator/core/core.h"
#include "coordinator/core/retry.h"

namespace vigil::coordinator {

Core::Core(const CoreOptions& options)
    : options_(options),
      random_(options.seed),
      dispatch_time_(options.dispatch_time) {}

Core::~Core() = default;

Job* Core::FindMutable(const JobId& id) {
  const auto it = jobs_.find(id);
  return it == jobs_.end() ? nullptr : it->second.get();
}

const Job* Core::FindJob(const JobId& id) const {
  const auto it = jobs_.find(id);
  return it == jobs_.end() ? nullptr : it->second.get();
}

void Core::Save(Job* job, Effects* fx) {
  ++job->revision;
  fx->save.push_back(job->id);
}

void Core::SetState(Job* job, JobState state, absl::Time now, Effects* fx) {
  VIGIL_CHECK(MayChange(job->state, state), job->id.value());
  if (job->state == JobState::kQueued) queues_.Remove(*job);
  if (job->state == JobState::kRunning &&
      --running_by_type_[job->task_type] == 0) {
    running_by_type_.erase(job->task_type);
  }
  --live_in_[static_cast<int>(job->state)];
  job->state = state;
  ++live_in_[static_cast<int>(job->state)];
  if (state == JobState::kRunning) ++running_by_type_[job->task_type];
  if (state == JobState::kQueued) {
    if (!std::exchange(job->handed_back, false)) job->queue_time = now;
    queues_.Add(job);
  }
  UpdateDeadline(job);
  Save(job, fx);
}

void Core::UpdateDeadline(Job* job) {
  absl::Time due = job->owner_deadline;
  const absl::Time close = job->create_time + job->policy->schedule_to_close;
  if (job->state == JobState::kQueued) {
    due = std::min(
        {due, close, job->queue_time + job->policy->schedule_to_start});
  } else if (job->state == JobState::kBackoff) {
    due = std::min({due, close, job->retry_time});
  } else if (IsFinal(job->state)) {
    due = absl::InfiniteFuture();
  }
  job_deadlines_.Set(job, due);
}

void Core::Restore(std::unique_ptr<Job> restored, absl::Time now) {
  Job* job = restored.get();
  VIGIL_CHECK(!IsFinal(job->state), job->id.value());
  VIGIL_CHECK(jobs_.try_emplace(job->id, std::move(restored)).second,
              job->id.value());
  job->sequence = ++last_sequence_;
  ++live_in_[static_cast<int>(job->state)];
  if (job->policy->cancel_on_disconnect) {
    job->owner_deadline = now + kOwnerGrace;
  }
  if (!job->batch.empty()) batches_.RestoreJob(*job);
  if (job->state == JobState::kQueued) queues_.Add(job);
  if (job->state == JobState::kRunning) {
    ++running_by_type_[job->task_type];
    const SessionId& session = job->current().session;
    std::unique_ptr<WorkerRecord>& worker = workers_[session];
    if (worker == nullptr) {
      worker = std::make_unique<WorkerRecord>();
      worker->hello.session = session;
      worker->hello.worker = job->current().worker;
      worker->attach_time = worker->last_heartbeat_time = now;
      worker->lease_time = now + options_.lease_margin +
                           std::max(options_.lease, options_.previous_lease);
      lease_deadlines_.Set(worker.get(), worker->lease_time);
      latest_session_[worker->hello.worker] = worker.get();
    }
    worker->Hold({job->id, job->last_attempt}, job);
  }
  UpdateDeadline(job);
}

absl::StatusOr<const Job*> Core::Submit(NewJob submission, absl::Time now,
                                        Effects* fx) {
  return Admit(std::move(submission), nullptr, now, fx);
}

absl::Status Core::CanAdmit() const {
  if (live_jobs() < options_.live_jobs_max) return absl::OkStatus();
  return absl::ResourceExhaustedError(absl::StrFormat(
      "%d jobs have not ended, which is the most this coordinator holds; "
      "try again in %s",
      live_jobs(), absl::FormatDuration(kAdmissionRetryDelay)));
}

absl::StatusOr<Job*> Core::Admit(NewJob submission, const Batch* batch,
                                 absl::Time now, Effects* fx) {
  if (absl::Status status = CanAdmit(); !status.ok()) return status;
  auto owned = std::make_unique<Job>();
  Job* job = owned.get();
  job->id = std::move(submission.id);
  job->namespace_ = std::move(submission.namespace_);
  job->request_id = std::move(submission.request_id);
  job->request_hash = submission.request_hash;
  job->task_type = std::move(submission.task_type);
  job->priority = submission.priority;
  job->policy = std::move(submission.policy);
  if (batch != nullptr) {
    job->batch = batch->id;
    job->batch_index = batch->started;
  }
  job->sequence = ++last_sequence_;
  job->create_time = now;
  job->state = JobState::kUnspecified;
  VIGIL_CHECK(jobs_.try_emplace(job->id, std::move(owned)).second,
              job->id.value());
  ++live_in_[static_cast<int>(JobState::kUnspecified)];
  SetState(job, JobState::kQueued, now, fx);
  return job;
}

std::unique_ptr<Job> Core::Forget(const JobId& id) {
  const auto it = jobs_.find(id);
  if (it == jobs_.end() || !IsFinal(it->second->state)) return nullptr;
  std::unique_ptr<Job> job = std::move(it->second);
  --live_in_[static_cast<int>(job->state)];
  jobs_.erase(it);
  return job;
}

bool Core::Cancel(const JobId& id, absl::Time now, Effects* fx) {
  Job* job = FindMutable(id);
  if (job == nullptr) return false;
  RequestCancel(job, now, fx);
  return true;
}

void Core::RequestCancel(Job* job, absl::Time now, Effects* fx) {
  if (job->cancel_requested || IsFinal(job->state)) return;
  job->cancel_requested = true;
  if (job->state != JobState::kRunning) {
    job->failure = Failure{Reason::kCancelled, "cancelled while it waited", ""};
    Finish(job, JobState::kCancelled, now, fx);
    return;
  }
  Save(job, fx);
  const auto worker = workers_.find(job->current().session);
  if (worker != workers_.end() && worker->second->connected()) {
    fx->after_commit.push_back(SendStop{worker->second->stream,
                                        {job->id, job->last_attempt},
                                        Reason::kCancelled});
  }
}

void Core::OwnerGone(const JobId& id, int64_t owner, absl::Time now) {
  Job* job = FindMutable(id);
  if (job == nullptr || !job->policy->cancel_on_disconnect ||
      job->owner != owner) {
    return;
  }
  job->owner_deadline = now + kOwnerGrace;
  UpdateDeadline(job);
}

int64_t Core::OwnerBack(const JobId& id) {
  Job* job = FindMutable(id);
  if (job == nullptr) return 0;
  job->owner = ++last_owner_;
  job->owner_deadline = absl::InfiniteFuture();
  UpdateDeadline(job);
  return job->owner;
}

void Core::Enqueue(Job* job, absl::Time now, Effects* fx) {
  job->retry_time = absl::InfinitePast();
  SetState(job, JobState::kQueued, now, fx);
}

void Core::Finish(Job* job, JobState state, absl::Time now, Effects* fx) {
  VIGIL_CHECK(state != JobState::kSucceeded ||
                  job->state == JobState::kRunning ||
                  job->fallback_failure.has_value(),
              job->id.value());
  job->end_time = now;
  job->retry_time = absl::InfinitePast();
  if (job->checkpoint.has_value()) {
    if (job->truncation.has_value()) {
      job->result_bytes = job->checkpoint->size_bytes;
      job->checkpoint.reset();
    } else if (state == JobState::kSucceeded) {
      // Of no use any more.
      fx->results.push_back({job->id, std::make_shared<const std::string>()});
      job->checkpoint.reset();
    } else {
      job->result_bytes = job->checkpoint->size_bytes;
    }
  }
  ++counters_.ended[static_cast<int>(state)];
  SetState(job, state, now, fx);
  if (!job->batch.empty()) batches_.JobEnded(*job, now, fx);
}

void Core::Fail(Job* job, Failure failure, absl::Time now, Effects* fx) {
  // What was cancelled is never to succeed, also where its tree is not proved
  // dead.
  if (!job->cancel_requested && job->policy->fallback.Covers(failure.reason)) {
    job->fallback_failure = std::move(failure);
    ++counters_.fallbacks;
    Finish(job, JobState::kSucceeded, now, fx);
    return;
  }
  job->failure = std::move(failure);
  Finish(job, JobState::kFailed, now, fx);
}

bool Core::Truncate(Job* job, const AttemptEnd& end, absl::Time now,
                    Effects* fx) {
  std::optional<Progress> progress = job->current().last.progress;
  const bool any_done = progress.has_value() && progress->done > 0;
  if (end.result == nullptr && !job->checkpoint.has_value() && !any_done) {
    return false;
  }
  if (!any_done && job->checkpoint.has_value()) {
    // What it went on from was counted by the attempt that left it.
    for (const AttemptRecord& attempt : job->attempts) {
      if (attempt.number == job->checkpoint->attempt &&
          attempt.last.progress.has_value()) {
        progress = attempt.last.progress;
      }
    }
  }
  Truncation& truncation = job->truncation.emplace();
  truncation.failure = *end.failure;
  if (progress.has_value()) {
    truncation.chunks_done = progress->done;
    truncation.chunks_total = progress->total;
  }
  ++counters_.truncations;
  Finish(job, JobState::kSucceeded, now, fx);
  return true;
}

void Core::BackOff(Job* job, int retry, std::optional<absl::Duration> wish,
                   absl::Time now, Effects* fx) {
  const double random = std::uniform_real_distribution<double>(-1, 1)(random_);
  job->retry_time =
      now + (wish.has_value()
                 ? std::clamp(*wish, absl::ZeroDuration(), kNextRetryDelayMax)
                 : RetryDelay(job->policy->retry, retry, random));
  job->current().retry_time = job->retry_time;
  SetState(job, JobState::kBackoff, now, fx);
}

void Core::ApplyDueDeadline(Job* job, absl::Time now, Effects* fx) {
  if (job->owner_deadline <= now) {
    job->owner_deadline = absl::InfiniteFuture();
    RequestCancel(job, now, fx);
  }
  const bool waits =
      job->state == JobState::kQueued || job->state == JobState::kBackoff;
  const JobPolicy& policy = *job->policy;
  if (waits && job->create_time + policy.schedule_to_close <= now) {
    Fail(job,
         Failure{Reason::kScheduleToCloseTimeout,
                 absl::StrFormat(
                     "not done %s after it was submitted, with %d attempts "
                     "made (schedule_to_close_timeout)",
                     absl::FormatDuration(policy.schedule_to_close),
                     job->last_attempt),
                 ""},
         now, fx);
  } else if (job->state == JobState::kQueued &&
             job->queue_time + policy.schedule_to_start <= now) {
    Fail(job,
         Failure{Reason::kScheduleToStartTimeout,
                 absl::StrFormat(
                     "no slot took it within %s (schedule_to_start_timeout)",
                     absl::FormatDuration(policy.schedule_to_start)),
                 ""},
         now, fx);
  } else if (job->state == JobState::kBackoff && job->retry_time <= now) {
    Enqueue(job, now, fx);
  }
  UpdateDeadline(job);
}

void Core::Decide(Job* job, const AttemptEnd& end, absl::Time now,
                  Effects* fx) {
  job->exit = end.exit;
  const bool process_failed = end.process_failed && end.failure.has_value();
  if (process_failed) {
    job->current().charged = false;
    --job->charged_attempts;
    ++job->process_failures;
  }
  if (end.evidence.has_value() && end.evidence->death_unconfirmed) {
    // Whatever the program said: part of it may still run, so nothing may
    // follow.
    Fail(job,
         end.failure.value_or(
             Failure{Reason::kInternal,
                     "the program ended, but its process tree could not be "
                     "proved dead",
                     "Look for processes in state D on its worker's host."}),
         now, fx);
    return;
  }
  if (!end.failure.has_value()) {
    Finish(job, JobState::kSucceeded, now, fx);
    return;
  }
  const Failure& failure = *end.failure;
  if (job->cancel_requested) {
    FinishCancelled(job, failure, now, fx);
    return;
  }
  if (process_failed) {
    RetryProcess(job, end, now, fx);
    return;
  }
  if (failure.reason == Reason::kDrained) {
    Uncharge(job);
    RetryElsewhere(job, failure, now, fx);
    return;
  }
  const RetryPolicy& retry = job->policy->retry;
  if (failure.reason == Reason::kNestedPool && job->policy->retry_sequential &&
      !job->sequential && job->charged_attempts < retry.maximum_attempts) {
    job->sequential = true;
    BackOff(job, job->charged_attempts, std::nullopt, now, fx);
    return;
  }
  if (IsRetried(retry, failure.reason, end.retryable) &&
      job->charged_attempts < retry.maximum_attempts) {
    BackOff(job, job->charged_attempts, end.next_retry_delay, now, fx);
    return;
  }
  if (failure.reason == Reason::kSlowChunks && job->policy->chunked &&
      Truncate(job, end, now, fx)) {
    return;
  }
  Fail(job, failure, now, fx);
}

void Core::FinishCancelled(Job* job, const Failure& failure, absl::Time now,
                           Effects* fx) {
  job->failure = failure;
  if (failure.reason != Reason::kCancelled) {
    job->failure->message =
        absl::StrCat("cancelled; its last attempt ended ",
                     ReasonName(failure.reason), ": ", failure.message);
    job->failure->reason = Reason::kCancelled;
    job->failure->advice.clear();
  }
  Finish(job, JobState::kCancelled, now, fx);
}

void Core::RetryProcess(Job* job, const AttemptEnd& end, absl::Time now,
                        Effects* fx) {
  if (job->process_failures < kProcessFailuresMax) {
    BackOff(job, job->process_failures, end.next_retry_delay, now, fx);
    return;
  }
  Failure failure = *end.failure;
  absl::StrAppend(&failure.message, "; it was the last of ",
                  kProcessFailuresMax,
                  " processes that ended before they took the job");
  Fail(job, std::move(failure), now, fx);
}

bool Core::TakeBack(Job* job, const std::string& why, absl::Time now,
                    Effects* fx) {
  AttemptRecord& attempt = job->current();
  attempt.phase = Phase::kEnded;
  attempt.end_time = now;
  attempt.charged = false;
  attempt.failure = Failure{Reason::kWorkerLost,
                            absl::StrCat(why, "; it was not charged"), ""};
  --job->charged_attempts;
  if (!job->cancel_requested) return true;
  job->failure =
      Failure{Reason::kCancelled, "cancelled before it was started", ""};
  Finish(job, JobState::kCancelled, now, fx);
  return false;
}

void Core::LoseAttempt(Job* job, const std::string& how, absl::Time now,
                       Effects* fx) {
  AttemptRecord& attempt = job->current();
  Failure failure{Reason::kWorkerLost,
                  absl::StrCat("worker ", attempt.worker.value(), " ", how),
                  ""};
  attempt.phase = Phase::kEnded;
  attempt.end_time = now;
  attempt.failure = failure;
  Uncharge(job);
  ++counters_.attempts_lost;
  fx->ended.push_back({job->id, attempt.number});
  if (job->cancel_requested) {
    job->failure = Failure{Reason::kCancelled,
                           absl::StrCat("cancelled; ", failure.message), ""};
    Finish(job, JobState::kCancelled, now, fx);
    return;
  }
  RetryElsewhere(job, std::move(failure), now, fx);
}

void Core::Uncharge(Job* job) {
  job->current().charged = false;
  --job->charged_attempts;
  ++job->lost_attempts;
}

void Core::RetryElsewhere(Job* job, Failure failure, absl::Time now,
                          Effects* fx) {
  const RetryPolicy& retry = job->policy->retry;
  if (retry.maximum_attempts == 1) {
    failure.message += "; it may have started and may be started only once";
  } else if (job->lost_attempts > kWorkerLostMax) {
    absl::StrAppend(&failure.message, "; ", job->lost_attempts,
                    " attempts were lost this way, which is the most");
  } else if (IsRetried(retry, failure.reason, false)) {
    BackOff(job, job->lost_attempts, std::nullopt, now, fx);
    return;
  }
  Fail(job, std::move(failure), now, fx);
}

}  // namespace vigil::coordinator
