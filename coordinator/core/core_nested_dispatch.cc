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

}  // namespace

Job* Core::FindTask(const TaskToken& token) {
  if (const auto* attempt = std::get_if<AttemptId>(&token)) {
    Job* job = FindMutable(attempt->job_id);
    const bool is_current = job != nullptr &&
                            job->state == JobState::kRunning &&
                            job->last_attempt == attempt->number;
    return is_current ? job : nullptr;
  }
  const WarmSlot& warm = std::get<WarmSlot>(token);
  const WorkerRecord* worker = FindWorker(warm.worker);
  if (worker == nullptr) return nullptr;
  Job* found = nullptr;
  for (const auto& [id, job] : worker->running) {
    const AttemptRecord& attempt = job->current();
    // One that no report placed in a slot yet has no process.
    if (job->task_type != warm.task_type || attempt.last.slot != warm.slot ||
        attempt.start_time == absl::InfinitePast()) {
      continue;
    }
    // Those handed ahead stand behind the one that runs.
    if (found == nullptr || attempt.start_time < found->current().start_time) {
      found = job;
    }
  }
  return found;
}

void Core::CountNestedDispatch(const std::optional<TaskToken>& token, int jobs,
                               Effects* fx) {
  counters_.nested_dispatches += jobs;
  Job* job = token.has_value() ? FindTask(*token) : nullptr;
  if (job == nullptr) return;
  int& count = job->current().nested_dispatches;
  count += std::min(jobs, std::numeric_limits<int>::max() - count);
  fx->touched.push_back(job->id);
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
