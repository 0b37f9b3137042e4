// What workers say of the attempts that they run.
#include <algorithm>
#include <utility>

#include "coordinator/core/core.h"

namespace vigil::coordinator {
namespace {

// A moment in an attempt's life, of which its worker said how long ago it was:
// not before the attempt was assigned nor ahead of now, whatever was said.
absl::Time MomentIn(const AttemptRecord& attempt, absl::Duration ago,
                    absl::Time now) {
  return std::min(now, std::max(attempt.assign_time, now - ago));
}

}  // namespace

bool Core::Holds(StreamId stream, const AttemptId& attempt) const {
  const auto it = streams_.find(stream);
  return it != streams_.end() && it->second->running.contains(attempt);
}

Job* Core::FindCurrent(const WorkerRecord& worker, const AttemptId& attempt) {
  Job* job = FindMutable(attempt.job_id);
  if (job == nullptr || job->state != JobState::kRunning ||
      job->last_attempt != attempt.number ||
      job->current().session != worker.hello.session) {
    ++counters_.fenced;
    return nullptr;
  }
  return job;
}

void Core::TakeReport(Job* job, const AttemptUpdate& update, absl::Time now) {
  AttemptRecord& attempt = job->current();
  // An attempt that waits for a warm-up or has no slot has no process yet. The
  // first report of a process may be as old as the process: 0.
  const bool started = update.phase != Phase::kWarming && update.slot >= 0;
  if (started && attempt.start_time == absl::InfinitePast()) {
    attempt.start_time = MomentIn(attempt, update.age, now);
  }
  if (update.phase == Phase::kActive &&
      attempt.active_time == absl::InfinitePast()) {
    attempt.active_time = now;
  }
  if (job->start_time == absl::InfinitePast()) {
    job->start_time = attempt.start_time;
  }
  if (update.phase != Phase::kUnspecified) attempt.phase = update.phase;
  if (started) {
    attempt.last_activity_time = MomentIn(attempt, update.silence, now);
  }
  std::optional<Progress> progress = std::move(attempt.last.progress);
  attempt.last = update;
  attempt.last.observed.reset();
  attempt.last.notice.reset();
  if (!attempt.last.progress.has_value()) {
    attempt.last.progress = std::move(progress);
  }
}

void Core::Update(StreamId stream, AttemptUpdate update, absl::Time now,
                  Effects* fx) {
  WorkerRecord* worker = FindStream(stream);
  if (worker == nullptr) return;
  Job* job = FindCurrent(*worker, update.attempt);
  if (job == nullptr) return;
  TakeReport(job, update, now);
  ClaimNestedDispatches(worker, job);
  if (update.observed.has_value()) {
    std::vector<Failure>& observed = job->current().observed;
    if (observed.size() < kObservedMax) observed.push_back(*update.observed);
    fx->notices.push_back(Notice{job->id, *std::move(update.observed)});
  }
  if (update.notice.has_value()) {
    fx->notices.push_back(Notice{job->id, *std::move(update.notice)});
  }
  fx->touched.push_back(job->id);
}

void Core::CountEnd(const AttemptEnd& end) {
  if (end.evidence.has_value() && end.evidence->death_unconfirmed) {
    ++counters_.deaths_unconfirmed;
  }
  for (const NestedCall& call : end.last.nested_calls) {
    int64_t& count = call.outcome == NestedCall::Outcome::kSequential
                         ? counters_.sequential_pools
                         : counters_.nested_calls;
    // A count that no tree of processes reaches in its life is none.
    count += std::clamp<int64_t>(call.count, 0, kNestedCallsCountedMax);
  }
}

void Core::End(StreamId stream, AttemptEnd end, absl::Time now, Effects* fx) {
  WorkerRecord* worker = FindStream(stream);
  if (worker == nullptr) return;
  // Whatever becomes of it, the worker need not keep it once that is durable.
  fx->after_commit.push_back(SendEndAck{stream, end.attempt});
  Job* job = FindCurrent(*worker, end.attempt);
  if (job == nullptr) return;
  worker->Release(end.attempt);
  CountEnd(end);
  const bool started = end.last.age > absl::ZeroDuration();
  if (started) TakeReport(job, end.last, now);
  const bool unconfirmed =
      end.evidence.has_value() && end.evidence->death_unconfirmed;
  const bool lost = !unconfirmed && end.failure.has_value() &&
                    end.failure->reason == Reason::kWorkerLost;
  const bool drained = !unconfirmed && end.failure.has_value() &&
                       end.failure->reason == Reason::kDrained;
  if ((lost || drained) && end.never_started) {
    const std::string why =
        drained ? end.failure->message : "its worker " + end.failure->message;
    if (!TakeBack(job, why, now, fx)) return;
    job->handed_back = true;
    BackOff(job, 1, kHandedBackDelay, now, fx);
    return;
  }
  if (lost) {
    job->current().exit = std::move(end.exit);
    job->current().evidence = std::move(end.evidence);
    LoseAttempt(job, end.failure->message, now, fx);
    KeepResult(job, std::move(end.result), fx);
    return;
  }
  ClaimNestedDispatches(worker, job);
  BlameNestedDispatch(*job, &end);
  AttemptRecord& attempt = job->current();
  attempt.phase = Phase::kEnded;
  attempt.end_time = now;
  if (end.time_to_active.has_value()) {
    attempt.active_time = MomentIn(
        attempt, now - (attempt.start_time + *end.time_to_active), now);
  }
  attempt.failure = end.failure;
  attempt.exit = end.exit;
  attempt.evidence = end.evidence;
  attempt.spawn_errno = end.spawn_errno;
  if (!end.never_started) fx->ended.push_back(end.attempt);
  Decide(job, end, now, fx);
  KeepResult(job, std::move(end.result), fx);
}

void Core::KeepResult(Job* job, std::shared_ptr<const std::string> result,
                      Effects* fx) {
  // Before a retry it is dropped: the next attempt goes on from a checkpoint.
  // Nor does what a failed attempt left take the place of a fallback.
  if (result == nullptr || !IsFinal(job->state) ||
      job->fallback_failure.has_value()) {
    return;
  }
  job->result_bytes = static_cast<int64_t>(result->size());
  fx->results.push_back({job->id, std::move(result)});
}

void Core::TakeCheckpoint(StreamId stream, AttemptCheckpoint checkpoint,
                          absl::Time now, Effects* fx) {
  WorkerRecord* worker = FindStream(stream);
  if (worker == nullptr) return;
  Job* job = FindCurrent(*worker, checkpoint.attempt);
  if (job == nullptr) return;
  const int64_t size_bytes = static_cast<int64_t>(checkpoint.state->size());
  // A worker keeps to the bound; more might not reach another one.
  if (size_bytes > kCheckpointBytesMax) return;
  job->checkpoint = Checkpoint{checkpoint.attempt.number, now, size_bytes};
  fx->results.push_back({job->id, std::move(checkpoint.state)});
  Save(job, fx);
}

}  // namespace vigil::coordinator
