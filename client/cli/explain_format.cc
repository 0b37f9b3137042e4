#include "client/cli/explain_format.h"

#include <errno.h>
#include <string.h>

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/wire/time_wire.h"
#include "client/cli/evidence_format.h"
#include "client/cli/nested_format.h"
#include "client/cli/retry_format.h"
#include "client/cli/top_format.h"

namespace vigil::cli {
namespace {

// Attempts shown in full: the last ones.
constexpr int kAttemptsShownMax = 10;

std::string FormatState(const v1::Job& job, const Style& style) {
  const std::string name = StateName(job.state());
  if (job.state() == v1::Job::STATE_SUCCEEDED) return style.Green(name);
  if (job.state() == v1::Job::STATE_FAILED) return style.Red(name);
  return style.Yellow(name);
}

std::string Seconds(const google::protobuf::Duration& duration) {
  return HumanDuration(FromProto(duration));
}

// From one instant to another, both given.
std::string Between(const google::protobuf::Timestamp& from,
                    const google::protobuf::Timestamp& to) {
  return HumanDuration(
      std::max(absl::ZeroDuration(), FromProto(to) - FromProto(from)));
}

std::string FormatWaiting(const v1::Job& job, const ExplainContext& context) {
  if (job.state() == v1::Job::STATE_BACKOFF) {
    const absl::Duration wait = FromProto(job.retry_time()) - context.now;
    return absl::StrCat("waits: its next attempt may start ",
                        wait > absl::ZeroDuration()
                            ? absl::StrCat("in ", HumanDuration(wait))
                            : "now",
                        "\n");
  }
  std::string text = absl::StrCat("waits: ", WaitingName(job.waiting_reason()),
                                  ": ", WaitingText(job.waiting_reason()));
  if (job.waiting_reason() == v1::Job::WAITING_REASON_SLOTS_BUSY) {
    absl::StrAppend(&text, " (", context.status->slots_busy(), " of ",
                    context.status->slots_total(), " slots are busy)");
  }
  for (const auto& queue : context.status->queues()) {
    if (queue.task_type() != job.spec().task_type()) continue;
    absl::StrAppend(&text, "; ", queue.queued(), " queued in its queue");
  }
  return text + "\n";
}

// Empty: there is none.
std::string AdviceText(const v1::Failure& failure, const Style& style) {
  const std::string advice = AdviceLine(failure);
  if (advice.empty()) return "";
  return absl::StrCat("advice: ", style.Bold(advice), "\n");
}

std::string FormatOutcome(const v1::Job& job, const ExplainContext& context) {
  std::string text;
  if (job.state() == v1::Job::STATE_QUEUED ||
      job.state() == v1::Job::STATE_BACKOFF) {
    text = FormatWaiting(job, context);
  } else if (job.state() == v1::Job::STATE_RUNNING && !job.attempts().empty()) {
    text = absl::StrCat(
        "runs: ", FormatActivity(*job.attempts().rbegin(), context.now), "\n");
  } else if (job.has_failure()) {
    text = absl::StrCat("because: ", FailureLine(job.failure()), "\n");
    text += AdviceText(job.failure(), context.style);
  }
  if (job.cancel_requested() && !IsFinal(job.state())) {
    absl::StrAppend(&text,
                    "its end is asked for; it ends when its processes are "
                    "proved dead\n");
  }
  if (job.degraded()) {
    absl::StrAppend(&text, "its result is a fallback; it would have failed: ",
                    FailureLine(job.fallback_failure()), "\n");
    text += AdviceText(job.fallback_failure(), context.style);
  }
  if (job.truncated()) {
    absl::StrAppend(&text, job.has_result() ? "its result" : "what it wrote",
                    " is partial, ", TruncationLine(job.truncation()), "\n");
    text += AdviceText(job.truncation().failure(), context.style);
  }
  const std::string retries = RetryText(job);
  if (!retries.empty()) absl::StrAppend(&text, retries, "\n");
  return text;
}

// What a warm task left: its result, or what there is in place of one.
std::string FormatResult(const v1::Job& job, const ExplainContext& context) {
  std::string text;
  const auto add = [&text, &job](absl::string_view name, size_t bytes) {
    absl::StrAppend(&text, name, ": ", HumanBytes(static_cast<int64_t>(bytes)),
                    "; `", ExplainResultCommand(job), "` writes it\n");
  };
  if (job.has_result()) add("result", job.result().size());
  if (job.has_partial_result()) {
    add("partial result", job.partial_result().size());
  }
  if (job.has_checkpoint()) {
    const v1::Checkpoint& checkpoint = job.checkpoint();
    absl::StrAppend(&text, "checkpoint: of attempt ", checkpoint.attempt(),
                    ", ", AgeOf(checkpoint.time(), context.now), " old, ",
                    HumanBytes(checkpoint.size_bytes()), "\n");
  }
  return text;
}

std::string FormatTimes(const v1::Job& job, const ExplainContext& context) {
  std::string text = absl::StrCat(
      "submitted ", HumanTime(FromProto(job.create_time()), context.zone), " (",
      AgeOf(job.create_time(), context.now), " ago)");
  if (job.has_start_time()) {
    absl::StrAppend(&text, ", started ",
                    Between(job.create_time(), job.start_time()), " later");
  }
  if (job.has_end_time()) {
    absl::StrAppend(&text, ", ended ",
                    Between(job.create_time(), job.end_time()),
                    " after submission");
  }
  return text + "\n";
}

std::string FormatWords(
    const google::protobuf::RepeatedPtrField<std::string>& words) {
  std::vector<std::string> lines;
  for (const std::string& word : words) lines.push_back(OneLine(word));
  return absl::StrJoin(lines, " ");
}

std::string FormatRequest(const v1::JobSpec& spec) {
  std::string text;
  if (spec.task_type().empty()) {
    text = absl::StrCat("command: ", FormatWords(spec.command().argv()), "\n");
    if (!spec.command().working_directory().empty()) {
      absl::StrAppend(
          &text, "in: ", OneLine(spec.command().working_directory()), "\n");
    }
  } else {
    text = absl::StrCat("task type: ", spec.task_type(),
                        spec.arguments().empty() ? "" : ", arguments: ",
                        FormatWords(spec.arguments()), "\n");
  }
  const v1::Timeouts& timeouts = spec.timeouts();
  std::vector<std::string> clocks;
  const auto add = [&clocks](absl::string_view name, bool is_set,
                             const google::protobuf::Duration& value) {
    if (is_set) clocks.push_back(absl::StrCat(name, " ", Seconds(value)));
  };
  const bool silent = spec.activity().mode() == v1::ActivityPolicy::MODE_SILENT;
  add("startup", timeouts.has_startup_timeout() && !silent,
      timeouts.startup_timeout());
  add("inactivity", timeouts.has_inactivity_timeout() && !silent,
      timeouts.inactivity_timeout());
  add("progress", timeouts.has_progress_timeout(), timeouts.progress_timeout());
  add("start_to_close", timeouts.has_start_to_close_timeout(),
      timeouts.start_to_close_timeout());
  add("schedule_to_start", timeouts.has_schedule_to_start_timeout(),
      timeouts.schedule_to_start_timeout());
  add("schedule_to_close", timeouts.has_schedule_to_close_timeout(),
      timeouts.schedule_to_close_timeout());
  add("shutdown_grace", timeouts.has_shutdown_grace(),
      timeouts.shutdown_grace());
  if (spec.has_chunk_policy()) {
    const v1::ChunkPolicy& chunks = spec.chunk_policy();
    add("chunk", chunks.has_chunk_timeout(), chunks.chunk_timeout());
    if (chunks.has_expected_chunk_time()) {
      clocks.push_back(absl::StrCat(
          "expected_chunk_time ", Seconds(chunks.expected_chunk_time()), " (",
          chunks.max_consecutive_slow_chunks(), " slower in a row end it)"));
    }
  }
  absl::StrAppend(&text, "clocks: ", absl::StrJoin(clocks, ", "),
                  silent ? "; silent" : "",
                  spec.activity().observe() ? "; observed only" : "", "\n");
  const std::string nesting = NestingText(spec);
  if (!nesting.empty()) absl::StrAppend(&text, "limits: ", nesting, "\n");
  if (spec.retry().has_maximum_attempts()) {
    absl::StrAppend(&text, "attempts: at most ",
                    spec.retry().maximum_attempts(), "\n");
  }
  for (const auto& [key, value] : spec.labels()) {
    absl::StrAppend(&text, "label: ", OneLine(key), "=", OneLine(value), "\n");
  }
  return text;
}

std::string FormatAttemptTimes(const v1::Attempt& attempt,
                               const ExplainContext& context) {
  std::string text = "  ";
  if (attempt.has_assign_time()) {
    absl::StrAppend(&text, "assigned ",
                    HumanTime(FromProto(attempt.assign_time()), context.zone));
  }
  if (attempt.has_start_time()) {
    absl::StrAppend(&text, ", started ",
                    Between(attempt.assign_time(), attempt.start_time()),
                    " later");
  }
  if (attempt.has_active_time()) {
    absl::StrAppend(&text, ", active after ",
                    Between(attempt.start_time(), attempt.active_time()));
  }
  if (attempt.has_end_time()) {
    absl::StrAppend(&text, ", ended after ",
                    Between(attempt.has_start_time() ? attempt.start_time()
                                                     : attempt.assign_time(),
                            attempt.end_time()));
  }
  return text + "\n";
}

std::string FormatAttempt(const v1::Attempt& attempt, const v1::JobSpec& spec,
                          const ExplainContext& context) {
  std::string text = absl::StrCat(
      context.style.Bold(absl::StrCat("attempt ", attempt.number())), " on ",
      attempt.worker_id(), ": ");
  if (attempt.phase() != v1::Attempt::PHASE_ENDED) {
    absl::StrAppend(&text, FormatActivity(attempt, context.now), "\n");
  } else if (attempt.has_failure()) {
    absl::StrAppend(&text, FailureLine(attempt.failure()), "\n");
  } else {
    absl::StrAppend(&text, "succeeded\n");
  }
  absl::StrAppend(&text, FormatAttemptTimes(attempt, context));
  absl::StrAppend(&text, "  output: ", attempt.tokens(), " tokens, ",
                  attempt.heartbeats() > 0
                      ? absl::StrCat(attempt.heartbeats(), " heartbeats, ")
                      : "",
                  HumanBytes(attempt.stdout_bytes()), " on stdout, ",
                  HumanBytes(attempt.stderr_bytes()), " on stderr");
  if (attempt.has_longest_silence()) {
    absl::StrAppend(&text, ", longest silence ",
                    Seconds(attempt.longest_silence()));
  }
  absl::StrAppend(&text, "\n");
  if (attempt.has_progress()) {
    const v1::Progress& progress = attempt.progress();
    absl::StrAppend(&text, "  progress: ", ProgressText(progress),
                    progress.message().empty() ? "" : ": ",
                    OneLine(progress.message()), "\n");
  }
  if (attempt.has_exit()) {
    const v1::Exit& exit = attempt.exit();
    absl::StrAppend(&text, "  program: ", ExitText(exit), ", CPU ",
                    Seconds(exit.user_time()), " user + ",
                    Seconds(exit.system_time()), " system, memory ",
                    HumanBytes(exit.max_rss_bytes()), "\n");
  }
  if (attempt.spawn_errno() != 0) {
    absl::StrAppend(&text, "  start: ", strerror(attempt.spawn_errno()), "\n");
  }
  absl::StrAppend(&text, FormatNested(attempt, spec));
  if (attempt.has_evidence()) {
    absl::StrAppend(&text, FormatEvidence(attempt.evidence()));
  }
  for (const v1::Failure& observed : attempt.observed()) {
    absl::StrAppend(&text, "  would have been stopped: ", FailureLine(observed),
                    "\n");
  }
  if (attempt.phase() == v1::Attempt::PHASE_ENDED && !attempt.charged()) {
    // Otherwise it is the worker that was lost, or told to leave.
    const bool process_failed =
        attempt.failure().reason() != v1::Failure::REASON_WORKER_LOST &&
        attempt.failure().reason() != v1::Failure::REASON_DRAINED;
    absl::StrAppend(&text,
                    process_failed
                        ? "  the process failed before it took the job; "
                          "this "
                        : "  ",
                    "does not count against the attempts it may have\n");
  }
  if (attempt.has_retry_time()) {
    absl::StrAppend(&text, "  tried again ",
                    Between(attempt.end_time(), attempt.retry_time()),
                    " later\n");
  }
  return text;
}

}  // namespace

std::string FormatExplanation(const v1::Job& job,
                              const ExplainContext& context) {
  std::string text =
      absl::StrCat(context.style.Bold(absl::StrCat("job ", job.job_id())), " ",
                   FormatState(job, context.style), "\n",
                   FormatOutcome(job, context), FormatResult(job, context),
                   FormatTimes(job, context), FormatRequest(job.spec()));
  if (job.has_batch_index()) {
    absl::StrAppend(&text, "batch: ", job.batch_id(), ", item ",
                    job.batch_index(), " (from 0)\n");
  }
  const int hidden = std::max(0, job.attempts_size() - kAttemptsShownMax);
  if (hidden > 0) {
    absl::StrAppend(&text, hidden,
                    " earlier attempts are left out; see -o json\n");
  }
  for (int i = hidden; i < job.attempts_size(); ++i) {
    absl::StrAppend(&text, FormatAttempt(job.attempts(i), job.spec(), context));
  }
  return text;
}

}  // namespace vigil::cli
