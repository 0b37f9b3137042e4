#include "client/cli/retry_format.h"

#include <algorithm>
#include <cstddef>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "base/reason.h"
#include "client/cli/format.h"

namespace vigil::cli {
namespace {

// Attempts that are named; a job may have a hundred.
constexpr size_t kAttemptsNamed = 8;

bool WasMade(const v1::Attempt& attempt) {
  return attempt.charged() || attempt.has_start_time();
}

// " (attempt 1: RESOURCE_EXHAUSTED, attempt 2: WORKER_LOST)"; empty if none is
// known to have failed.
std::string Failures(const v1::Job& job) {
  std::vector<std::string> failures;
  for (const v1::Attempt& attempt : job.attempts()) {
    if (!WasMade(attempt) || !attempt.has_failure()) continue;
    if (failures.size() == kAttemptsNamed) {
      failures.push_back("...");
      break;
    }
    failures.push_back(absl::StrCat("attempt ", attempt.number(), ": ",
                                    FailureName(attempt.failure().reason())));
  }
  if (failures.empty()) return "";
  return absl::StrCat(" (", absl::StrJoin(failures, ", "), ")");
}

// "not retried: ", or, where earlier attempts were, "attempt 3 was not retried:
// ".
std::string NotRetried(const v1::Job& job, absl::string_view why) {
  const bool again = AttemptsMade(job) > 1;
  return absl::StrCat(
      again
          ? absl::StrCat("attempt ", job.attempts().rbegin()->number(), " was ")
          : "",
      "not retried: ", why, again ? Failures(job) : "");
}

std::string WhyNotRetried(const v1::Job& job, const v1::Failure& failure) {
  const v1::Attempt& last = *job.attempts().rbegin();
  const v1::RetryPolicy& retry = job.spec().retry();
  const std::string name = FailureName(failure.reason());
  const auto contains = [&failure](const auto& reasons) {
    return std::find(reasons.begin(), reasons.end(), failure.reason()) !=
           reasons.end();
  };
  if (last.evidence().death_unconfirmed()) {
    return NotRetried(job, "its processes could not be proved dead");
  }
  if (failure.reason() == v1::Failure::REASON_SCHEDULE_TO_CLOSE_TIMEOUT ||
      failure.reason() == v1::Failure::REASON_SCHEDULE_TO_START_TIMEOUT) {
    return NotRetried(job, absl::StrCat(name, " ended the job"));
  }
  if (contains(retry.non_retryable_reasons())) {
    return NotRetried(job, absl::StrCat(name, " is in non_retryable_reasons"));
  }
  const auto charged = static_cast<int>(std::count_if(
      job.attempts().begin(), job.attempts().end(),
      [](const v1::Attempt& attempt) { return attempt.charged(); }));
  const bool by_default =
      RetriedByDefault(static_cast<Reason>(failure.reason()));
  if (!by_default && !contains(retry.retry_on()) && last.charged() &&
      (charged < retry.maximum_attempts() || charged == 1)) {
    return NotRetried(job, absl::StrCat(name, " is not in retry_on"));
  }
  if (retry.maximum_attempts() == 1) {
    return NotRetried(job, "maximum_attempts is 1");
  }
  return absl::StrCat("retries used up: ", Plural(AttemptsMade(job), "attempt"),
                      Failures(job));
}

}  // namespace

int AttemptsMade(const v1::Job& job) {
  return static_cast<int>(
      std::count_if(job.attempts().begin(), job.attempts().end(), WasMade));
}

std::string RetryText(const v1::Job& job) {
  const int made = AttemptsMade(job);
  if (made == 0) return "";
  if (job.state() == v1::Job::STATE_FAILED) {
    return WhyNotRetried(job, job.failure());
  }
  if (job.state() != v1::Job::STATE_SUCCEEDED) return "";
  if (job.degraded()) return WhyNotRetried(job, job.fallback_failure());
  // What cut it short is told apart.
  if (made == 1 || job.truncated()) return "";
  return absl::StrCat("retry ", made - 1, " succeeded", Failures(job));
}

}  // namespace vigil::cli
