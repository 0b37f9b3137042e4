#include "tests/sim/judge.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/reason.h"
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

// The last attempt that failed; null if none did.
const coordinator::AttemptRecord* LastFailed(const coordinator::Job& row) {
  // The next one may be there already: several changes of a job are one row.
  for (auto it = row.attempts.rbegin(); it != row.attempts.rend(); ++it) {
    if (it->failure.has_value()) return &*it;
  }
  return nullptr;
}

// Whether what is lost is an attempt that a warm task had ahead and may have
// begun, through no fault of its worker.
bool IsLostWithTask(const coordinator::Job& row) {
  const coordinator::AttemptRecord* attempt = LastFailed(row);
  return attempt != nullptr &&
         absl::StrContains(attempt->failure->message, " task ");
}

}  // namespace

JobTruth& Judge::Find(const JobId& job) {
  const auto it = jobs_.find(job);
  VIGIL_CHECK(it != jobs_.end(), job.value());
  return it->second;
}

const JobTruth& Judge::Find(const JobId& job) const {
  const auto it = jobs_.find(job);
  VIGIL_CHECK(it != jobs_.end(), job.value());
  return it->second;
}

const BegunAttempt* Judge::FindBegun(const AttemptId& attempt) const {
  for (const BegunAttempt& begun : Find(attempt.job_id).begun) {
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
  JobTruth& truth = Find(row.id);
  const coordinator::AttemptRecord* ended = LastFailed(row);
  if (row.lost_attempts > (old == nullptr ? 0 : old->lost_attempts) &&
      ended != nullptr && ended->failure->reason == Reason::kDrained) {
    parts_.coverage->Count("attempt drained");
  } else if (row.lost_attempts > (old == nullptr ? 0 : old->lost_attempts)) {
    parts_.coverage->Count(IsLostWithTask(row) ? "attempt lost with its task"
                                               : "attempt lost");
    for (const coordinator::AttemptRecord& attempt : row.attempts) {
      if (WasLost(attempt)) truth.lost.insert(attempt.number);
    }
  }
  outcomes_.CheckCharges(row, truth);
  drains_.Storing(row, truth);
  retries_.Storing(row, &truth);
  if (!truth.spec.batch.empty()) batches_.StoringJob(truth.spec, row);
  if (!IsFinal(row.state)) return;
  for (const BegunAttempt& begun : truth.begun) {
    Check(!begun.runnable(), row.id, "is final while a process of it runs");
  }
  outcomes_.CheckOutcome(row, truth);
}

void Judge::Began(std::shared_ptr<const TaskRun> run,
                  std::shared_ptr<const TaskTree> tree) {
  const AttemptId& attempt = run->attempt;
  const JobId& id = attempt.job_id;
  JobTruth& truth = Find(id);
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
  for (const BegunAttempt& other : truth.begun) {
    Check(!other.runnable(), id, "two attempts run at once");
    if (!other.exists()) continue;
    // Killed, and the kernel does not let go of it yet.
    parts_.coverage->Count("started beside a lost tree");
    Check(truth.lost.contains(other.run->attempt.number), id,
          "starts again beside a tree whose death is not confirmed");
  }
  retries_.Began(attempt.number, truth);
  if (!truth.spec.batch.empty()) batches_.Began(truth.spec, run, tree);
  truth.begun.push_back(BegunAttempt{std::move(run), std::move(tree)});
}

void Judge::ClockFired(const AttemptId& attempt, Reason reason,
                       absl::Time quiet_since) const {
  clocks_.Fired(Spec(attempt.job_id), FindBegun(attempt), reason, quiet_since);
}

void Judge::StillRunning(const AttemptId& attempt,
                         absl::Time quiet_since) const {
  const BegunAttempt* begun = FindBegun(attempt);
  if (begun == nullptr) return;
  clocks_.StillRunning(Spec(attempt.job_id), *begun, quiet_since);
}

void Judge::EndReported(const AttemptEnd& end, Output output) {
  const JobId& id = end.attempt.job_id;
  JobTruth& truth = Find(id);
  Check(truth.ends
            .try_emplace(end.attempt.number,
                         ReportedEnd{parts_.queue->now(), end.next_retry_delay})
            .second,
        id, "the end of an attempt is reported twice");
  const bool unconfirmed =
      end.evidence.has_value() && end.evidence->death_unconfirmed;
  if (unconfirmed) truth.unconfirmed.insert(end.attempt.number);
  if (end.never_started) {
    parts_.coverage->Count(end.failure->reason == Reason::kDrained
                               ? "attempt drained before it began"
                               : "attempt handed back");
  }
  if (end.process_failed) parts_.coverage->Count("process failed");
  const BegunAttempt* begun = FindBegun(end.attempt);
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
      Check(now < parts_.clock->When(job->retry_time), id,
            "is in BACKOFF past its retry time");
    }
    if (job->state == JobState::kQueued) {
      Check(now < parts_.clock->When(job->queue_time) +
                      HostClock::Longest(job->policy->schedule_to_start),
            id, "is QUEUED past schedule_to_start_timeout");
    }
    if (job->state != JobState::kRunning) {
      Check(now < parts_.clock->When(job->create_time) +
                      HostClock::Longest(job->policy->schedule_to_close),
            id, "waits past schedule_to_close_timeout");
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
    for (const BegunAttempt& begun : truth.begun) {
      Check(!begun.runnable(), id, "a process of it runs after all is over");
    }
  }
}

}  // namespace vigil::sim
