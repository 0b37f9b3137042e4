// Which job goes to which worker, and what the others wait for.
#include <algorithm>
#include <utility>

#include "coordinator/core/core.h"

namespace vigil::coordinator {

Job* Core::BestJobFor(const WorkerRecord& worker) const {
  Job* best = nullptr;
  for (const auto& [task_type, queue] : queues_.queues()) {
    if (!worker.Offers(task_type) || worker.AtMaxSlots(task_type)) continue;
    Job* first = queue.begin()->second;
    if (best == nullptr ||
        JobQueues::RankOf(*first) < JobQueues::RankOf(*best)) {
      best = first;
    }
  }
  if (best == nullptr) return nullptr;
  // A job that needs no slot of its own does not overtake one that waits for a
  // slot: while there is always another, no slot would ever become free.
  return worker.HasPlaceFor(best->task_type) ? best : nullptr;
}

void Core::Dispatch(absl::Time now, Effects* fx) {
  if (!dispatches_ || now < dispatch_time_) return;
  // One job to each worker in turn, those with the most free slots first, so
  // that work spreads; until no worker finds a job. Places behind running jobs
  // are given out when no free slot finds one.
  std::vector<WorkerRecord*> candidates;
  for (const auto& [stream, worker] : streams_) {
    if (worker->MayHaveRoom()) candidates.push_back(worker);
  }
  const auto before = [](const WorkerRecord* a, const WorkerRecord* b) {
    if (a->free_slots() != b->free_slots()) {
      return a->free_slots() > b->free_slots();
    }
    if (a->load.attempts() != b->load.attempts()) {
      return a->load.attempts() < b->load.attempts();
    }
    return a->hello.session < b->hello.session;
  };
  while (!candidates.empty() && !queues_.queues().empty()) {
    std::sort(candidates.begin(), candidates.end(), before);
    const bool slots_are_free = candidates.front()->free_slots() > 0;
    std::erase_if(candidates, [&](WorkerRecord* worker) {
      if (slots_are_free && worker->free_slots() <= 0) return false;
      Job* job = BestJobFor(*worker);
      if (job == nullptr) return true;
      Assign(job, worker, now, fx);
      return !worker->MayHaveRoom();
    });
  }
}

void Core::Assign(Job* job, WorkerRecord* worker, absl::Time now, Effects* fx) {
  AttemptRecord attempt;
  attempt.number = ++job->last_attempt;
  attempt.worker = worker->hello.worker;
  attempt.session = worker->hello.session;
  attempt.assign_time = now;
  attempt.sequential = job->sequential;
  ++job->charged_attempts;
  if (job->attempts.size() >= kAttemptsKeptMax) {
    job->attempts.erase(job->attempts.begin());
  }
  job->attempts.push_back(std::move(attempt));
  const AttemptId id{job->id, job->last_attempt};
  worker->Hold(id, job);
  SetState(job, JobState::kRunning, now, fx);
  fx->after_commit.push_back(SendAssignment{
      worker->stream, id, job->create_time + job->policy->schedule_to_close});
}

WaitingReason Core::WaitingReasonOf(const Job& job) const {
  if (job.state == JobState::kBackoff) return WaitingReason::kBackoff;
  if (job.state != JobState::kQueued) return WaitingReason::kUnspecified;
  for (const auto& [session, worker] : workers_) {
    if (worker->connected() && !worker->paused && !worker->leaving &&
        worker->Offers(job.task_type)) {
      return WaitingReason::kSlotsBusy;
    }
  }
  return WaitingReason::kNoWorkerForTaskType;
}

}  // namespace vigil::coordinator
