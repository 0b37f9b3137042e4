#include "tests/sim/judge.h"

#include <errno.h>

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/reason.h"
#include "coordinator/core/retry.h"
#include "tests/sim/violation.h"

namespace vigil::sim {

using coordinator::JobState;

void Judge::Violation(const std::string& what) const {
  EndByViolation(parts_.queue->now(), what);
}

namespace {

// Whether the attempt was given up when the lease of its worker was over,
// rather than by a word of its worker.
bool WasLost(const coordinator::AttemptRecord& attempt) {
  return attempt.failure.has_value() &&
         attempt.failure->reason == Reason::kWorkerLost &&
         !attempt.evidence.has_value();
}

// Whether what is lost is an attempt that a warm task had ahead and may have
// begun, through no fault of its worker.
bool IsLostWithTask(const coordinator::Job& row) {
  // The next one may be there already: several changes of a job are one row.
  for (auto it = row.attempts.rbegin(); it != row.attempts.rend(); ++it) {
    if (!it->failure.has_value()) continue;
    return absl::StrContains(it->failure->message, " task ");
  }
  return false;
}

// Whether an attempt that never began may count for this reason: Vigil itself
// ended it, or it could not be started.
bool CountsUnbegun(Reason reason) {
  return reason == Reason::kStartupTimeout ||
         reason == Reason::kStartToCloseTimeout ||
         reason == Reason::kScheduleToCloseTimeout ||
         reason == Reason::kCancelled || reason == Reason::kSpawnFailed;
}

// Whether its program, asked to stop for the sake of its chunks, ended the last
// of them and then exited with status 0.
bool FinishedInItsGrace(const JobSpec& spec, const TaskRun& run) {
  return spec.supervision.chunks.has_value() && run.all_chunks &&
         run.script.on_term == TaskScript::OnTerm::kExitZero;
}

}  // namespace

Judge::Truth& Judge::Find(const JobId& job) {
  const auto it = jobs_.find(job);
  VIGIL_CHECK(it != jobs_.end(), job.value());
  return it->second;
}

const Judge::Truth& Judge::Find(const JobId& job) const {
  const auto it = jobs_.find(job);
  VIGIL_CHECK(it != jobs_.end(), job.value());
  return it->second;
}

const Judge::Begun* Judge::FindBegun(const AttemptId& attempt) const {
  for (const Begun& begun : Find(attempt.job_id).begun) {
    if (begun.run->attempt == attempt) return &begun;
  }
  return nullptr;
}

void Judge::Submitted(JobSpec spec) {
  const JobId id = spec.id;
  jobs_[id].spec = std::move(spec);
}

const JobSpec& Judge::Spec(const JobId& job) const { return Find(job).spec; }

void Judge::Acknowledged(const JobId& job) { Find(job).acknowledged = true; }

void Judge::MayCancel(const JobId& job) { Find(job).may_cancel = true; }

bool Judge::acknowledged(const JobId& job) const {
  return Find(job).acknowledged;
}

void Judge::Storing(const coordinator::Job& row) {
  const coordinator::Job* old = parts_.store->Find(row.id);
  Check(row.charged_attempts <= row.policy->retry.maximum_attempts, row.id,
        "more attempts are charged than maximum_attempts");
  if (old != nullptr) {
    Check(!IsFinal(old->state), row.id, "a final row changes");
    Check(row.revision > old->revision, row.id, "its revision does not grow");
    Check(row.last_attempt >= old->last_attempt, row.id,
          "the number of its last attempt goes back");
    Check(!old->cancel_requested || row.cancel_requested, row.id,
          "its cancellation is forgotten");
    Check(!old->cancel_requested || row.last_attempt == old->last_attempt,
          row.id, "is tried again after its cancellation was durable");
  }
  Truth& truth = Find(row.id);
  if (row.lost_attempts > (old == nullptr ? 0 : old->lost_attempts)) {
    parts_.coverage->Count(IsLostWithTask(row) ? "attempt lost with its task"
                                               : "attempt lost");
    for (const coordinator::AttemptRecord& attempt : row.attempts) {
      if (WasLost(attempt)) truth.lost.insert(attempt.number);
    }
  }
  CheckCharges(row, truth);
  if (!truth.spec.batch.empty()) batches_.StoringJob(truth.spec, row);
  if (!IsFinal(row.state)) return;
  for (const Begun& begun : truth.begun) {
    Check(!begun.runnable(), row.id, "is final while a process of it runs");
  }
  CheckOutcome(row, truth);
}

void Judge::CheckTruncation(const coordinator::Job& row,
                            const Truth& truth) const {
  parts_.coverage->Count("job: SUCCEEDED truncated");
  if (!row.result_bytes.has_value()) {
    parts_.coverage->Count("truncated without a result");
  }
  const coordinator::Truncation& truncation = *row.truncation;
  Check(truncation.failure.reason == Reason::kSlowChunks, row.id,
        "is truncated for another reason than its chunks");
  Check(row.policy->chunked && truth.spec.supervision.chunks.has_value() &&
            !truth.spec.supervision.observe,
        row.id, "is truncated, and has no policy for chunks");
  Check(!row.failure.has_value() && !row.fallback_failure.has_value(), row.id,
        "is truncated and failed, too");
  Check(!truth.unconfirmed.contains(row.last_attempt), row.id,
        "is truncated though part of it may still run");
  Check(!row.cancel_requested, row.id, "is truncated, but was cancelled");
  Check(truncation.chunks_done > 0 || row.result_bytes.has_value(), row.id,
        "is truncated with nothing done");
  const RetryPolicy& retry = row.policy->retry;
  Check(!coordinator::IsRetried(retry, Reason::kSlowChunks, false) ||
            row.charged_attempts >= retry.maximum_attempts,
        row.id, "is truncated though it was to be tried again");
}

void Judge::CheckCharges(const coordinator::Job& row,
                         const Truth& truth) const {
  for (const coordinator::AttemptRecord& attempt : row.attempts) {
    if (attempt.phase != Phase::kEnded || !attempt.failure.has_value())
      continue;
    const bool began = truth.started.contains(attempt.number);
    if (attempt.charged) {
      Check(began || CountsUnbegun(attempt.failure->reason) ||
                attempt.spawn_errno != 0 ||
                truth.unconfirmed.contains(attempt.number),
            row.id, "an attempt is charged that never began");
    } else if (began) {
      Check(attempt.failure->reason == Reason::kWorkerLost, row.id,
            "an attempt that began is not charged");
      Check(!absl::StrContains(attempt.failure->message, "was not charged"),
            row.id, "an attempt is taken back that began");
    }
  }
}

void Judge::CheckOutcome(const coordinator::Job& row,
                         const Truth& truth) const {
  const TaskRun* last =
      truth.begun.empty() ? nullptr : truth.begun.back().run.get();
  const bool last_is_current =
      last != nullptr && last->attempt.number == row.last_attempt;
  const JobSpec& spec = truth.spec;
  Check(!row.truncation.has_value() || row.state == JobState::kSucceeded,
        row.id, "is truncated and did not SUCCEED");
  switch (row.state) {
    case JobState::kSucceeded:
      if (row.truncation.has_value()) {
        CheckTruncation(row, truth);
        return;
      }
      if (row.fallback_failure.has_value()) {
        parts_.coverage->Count("job: SUCCEEDED by its fallback");
        Check(!row.cancel_requested, row.id, "cancelled, and SUCCEEDED");
        Check(row.policy->fallback.Covers(row.fallback_failure->reason), row.id,
              "a fallback that was not asked for");
        Check(!row.result_bytes.has_value(), row.id,
              "another result beside its fallback");
        break;
      }
      parts_.coverage->Count("job: SUCCEEDED");
      Check(last_is_current && ((last->ended_by_itself && last->succeeded) ||
                                FinishedInItsGrace(spec, *last)),
            row.id, "SUCCEEDED, but its program did not");
      return;
    case JobState::kCancelled:
      parts_.coverage->Count("job: CANCELLED");
      Check(truth.may_cancel ||
                (!spec.batch.empty() && batches_.Stopped(spec.batch)),
            row.id, "CANCELLED, but nobody wanted that");
      return;
    case JobState::kFailed:
      parts_.coverage->Count("job: FAILED");
      Check(row.failure.has_value() &&
                (row.cancel_requested ||
                 !row.policy->fallback.Covers(row.failure->reason)),
            row.id, "FAILED, though it has a fallback");
      break;
    case JobState::kUnspecified:
    case JobState::kQueued:
    case JobState::kRunning:
    case JobState::kBackoff:
      Violation(row.id.value() + ": not a final state");
  }
  // How it failed, or would have.
  const std::optional<Failure>& failure =
      row.fallback_failure.has_value() ? row.fallback_failure : row.failure;
  Check(failure.has_value(), row.id, "FAILED without a reason");
  const Reason reason = failure->reason;
  parts_.coverage->Count(absl::StrCat("reason: ", ReasonName(reason)));
  const bool unconfirmed = truth.unconfirmed.contains(row.last_attempt);
  if (unconfirmed) {
    parts_.coverage->Count("job: FAILED, death unconfirmed");
    return;
  }
  if (row.process_failures >= coordinator::kProcessFailuresMax) {
    parts_.coverage->Count("job: FAILED, its processes never took it");
    Check(spec.type != nullptr, row.id, "a command is charged to its process");
    return;
  }
  switch (reason) {
    case Reason::kOutOfMemory:
      if (spec.supervision.max_rss_bytes > 0 && last_is_current &&
          last->script.rss_bytes > spec.supervision.max_rss_bytes) {
        return;
      }
      Check(last_is_current && last->ended_by_itself, row.id,
            "OUT_OF_MEMORY, but it had room");
      return;
    case Reason::kNestedPool:
      Check(last_is_current && last->script.nested_after.has_value() &&
                spec.supervision.nesting.action != OnNestedPool::kAudit &&
                !spec.supervision.observe,
            row.id, "NESTED_POOL, but it opened none that is forbidden");
      Check(!row.policy->retry_sequential || row.sequential ||
                row.policy->retry.maximum_attempts <= row.charged_attempts,
            row.id, "NESTED_POOL, and it was not tried in sequence");
      return;
    case Reason::kResourceExhausted:
      // Also the processes of types cannot be started now and then.
      if (spec.type != nullptr ||
          spec.ScriptFor(row.last_attempt).spawn_error == EAGAIN) {
        return;
      }
      [[fallthrough]];
    case Reason::kNonzeroExit:
    case Reason::kInvalidInput:
    case Reason::kTaskError:
    case Reason::kSignalled:
      Check(last_is_current && last->ended_by_itself, row.id,
            "FAILED by its program, which did not end by itself");
      return;
    case Reason::kSpawnFailed:
      Check(spec.warm() || spec.ScriptFor(row.last_attempt).spawn_error != 0,
            row.id, "SPAWN_FAILED, but its program can be started");
      return;
    case Reason::kScheduleToStartTimeout:
      Check(row.end_time >= row.queue_time + row.policy->schedule_to_start,
            row.id, "SCHEDULE_TO_START_TIMEOUT before its time");
      return;
    case Reason::kScheduleToCloseTimeout:
      Check(row.end_time >= row.create_time + row.policy->schedule_to_close,
            row.id, "SCHEDULE_TO_CLOSE_TIMEOUT before its time");
      return;
    case Reason::kStartupTimeout:
    case Reason::kStartToCloseTimeout:
      Check(last_is_current || spec.type != nullptr, row.id,
            "a clock fired, but nothing was started");
      return;
    case Reason::kSlowChunks:
      Check(last_is_current && row.policy->chunked, row.id,
            "SLOW_CHUNKS, but none were counted");
      Check(!row.checkpoint.has_value() && last->chunks == 0, row.id,
            "SLOW_CHUNKS, though something was done");
      return;
    case Reason::kInactivityTimeout:
    case Reason::kProgressTimeout:
      Check(last_is_current, row.id, "a clock fired, but nothing was started");
      return;
    case Reason::kProtocolError:
      // An exit that a stopped slot does not report is seen as the end of the
      // channel alone.
      Check(last_is_current && last->warm &&
                (last->script.twist != TaskScript::Twist::kNone ||
                 (last->ended_by_itself && !last->succeeded)),
            row.id, "PROTOCOL_ERROR, but its program kept to it");
      return;
    case Reason::kWorkerLost:
      return;
    case Reason::kUnspecified:
    case Reason::kCancelled:
    case Reason::kDrained:
    case Reason::kNestedDispatch:
    case Reason::kInvalidResult:
    case Reason::kOutputLimit:
    case Reason::kServerUnavailable:
    case Reason::kInternal:
      break;
  }
  Violation(absl::StrCat(
      row.id.value(),
      ": FAILED for a reason that cannot be: ", ReasonName(reason)));
}

void Judge::Began(std::shared_ptr<const TaskRun> run,
                  std::shared_ptr<const TaskTree> tree) {
  const AttemptId& attempt = run->attempt;
  const JobId& id = attempt.job_id;
  Truth& truth = Find(id);
  parts_.coverage->Count(run->warm ? "attempt started by a warm program"
                                   : "attempt started");
  Check(truth.started.insert(attempt.number).second, id,
        "an attempt starts twice");
  Check(truth.spec.policy->retry.maximum_attempts != 1 ||
            truth.started.size() == 1,
        id, "maximum_attempts is 1, and it starts again");
  const coordinator::Job* row = parts_.store->Find(id);
  Check(row != nullptr && row->last_attempt >= attempt.number, id,
        "an attempt starts that is not durable");
  Check(!IsFinal(row->state), id, "an attempt starts after the job's end");
  for (const Begun& other : truth.begun) {
    Check(!other.runnable(), id, "two attempts run at once");
    if (!other.exists()) continue;
    // Killed, and the kernel does not let go of it yet.
    parts_.coverage->Count("started beside a lost tree");
    Check(truth.lost.contains(other.run->attempt.number), id,
          "starts again beside a tree whose death is not confirmed");
  }
  if (!truth.spec.batch.empty()) batches_.Began(truth.spec, run, tree);
  truth.begun.push_back(Begun{std::move(run), std::move(tree)});
}

void Judge::ClockFired(const AttemptId& attempt, Reason reason,
                       absl::Time quiet_since) const {
  const JobId& id = attempt.job_id;
  const Begun* begun = FindBegun(attempt);
  if (begun == nullptr) {
    Check(reason != Reason::kInactivityTimeout &&
              reason != Reason::kProgressTimeout &&
              reason != Reason::kSlowChunks,
          id, "a clock fired that runs only once it began");
    return;
  }
  const TaskRun& run = *begun->run;
  const Supervision& supervision = Find(id).spec.supervision;
  const Timeouts& timeouts = supervision.timeouts;
  const absl::Time now = parts_.queue->now();
  const auto judge = [&](absl::Time since, absl::Duration timeout) {
    Check(now - since >= timeout, id, "a clock fired before its time");
    if (quiet_since > since) return;
    Check(now - since <= timeout + kLateMax, id, "a clock fired late");
  };
  if (reason == Reason::kInactivityTimeout) {
    judge(run.last_activity, timeouts.inactivity);
  } else if (reason == Reason::kSlowChunks) {
    Check(supervision.chunks.has_value() && !run.all_chunks, id,
          "is stopped for its chunks and has none to come");
    const ChunkPolicy& chunks = *supervision.chunks;
    const int slow_max = chunks.max_consecutive_slow_chunks;
    Check(now - run.chunk_begin >= chunks.chunk_timeout ||
              (run.chunks >= slow_max &&
               now - run.start_time > slow_max * chunks.expected_chunk_time),
          id, "is stopped for its chunks, which were not slow");
  } else if (reason == Reason::kStartToCloseTimeout) {
    judge(run.start_time, timeouts.start_to_close);
  } else if (reason == Reason::kStartupTimeout) {
    Check(now - run.start_time >= timeouts.startup, id,
          "STARTUP_TIMEOUT before its time");
    Check(!run.talked() || supervision.waits_for_ready, id,
          "STARTUP_TIMEOUT after it talked");
  }
}

void Judge::StillRunning(const AttemptId& attempt,
                         absl::Time quiet_since) const {
  const Begun* begun = FindBegun(attempt);
  if (begun == nullptr || begun->run->over || !begun->tree->program_runs()) {
    return;
  }
  const TaskRun& run = *begun->run;
  const JobId& id = attempt.job_id;
  const Supervision& supervision = Find(id).spec.supervision;
  if (supervision.observe) return;
  const Timeouts& timeouts = supervision.timeouts;
  const absl::Time now = parts_.queue->now() - kLateMax;
  if (quiet_since <= run.start_time) {
    Check(now < run.start_time + timeouts.start_to_close, id,
          "runs past start_to_close_timeout");
  }
  const bool active = supervision.waits_for_ready ? run.ready : run.talked();
  if (active && !supervision.silent && quiet_since <= run.last_activity) {
    Check(now < run.last_activity + timeouts.inactivity, id,
          "is silent past inactivity_timeout");
  }
  if (active && supervision.chunks.has_value() && !run.all_chunks &&
      quiet_since <= run.chunk_begin) {
    Check(now < run.chunk_begin + supervision.chunks->chunk_timeout, id,
          "goes on with a chunk past chunk_timeout");
  }
}

void Judge::EndReported(const AttemptEnd& end, Output output) {
  const JobId& id = end.attempt.job_id;
  Truth& truth = Find(id);
  Check(truth.end_reported.insert(end.attempt.number).second, id,
        "the end of an attempt is reported twice");
  const bool unconfirmed =
      end.evidence.has_value() && end.evidence->death_unconfirmed;
  if (unconfirmed) truth.unconfirmed.insert(end.attempt.number);
  if (end.never_started) parts_.coverage->Count("attempt handed back");
  if (end.process_failed) parts_.coverage->Count("process failed");
  const Begun* begun = FindBegun(end.attempt);
  if (begun == nullptr) return;
  Check(!end.never_started, id, "an attempt is handed back that began");
  Check(!end.process_failed, id, "an attempt that began is its process's own");
  Check(unconfirmed || !begun->exists(), id,
        "an end is reported while its tree lives");
  Check(end.last.age == absl::ZeroDuration() || output == Output::kCutOff ||
            (end.last.stdout_bytes == begun->run->stdout_bytes &&
             // Beside what its warm-up, or its program while loading, wrote.
             (truth.spec.type != nullptr ||
              end.last.stderr_bytes == begun->run->stderr_bytes)),
        id, "output is not counted");
}

void Judge::CheckAcknowledged(const coordinator::Core* core) const {
  batches_.CheckAcknowledged(core);
  for (const auto& [id, truth] : jobs_) {
    if (!truth.acknowledged) continue;
    const coordinator::Job* row = parts_.store->Find(id);
    Check(row != nullptr, id, "was acknowledged and is not in the store");
    Check(
        IsFinal(row->state) || core == nullptr || core->FindJob(id) != nullptr,
        id, "was acknowledged and disappeared");
  }
}

void Judge::CheckNotLate(const coordinator::Core& core,
                         absl::Time calm_since) const {
  batches_.CheckNotLate(core, calm_since);
  const absl::Time now = parts_.queue->now() - kLateMax;
  for (const auto& [id, truth] : jobs_) {
    const coordinator::Job* job = core.FindJob(id);
    if (job == nullptr || IsFinal(job->state)) continue;
    if (job->state == JobState::kBackoff) {
      Check(now < job->retry_time, id, "is in BACKOFF past its retry time");
    }
    if (job->state == JobState::kQueued) {
      Check(now < job->queue_time + job->policy->schedule_to_start, id,
            "is QUEUED past schedule_to_start_timeout");
    }
    if (job->state != JobState::kRunning) {
      Check(now < job->create_time + job->policy->schedule_to_close, id,
            "waits past schedule_to_close_timeout");
    }
  }
}

bool Judge::AllFinal() const {
  return batches_.AllEnded() &&
         std::all_of(jobs_.begin(), jobs_.end(), [this](const auto& entry) {
           const coordinator::Job* row = parts_.store->Find(entry.first);
           return row == nullptr ? !entry.second.acknowledged
                                 : IsFinal(row->state);
         });
}

void Judge::CheckAllOver() const {
  batches_.CheckAllOver();
  for (const auto& [id, truth] : jobs_) {
    const coordinator::Job* row = parts_.store->Find(id);
    if (row == nullptr) continue;
    if (!IsFinal(row->state)) {
      Violation(absl::StrCat(
          id.value(), ": is still in state ", static_cast<int>(row->state),
          " at the end; last attempt ", row->last_attempt,
          row->attempts.empty() ? ""
                                : " on " + row->current().session.value()));
    }
    for (const Begun& begun : truth.begun) {
      Check(!begun.runnable(), id, "a process of it runs after all is over");
    }
  }
}

}  // namespace vigil::sim
