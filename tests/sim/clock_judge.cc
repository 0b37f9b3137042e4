#include "tests/sim/clock_judge.h"

#include "absl/strings/str_cat.h"
#include "tests/sim/host_clock.h"
#include "tests/sim/violation.h"

namespace vigil::sim {

void ClockJudge::Check(bool condition, const JobId& job,
                       const char* what) const {
  if (condition) return;
  EndByViolation(queue_->now(), absl::StrCat(job.value(), ": ", what));
}

void ClockJudge::Fired(const JobSpec& job, const BegunAttempt* begun,
                       Reason reason, absl::Time quiet_since) const {
  const JobId& id = job.id;
  if (begun == nullptr) {
    Check(reason != Reason::kInactivityTimeout &&
              reason != Reason::kProgressTimeout &&
              reason != Reason::kSlowChunks,
          id, "a clock fired that runs only once it began");
    return;
  }
  const TaskRun& run = *begun->run;
  const Supervision& supervision = job.supervision;
  const Timeouts& timeouts = supervision.timeouts;
  const absl::Time now = queue_->now();
  const auto judge = [&](absl::Time since, absl::Duration timeout) {
    Check(now - since >= HostClock::Shortest(timeout), id,
          "a clock fired before its time");
    if (quiet_since > since) return;
    Check(now - since <= HostClock::Longest(timeout) + kLateMax, id,
          "a clock fired late");
  };
  if (reason == Reason::kInactivityTimeout) {
    judge(run.last_activity, timeouts.inactivity);
  } else if (reason == Reason::kSlowChunks) {
    Check(supervision.chunks.has_value() && !run.all_chunks, id,
          "is stopped for its chunks and has none to come");
    const ChunkPolicy& chunks = *supervision.chunks;
    const int slow_max = chunks.max_consecutive_slow_chunks;
    Check(now - run.chunk_begin >= HostClock::Shortest(chunks.chunk_timeout) ||
              (run.chunks >= slow_max &&
               now - run.start_time >
                   HostClock::Shortest(slow_max * chunks.expected_chunk_time)),
          id, "is stopped for its chunks, which were not slow");
  } else if (reason == Reason::kStartToCloseTimeout) {
    judge(run.start_time, timeouts.start_to_close);
  } else if (reason == Reason::kStartupTimeout) {
    Check(now - run.start_time >= HostClock::Shortest(timeouts.startup), id,
          "STARTUP_TIMEOUT before its time");
    Check(!run.talked() || supervision.waits_for_ready, id,
          "STARTUP_TIMEOUT after it talked");
  }
}

void ClockJudge::StillRunning(const JobSpec& job, const BegunAttempt& begun,
                              absl::Time quiet_since) const {
  const TaskRun& run = *begun.run;
  if (run.over || !begun.tree->program_runs()) return;
  const JobId& id = job.id;
  const Supervision& supervision = job.supervision;
  if (supervision.observe) return;
  const Timeouts& timeouts = supervision.timeouts;
  const absl::Time now = queue_->now() - kLateMax;
  if (quiet_since <= run.start_time) {
    Check(now < run.start_time + HostClock::Longest(timeouts.start_to_close),
          id, "runs past start_to_close_timeout");
  }
  const bool active = supervision.waits_for_ready ? run.ready : run.talked();
  if (active && !supervision.silent && quiet_since <= run.last_activity) {
    Check(now < run.last_activity + HostClock::Longest(timeouts.inactivity), id,
          "is silent past inactivity_timeout");
  }
  if (active && supervision.chunks.has_value() && !run.all_chunks &&
      quiet_since <= run.chunk_begin) {
    Check(now < run.chunk_begin +
                    HostClock::Longest(supervision.chunks->chunk_timeout),
          id, "goes on with a chunk past chunk_timeout");
  }
}

}  // namespace vigil::sim
