// Jobs that tasks submit. They are refused: each would wait for a slot while
// the task that waits for it holds one.
#include <algorithm>
#include <limits>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "coordinator/core/core.h"

namespace vigil::coordinator {
namespace {

// Whether the program failed by itself, for a reason that nothing explains
// better than what it was refused.
bool IsProgramsOwn(Reason reason) {
  return reason == Reason::kNonzeroExit || reason == Reason::kSignalled ||
         reason == Reason::kTaskError || reason == Reason::kProtocolError;
}

void Add(int jobs, int* count) {
  *count += std::min(jobs, std::numeric_limits<int>::max() - *count);
}

}  // namespace

void Core::CountNestedDispatch(const std::optional<TaskToken>& token, int jobs,
                               absl::Time now, Effects* fx) {
  counters_.nested_dispatches += jobs;
  if (!token.has_value()) return;
  if (const auto* attempt = std::get_if<AttemptId>(&*token)) {
    Job* job = FindMutable(attempt->job_id);
    if (job == nullptr || job->state != JobState::kRunning ||
        job->last_attempt != attempt->number) {
      return;
    }
    Add(jobs, &job->current().nested_dispatches);
    fx->touched.push_back(job->id);
    return;
  }
  const WarmSlot& warm = std::get<WarmSlot>(*token);
  WorkerRecord* worker = FindLatest(warm.worker);
  if (worker == nullptr || warm.slot >= kSlotsMax) return;
  // A short job's first report is its last: wait until one tells whose it is.
  NestedDispatches& calls = worker->nested_dispatches[warm.slot];
  if (calls.task_type != warm.task_type) calls = {warm.task_type, now, 0};
  calls.time = now;
  Add(jobs, &calls.jobs);
}

void Core::ClaimNestedDispatches(WorkerRecord* worker, Job* job) {
  AttemptRecord& attempt = job->current();
  // One that no report placed in a slot yet has no process.
  if (attempt.start_time == absl::InfinitePast()) return;
  const auto calls = worker->nested_dispatches.find(attempt.last.slot);
  if (calls == worker->nested_dispatches.end()) return;
  // What its program did before it was given this job is nobody's.
  if (calls->second.task_type == job->task_type &&
      calls->second.time >= attempt.assign_time) {
    Add(calls->second.jobs, &attempt.nested_dispatches);
  }
  worker->nested_dispatches.erase(calls);
}

void Core::BlameNestedDispatch(const Job& job, AttemptEnd* end) {
  const AttemptRecord& attempt = job.current();
  if (attempt.nested_dispatches == 0 || !end->failure.has_value() ||
      !IsProgramsOwn(end->failure->reason)) {
    return;
  }
  const std::string jobs =
      attempt.nested_dispatches == 1
          ? "a job"
          : absl::StrCat(attempt.nested_dispatches, " jobs");
  end->failure =
      Failure{Reason::kNestedDispatch,
              absl::StrCat("job ", job.id.value(), " (attempt ", attempt.number,
                           ") is a task of Vigil, submitted ", jobs,
                           " to it and was refused; then it ended ",
                           ReasonName(end->failure->reason), ": ",
                           end->failure->message)};
  // Another try would be refused as well, and so would another process.
  end->retryable = false;
  end->process_failed = false;
}

}  // namespace vigil::coordinator
