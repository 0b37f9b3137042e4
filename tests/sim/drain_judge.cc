#include "tests/sim/drain_judge.h"

#include <algorithm>
#include <optional>
#include <variant>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/reason.h"
#include "coordinator/core/limits.h"
#include "coordinator/core/retry.h"
#include "tests/sim/host_clock.h"
#include "tests/sim/violation.h"

namespace vigil::sim {
namespace {

using coordinator::AttemptRecord;
using coordinator::JobState;
using coordinator::SendAssignment;
using coordinator::WorkerRecord;

// What the coordinator says of attempts whose worker was silent.
constexpr char kSilent[] = "was silent past its lease";

}  // namespace

void DrainJudge::Check(bool condition, const JobId& job,
                       const char* what) const {
  if (condition) return;
  EndByViolation(queue_->now(), absl::StrCat(job.value(), ": ", what));
}

void DrainJudge::Asked(const SessionId& session, absl::Duration grace) {
  const absl::Time stop_time = queue_->now() + HostClock::Shortest(grace);
  const auto [it, first] = stop_times_.try_emplace(session, stop_time);
  it->second = std::min(it->second, stop_time);
}

void DrainJudge::Continues(const SessionId& before, const SessionId& session) {
  const auto it = stop_times_.find(before);
  if (it == stop_times_.end()) return;
  const absl::Time stop_time = it->second;
  stop_times_.try_emplace(session, stop_time);
}

void DrainJudge::Stopped(const SessionId& session,
                         const AttemptId& attempt) const {
  const auto it = stop_times_.find(session);
  Check(it != stop_times_.end(), attempt.job_id,
        "is stopped as DRAINED by a worker that nobody told to leave");
  Check(queue_->now() >= it->second, attempt.job_id,
        "is stopped as DRAINED before the grace is over");
}

void DrainJudge::Left(const SessionId& session, const coordinator::Core& core) {
  left_.insert(session);
  for (const WorkerRecord* worker : core.Workers()) {
    if (worker->hello.session != session || worker->running.empty()) continue;
    Check(false, worker->running.begin()->first.job_id,
          "is waited for at a worker that has left");
  }
}

void DrainJudge::CheckAssigned(const coordinator::Effects& effects,
                               const coordinator::Core& core) const {
  if (leaving_.empty() && !coordinator_leaves_) return;
  for (const coordinator::Effect& effect : effects.after_commit) {
    const auto* send = std::get_if<SendAssignment>(&effect);
    if (send == nullptr) continue;
    const coordinator::Job* job = core.FindJob(send->attempt.job_id);
    Check(!coordinator_leaves_, job->id,
          "is assigned by a coordinator that leaves");
    Check(!leaving_.contains(job->current().session), job->id,
          "is assigned to a worker that leaves");
  }
}

void DrainJudge::Forgotten() {
  leaving_.clear();
  left_.clear();
  coordinator_leaves_ = false;
}

void DrainJudge::CheckAttempt(const coordinator::Job& row,
                              const AttemptRecord& attempt,
                              const JobTruth& truth) const {
  // One that an earlier coordinator gave up, and stored, may be of a session
  // that this one did not know to be over.
  const bool known = truth.retry_times.contains(attempt.number);
  Check(known || !left_.contains(attempt.session) ||
            !absl::StrContains(attempt.failure->message, kSilent),
        row.id, "is given up for the lease of a worker that has left");
  if (attempt.failure->reason != Reason::kDrained) return;
  Check(stop_times_.contains(attempt.session), row.id,
        "is DRAINED by a worker that nobody told to leave");
  // Where nothing may follow, nothing is to be charged for either.
  Check(!attempt.charged || row.state == JobState::kCancelled ||
            truth.unconfirmed.contains(attempt.number),
        row.id, "is charged for an attempt that was DRAINED");
}

void DrainJudge::CheckFailed(const coordinator::Job& row,
                             const JobTruth& truth) const {
  // How it failed, or would have.
  const std::optional<Failure>& failure =
      row.fallback_failure.has_value() ? row.fallback_failure : row.failure;
  if (!failure.has_value() || failure->reason != Reason::kDrained ||
      truth.unconfirmed.contains(row.last_attempt)) {
    return;
  }
  const RetryPolicy& retry = row.policy->retry;
  if (retry.maximum_attempts == 1) {
    coverage_->Count("drained, and may start only once");
    Check(truth.started.contains(row.last_attempt), row.id,
          "FAILED as DRAINED, though it never began");
    return;
  }
  Check(row.lost_attempts > coordinator::kWorkerLostMax ||
            !coordinator::IsRetried(retry, Reason::kDrained, false),
        row.id, "FAILED as DRAINED, though it was to be tried again");
}

void DrainJudge::Storing(const coordinator::Job& row,
                         const JobTruth& truth) const {
  for (const AttemptRecord& attempt : row.attempts) {
    if (attempt.phase != Phase::kEnded || !attempt.failure.has_value()) {
      continue;
    }
    CheckAttempt(row, attempt, truth);
  }
  if (row.state == JobState::kFailed || row.fallback_failure.has_value()) {
    CheckFailed(row, truth);
  }
}

}  // namespace vigil::sim
