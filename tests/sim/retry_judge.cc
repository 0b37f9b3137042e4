#include "tests/sim/retry_judge.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/policy.h"
#include "base/reason.h"
#include "coordinator/core/limits.h"
#include "tests/sim/violation.h"

namespace vigil::sim {
namespace {

using coordinator::AttemptRecord;

// Ends of attempts that are counted apart, each for its own backoff.
enum class Kind {
  kCharged,
  kLost,       // with its worker, or drained
  kTakenBack,  // it never began
  kProcess,    // charged to its process
};

Kind KindOf(const AttemptRecord& attempt) {
  if (attempt.charged) return Kind::kCharged;
  if (attempt.failure->reason == Reason::kDrained) return Kind::kLost;
  if (attempt.failure->reason != Reason::kWorkerLost) return Kind::kProcess;
  return absl::StrContains(attempt.failure->message, "was not charged")
             ? Kind::kTakenBack
             : Kind::kLost;
}

bool HasFailed(const AttemptRecord& attempt) {
  return attempt.phase == Phase::kEnded && attempt.failure.has_value();
}

// The shortest wait before retry `retry`, as base/policy.h has it.
absl::Duration ShortestBackoff(const RetryPolicy& policy, int retry) {
  absl::Duration wait = policy.initial_interval;
  for (int i = 1; i < retry; ++i) {
    wait = std::min(wait * policy.backoff_coefficient, policy.maximum_interval);
  }
  return std::min(wait, policy.maximum_interval) * (1 - policy.jitter);
}

}  // namespace

absl::Duration RetryJudge::Wait(const coordinator::Job& row,
                                const AttemptRecord& attempt,
                                const JobTruth& truth) const {
  const Kind kind = KindOf(attempt);
  if (kind == Kind::kTakenBack) {
    return absl::StrContains(attempt.failure->message, "never reached")
               ? absl::ZeroDuration()
               : coordinator::kHandedBackDelay;
  }
  const auto end = truth.ends.find(attempt.number);
  if (kind != Kind::kLost && end != truth.ends.end() &&
      end->second.wish.has_value()) {
    return std::clamp(*end->second.wish, absl::ZeroDuration(),
                      coordinator::kNextRetryDelayMax);
  }
  const auto retry = std::count_if(
      row.attempts.begin(), row.attempts.end(), [&](const auto& other) {
        return other.number <= attempt.number && HasFailed(other) &&
               KindOf(other) == kind;
      });
  return ShortestBackoff(truth.spec.policy->retry, static_cast<int>(retry));
}

void RetryJudge::Storing(const coordinator::Job& row, JobTruth* truth) const {
  for (const AttemptRecord& attempt : row.attempts) {
    if (!HasFailed(attempt) || truth->retry_times.contains(attempt.number)) {
      continue;
    }
    absl::Time end_time = clock_->When(attempt.end_time);
    const auto end = truth->ends.find(attempt.number);
    // It cannot have been known before, whatever the row says; unless the end
    // that counts is another, that of its worker.
    if (end != truth->ends.end() && KindOf(attempt) != Kind::kLost) {
      end_time = std::max(end_time, end->second.report_time);
    }
    truth->retry_times[attempt.number] =
        end_time + HostClock::Shortest(Wait(row, attempt, *truth));
  }
}

void RetryJudge::Began(int number, const JobTruth& truth) const {
  if (number == 1) return;
  const auto before = truth.retry_times.find(number - 1);
  const absl::string_view problem =
      before == truth.retry_times.end()
          ? "is tried again before its last attempt has failed"
      : queue_->now() < before->second
          ? "is tried again before its backoff is over"
          : "";
  if (problem.empty()) return;
  EndByViolation(queue_->now(),
                 absl::StrCat(truth.spec.id.value(), ": ", problem));
}

}  // namespace vigil::sim
