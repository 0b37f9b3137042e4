#include "tests/sim/outcome_judge.h"

#include <errno.h>

#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/reason.h"
#include "coordinator/core/limits.h"
#include "coordinator/core/retry.h"
#include "tests/sim/task_script.h"
#include "tests/sim/violation.h"

namespace vigil::sim {

using coordinator::JobState;

namespace {

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

// Null if no program began any attempt of the job.
const TaskRun* LastRun(const JobTruth& truth) {
  return truth.begun.empty() ? nullptr : truth.begun.back().run.get();
}

bool IsCurrent(const TaskRun* run, const coordinator::Job& row) {
  return run != nullptr && run->attempt.number == row.last_attempt;
}

}  // namespace

void OutcomeJudge::Check(bool condition, const JobId& job,
                         const char* what) const {
  if (condition) return;
  EndByViolation(parts_.queue->now(), absl::StrCat(job.value(), ": ", what));
}

bool OutcomeJudge::MayBeOver(absl::Time begin, absl::Time end,
                             absl::Duration timeout) const {
  return parts_.clock->When(end) - parts_.clock->When(begin) >=
         HostClock::Shortest(timeout);
}

void OutcomeJudge::CheckTruncation(const coordinator::Job& row,
                                   const JobTruth& truth) const {
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

void OutcomeJudge::CheckCharges(const coordinator::Job& row,
                                const JobTruth& truth) const {
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
      Check(attempt.failure->reason == Reason::kWorkerLost ||
                attempt.failure->reason == Reason::kDrained,
            row.id, "an attempt that began is not charged");
      Check(!absl::StrContains(attempt.failure->message, "was not charged"),
            row.id, "an attempt is taken back that began");
    }
  }
}

void OutcomeJudge::CheckOutcome(const coordinator::Job& row,
                                const JobTruth& truth) const {
  const TaskRun* last = LastRun(truth);
  const bool last_is_current = IsCurrent(last, row);
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
                (!spec.batch.empty() && parts_.batches->Stopped(spec.batch)),
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
      Check(false, row.id, "not a final state");
  }
  CheckFailure(row, truth);
}

void OutcomeJudge::CheckFailure(const coordinator::Job& row,
                                const JobTruth& truth) const {
  const JobSpec& spec = truth.spec;
  const TaskRun* last = LastRun(truth);
  const bool last_is_current = IsCurrent(last, row);
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
      Check(MayBeOver(row.queue_time, row.end_time,
                      row.policy->schedule_to_start),
            row.id, "SCHEDULE_TO_START_TIMEOUT before its time");
      return;
    case Reason::kScheduleToCloseTimeout:
      Check(MayBeOver(row.create_time, row.end_time,
                      row.policy->schedule_to_close),
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
    case Reason::kDrained:
      return;
    case Reason::kUnspecified:
    case Reason::kCancelled:
    case Reason::kNestedDispatch:
    case Reason::kInvalidResult:
    case Reason::kOutputLimit:
    case Reason::kServerUnavailable:
    case Reason::kInternal:
      break;
  }
  EndByViolation(
      parts_.queue->now(),
      absl::StrCat(row.id.value(), ": FAILED for a reason that cannot be: ",
                   ReasonName(reason)));
}

}  // namespace vigil::sim
