#include "tests/sim/job_spec.h"

#include <errno.h>

#include <algorithm>
#include <utility>

namespace vigil::sim {
namespace {

using End = TaskScript::End;
using OnTerm = TaskScript::OnTerm;

// What jobs may hold that have a limit, in bytes.
constexpr int64_t kMemoryMax = 1 << 20;

// Times of scripts and clocks overlap on purpose, so that each clock fires on
// some tasks and spares others.
absl::Duration ShortOrLong(Random* random, absl::Duration low,
                           absl::Duration high) {
  // Most are near `low`.
  const double fraction = random->Fraction();
  return low + (high - low) * (fraction * fraction * fraction);
}

void SetEnd(TaskScript* script, Random* random) {
  const double kind = random->Fraction();
  if (kind < 0.6) {
    script->end = End::kExit;
  } else if (kind < 0.8) {
    constexpr int kStatuses[] = {1, 2, 65, 75, 7, 126};
    script->end = End::kExit;
    script->status = kStatuses[random->Index(std::size(kStatuses))];
    if (random->Chance(0.2)) script->text_reason = Reason::kResourceExhausted;
  } else if (kind < 0.87) {
    script->end = End::kSignal;
    script->status = 11;
  } else {
    script->end = End::kHang;
  }
}

void SetDeath(TaskScript* script, Random* random) {
  const double term = random->Fraction();
  script->on_term = term < 0.6   ? OnTerm::kDie
                    : term < 0.8 ? OnTerm::kExitZero
                                 : OnTerm::kIgnore;
  script->term_delay =
      ShortOrLong(random, absl::Microseconds(50), absl::Seconds(3));
  if (random->Chance(0.3)) {
    script->descendants = static_cast<int>(random->Int(1, 4));
  }
  script->death_delay =
      random->Between(absl::Microseconds(20), absl::Milliseconds(5));
  if (random->Chance(0.02)) {
    script->death_delay = random->Between(absl::Seconds(1), absl::Seconds(30));
  } else if (random->Chance(0.01)) {
    script->death_delay = absl::InfiniteDuration();
  }
}

// What only warm tasks do.
void SetTwist(TaskScript* script, Random* random) {
  script->says_error = random->Chance(0.7);
  script->leaves_child = random->Chance(0.05);
  script->descendants = 0;
  if (!random->Chance(0.06)) return;
  constexpr TaskScript::Twist kTwists[] = {
      TaskScript::Twist::kExitZero, TaskScript::Twist::kExitsAfter,
      TaskScript::Twist::kSecondResult, TaskScript::Twist::kOtherAttempt,
      TaskScript::Twist::kClosesChannel};
  script->twist = kTwists[random->Index(std::size(kTwists))];
}

// A job of a few milliseconds that ends well.
void MakeQuick(TaskScript* script, Random* random) {
  script->first_token =
      random->Between(absl::ZeroDuration(), absl::Milliseconds(1));
  script->tokens = static_cast<int>(random->Int(0, 3));
  script->interval_min = absl::Microseconds(10);
  script->interval_max = absl::Milliseconds(1);
  script->end_after =
      random->Between(absl::ZeroDuration(), absl::Milliseconds(2));
  script->end = End::kExit;
  script->status = 0;
}

// Near to what scripts take from one token to the next.
void SetChunks(Supervision* supervision, Random* random) {
  ChunkPolicy& chunks = supervision->chunks.emplace();
  chunks.chunk_timeout =
      ShortOrLong(random, absl::Milliseconds(300), absl::Seconds(10));
  chunks.max_consecutive_slow_chunks = static_cast<int>(random->Int(1, 3));
  if (random->Chance(0.6)) {
    chunks.expected_chunk_time =
        random->Between(absl::Milliseconds(20), chunks.chunk_timeout);
  }
}

}  // namespace

TaskScript JobSpec::ScriptFor(int number) const {
  if (script.has_value()) return *script;
  Random random(script_seed + static_cast<uint64_t>(number));
  TaskScript script;
  if (random.Chance(0.04)) {
    script.spawn_error = random.Chance(0.5) ? EAGAIN : ENOENT;
    return script;
  }
  script.first_token =
      random.Chance(0.2)
          ? absl::ZeroDuration()
          : ShortOrLong(&random, absl::Milliseconds(1), absl::Seconds(12));
  if (random.Chance(0.3)) script.stderr_lines = 3;
  script.tokens =
      random.Chance(0.05) ? 1'000'000 : static_cast<int>(random.Int(0, 12));
  script.interval_min =
      ShortOrLong(&random, absl::Milliseconds(20), absl::Seconds(2));
  script.interval_max =
      script.interval_min +
      ShortOrLong(&random, absl::Milliseconds(1),
                  random.Chance(0.3) ? absl::Seconds(8) : absl::Seconds(1));
  if (random.Chance(0.08)) {
    // Works for as long as it may, across the end of leases.
    script.first_token = absl::Milliseconds(1);
    script.tokens = 1'000'000;
    script.interval_min = absl::Milliseconds(100);
    script.interval_max = absl::Milliseconds(400);
  }
  script.says_ready = random.Chance(0.9);
  script.progresses = random.Chance(0.5);
  script.end_after =
      ShortOrLong(&random, absl::ZeroDuration(), absl::Seconds(4));
  SetEnd(&script, &random);
  SetDeath(&script, &random);
  if (random.Chance(0.1)) script.rss_bytes = 2 * kMemoryMax;
  if (!warm() && random.Chance(0.1)) {
    script.nested_after =
        random.Between(absl::ZeroDuration(), absl::Seconds(3));
  }
  if (warm()) SetTwist(&script, &random);
  script.says_total = random.Chance(0.5);
  if (type != nullptr && type->quick && random.Chance(0.85)) {
    MakeQuick(&script, &random);
  }
  return script;
}

TaskScript RandomProcess(Random* random) {
  TaskScript script;
  if (random->Chance(0.02)) {
    script.spawn_error = random->Chance(0.5) ? EAGAIN : ENOENT;
  }
  if (random->Chance(0.3)) script.stderr_lines = 3;
  SetDeath(&script, random);
  script.descendants = 0;
  return script;
}

TaskScript RandomWarmUp(Random* random) {
  TaskScript script = RandomProcess(random);
  script.tokens = static_cast<int>(random->Int(0, 5));
  script.interval_max = absl::Seconds(3);
  script.end_after =
      ShortOrLong(random, absl::Milliseconds(1), absl::Seconds(10));
  if (random->Chance(0.3)) SetEnd(&script, random);
  return script;
}

JobSpec RandomJob(JobId id, std::shared_ptr<const TaskType> type,
                  Random* random) {
  JobSpec job;
  job.id = std::move(id);
  job.script_seed = random->Next();
  if (type != nullptr) {
    job.task_type = type->rules.name;
    job.type = std::move(type);
  } else if (random->Chance(0.3)) {
    job.task_type = "inline";
  }
  job.priority = static_cast<int>(random->Int(-1, 1));

  coordinator::JobPolicy policy;
  policy.schedule_to_close = absl::Hours(24);
  if (random->Chance(0.15)) {
    policy.schedule_to_close =
        random->Between(absl::Seconds(5), absl::Seconds(120));
  }
  if (random->Chance(0.15)) {
    policy.schedule_to_start =
        random->Between(absl::Milliseconds(200), absl::Seconds(30));
  }
  policy.cancel_on_disconnect = random->Chance(0.2);
  policy.fallback.declared = random->Chance(0.25);
  if (policy.fallback.declared && random->Chance(0.3)) {
    policy.fallback.reasons = {Reason::kNonzeroExit, Reason::kSignalled,
                               Reason::kInactivityTimeout};
  }
  policy.retry.maximum_attempts =
      random->Chance(0.3) ? 1 : static_cast<int>(random->Int(2, 4));
  if (random->Chance(0.2)) {
    // As long as a coordinator takes to be started again.
    policy.retry.initial_interval =
        random->Between(absl::Seconds(1), absl::Seconds(20));
  }
  if (random->Chance(0.5)) {
    policy.retry.retry_on = {
        Reason::kNonzeroExit,         Reason::kInactivityTimeout,
        Reason::kSignalled,           Reason::kStartupTimeout,
        Reason::kStartToCloseTimeout, Reason::kSlowChunks};
  }

  Supervision& supervision = job.supervision;
  Timeouts& timeouts = supervision.timeouts;
  timeouts.startup = ShortOrLong(
      random, random->Chance(0.3) ? absl::Seconds(2) : absl::Seconds(15),
      absl::Seconds(60));
  timeouts.inactivity = ShortOrLong(
      random, random->Chance(0.3) ? absl::Milliseconds(500) : absl::Seconds(8),
      absl::Seconds(45));
  timeouts.start_to_close =
      random->Between(absl::Seconds(10), absl::Seconds(90));
  timeouts.shutdown_grace =
      random->Chance(0.2)
          ? absl::ZeroDuration()
          : random->Between(absl::Milliseconds(100), absl::Seconds(5));
  if (random->Chance(0.2)) {
    timeouts.progress = random->Between(absl::Seconds(1), absl::Seconds(30));
  }
  timeouts.schedule_to_start = policy.schedule_to_start;
  timeouts.schedule_to_close = policy.schedule_to_close;
  supervision.silent = random->Chance(0.1);
  if (random->Chance(0.2)) supervision.stack_dump_signal = 10;
  if (!job.warm()) {
    if (random->Chance(0.2)) supervision.max_rss_bytes = kMemoryMax;
    constexpr OnNestedPool kActions[] = {
        OnNestedPool::kFail, OnNestedPool::kDeny, OnNestedPool::kAudit,
        OnNestedPool::kRetrySequential};
    supervision.nesting.action = kActions[random->Index(std::size(kActions))];
    policy.retry_sequential =
        supervision.nesting.action == OnNestedPool::kRetrySequential;
  }
  supervision.waits_for_ready = random->Chance(0.2);
  supervision.stderr_is_activity = random->Chance(0.8);
  if (job.warm()) {
    supervision.waits_for_ready = false;
    supervision.stdout_is_activity = false;
    supervision.stderr_is_activity = random->Chance(0.2);
  }
  if (random->Chance(0.2)) job.exit_reasons[7] = Reason::kOutOfMemory;
  policy.chunked = random->Chance(0.4);
  if (policy.chunked) SetChunks(&supervision, random);
  job.policy = std::make_shared<const coordinator::JobPolicy>(policy);
  if (!job.warm() && random->Chance(0.05)) {
    // Nothing is killed, so it has to end by itself.
    supervision.observe = true;
    supervision.nesting.action = OnNestedPool::kAudit;
    TaskScript script = job.ScriptFor(1);
    script.tokens = std::min(script.tokens, 30);
    script.end = End::kExit;
    job.script = script;
  }
  return job;
}

}  // namespace vigil::sim
