// What must be true of the core between two events, whatever happened.
#include <array>

#include "base/check.h"
#include "coordinator/core/core.h"

namespace vigil::coordinator {

void Core::CheckInvariants() const {
  batches_.CheckInvariants();
  std::array<int64_t, kJobStates> in = {};
  int64_t running = 0;
  for (const auto& [id, job] : jobs_) {
    const std::string& name = id.value();
    ++in[static_cast<int>(job->state)];
    VIGIL_CHECK(job->state != JobState::kUnspecified, name);
    VIGIL_CHECK(queues_.Contains(*job) == (job->state == JobState::kQueued),
                name);
    VIGIL_CHECK(
        job->charged_attempts >= 0 &&
            job->charged_attempts <= job->policy->retry.maximum_attempts,
        name);
    VIGIL_CHECK(job->attempts.size() <= kAttemptsKeptMax, name);
    VIGIL_CHECK(
        IsFinal(job->state) || (job->process_failures < kProcessFailuresMax &&
                                !job->result_bytes.has_value()),
        name);
    if (job->state == JobState::kRunning) {
      ++running;
      // Something will move it on: its worker's word, or its lease.
      const auto it = workers_.find(job->current().session);
      VIGIL_CHECK(it != workers_.end() && !it->second->lost, name);
      VIGIL_CHECK(it->second->running.contains({id, job->last_attempt}), name);
      VIGIL_CHECK(it->second->deadline() != absl::InfiniteFuture(), name);
    }
    if (job->state == JobState::kBackoff) {
      VIGIL_CHECK(job->deadline() <= job->retry_time, name);
    }
    if (!IsFinal(job->state) && job->state != JobState::kRunning) {
      VIGIL_CHECK(
          job->deadline() <= job->create_time + job->policy->schedule_to_close,
          name);
      VIGIL_CHECK(!job->cancel_requested, name);
    }
    for (size_t i = 1; i < job->attempts.size(); ++i) {
      VIGIL_CHECK(job->attempts[i - 1].number < job->attempts[i].number, name);
      VIGIL_CHECK(job->attempts[i - 1].phase == Phase::kEnded, name);
    }
  }
  VIGIL_CHECK(in == live_in_, "live jobs by state");
  int64_t held = 0;
  for (const auto& [session, worker] : workers_) {
    held += static_cast<int64_t>(worker->running.size());
    WorkerLoad load;
    for (const auto& [type, status] : worker->statuses) {
      load.SetInFlight(type, status.in_flight);
    }
    for (const auto& [attempt, job] : worker->running) load.Add(job->task_type);
    VIGIL_CHECK(load == worker->load, session.value());
  }
  VIGIL_CHECK(held == running, "each running job is held by one worker");
}

}  // namespace vigil::coordinator
