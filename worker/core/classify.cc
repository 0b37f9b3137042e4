#include "worker/core/classify.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace vigil::worker {
namespace {

// sysexits.h: the input was malformed; try again later.
constexpr int kExDataErr = 65;
constexpr int kExTempFail = 75;

std::string Rounded(absl::Duration duration) {
  return absl::FormatDuration(
      duration < absl::Seconds(1)
          ? absl::Trunc(duration, absl::Milliseconds(1))
          : absl::Trunc(duration, absl::Milliseconds(100)));
}

// What a shell says of a child that SIGKILL ended.
constexpr int kShellSigkillStatus = 128 + SIGKILL;

Failure OomFailure(const Exit& exit, OomKill oom) {
  return Failure{
      Reason::kOutOfMemory,
      absl::StrCat(
          exit.signal.has_value()
              ? "the program was ended by signal 9 (Killed)"
              : "the program exited with status 137 (a process of it was "
                "killed)",
          oom == OomKill::kCertain
              ? ", by the kernel, because memory was short (its control group "
                "counts one more such kill)"
              : ", probably by the kernel, because memory was short (it killed "
                "somebody on this host meanwhile)"),
      "", oom == OomKill::kCertain ? Exhaustion::kTask : Exhaustion::kHost};
}

std::string Count(int count, absl::string_view singular,
                  absl::string_view plural) {
  return absl::StrCat(count, " ", count == 1 ? singular : plural);
}

// Whether a failure may be the consequence of refused calls: not what others
// caused, and not what the task says of its input.
bool MayFollowRefusal(Reason reason) {
  switch (reason) {
    case Reason::kStartupTimeout:
    case Reason::kInactivityTimeout:
    case Reason::kProgressTimeout:
    case Reason::kStartToCloseTimeout:
    case Reason::kResourceExhausted:
    case Reason::kTaskError:
    case Reason::kNonzeroExit:
    case Reason::kSignalled:
    case Reason::kProtocolError:
      return true;
    case Reason::kUnspecified:
    case Reason::kScheduleToStartTimeout:
    case Reason::kScheduleToCloseTimeout:
    case Reason::kSlowChunks:
    case Reason::kCancelled:
    case Reason::kDrained:
    case Reason::kWorkerLost:
    case Reason::kOutOfMemory:
    case Reason::kNestedPool:
    case Reason::kNestedDispatch:
    case Reason::kInvalidInput:
    case Reason::kInvalidResult:
    case Reason::kSpawnFailed:
    case Reason::kOutputLimit:
    case Reason::kServerUnavailable:
    case Reason::kInternal:
      return false;
  }
  return false;
}

bool IsClock(Reason reason) {
  return reason == Reason::kStartupTimeout ||
         reason == Reason::kInactivityTimeout ||
         reason == Reason::kProgressTimeout ||
         reason == Reason::kStartToCloseTimeout;
}

// "3 of 10 chunks were done".
std::string ChunksDone(const AttemptUpdate& counts) {
  const Progress progress = counts.progress.value_or(Progress());
  return absl::StrCat(
      progress.done,
      progress.total > 0 ? absl::StrCat(" of ", progress.total) : "",
      progress.done == 1 && progress.total <= 1 ? " chunk was done"
                                                : " chunks were done");
}

Failure ChunkFailure(const ChunkPolicy& policy, const ChunkClock& chunks,
                     const AttemptUpdate& counts, absl::Time now) {
  return {Reason::kSlowChunks,
          absl::StrFormat("%s, and the next one ran for %s (chunk_timeout %s)",
                          ChunksDone(counts), Rounded(now - chunks.begin()),
                          absl::FormatDuration(policy.chunk_timeout)),
          ""};
}

Failure SlowChunksFailure(const ChunkPolicy& policy, const ChunkClock& chunks,
                          const AttemptUpdate& counts) {
  return {Reason::kSlowChunks,
          absl::StrFormat(
              "%s; %s slower than expected, the last one took %s "
              "(expected_chunk_time %s, max_consecutive_slow_chunks %d)",
              ChunksDone(counts),
              policy.max_consecutive_slow_chunks == 1
                  ? "one was"
                  : absl::StrCat(policy.max_consecutive_slow_chunks,
                                 " in a row were"),
              Rounded(chunks.last_chunk()),
              absl::FormatDuration(policy.expected_chunk_time),
              policy.max_consecutive_slow_chunks),
          ""};
}

constexpr char kThreadAdvice[] =
    "Thread pools inside thread pools multiply: let it use fewer threads, or "
    "raise --max_threads.";

}  // namespace

Failure NestedPoolFailure(const NestedCall& call, int live,
                          const Nesting& nesting) {
  const std::string wanted =
      live > nesting.max_processes
          ? absl::StrCat(call.program, " had ", live,
                         " processes at one time beside its own")
      : nesting.max_processes == 0
          ? absl::StrCat(call.program, " wanted a process (", call.call,
                         "), and may have none")
          : absl::StrCat(call.program, " wanted another process (", call.call,
                         ") while ", live, " lived", " beside the task's own");
  return Failure{
      Reason::kNestedPool,
      absl::StrCat(wanted, " (max_processes ", nesting.max_processes, ")"), ""};
}

Failure NestedCallNotice(const NestedCall& call, int live,
                         const Nesting& nesting) {
  if (call.call == kThreadCall) {
    return Failure{
        Reason::kResourceExhausted,
        absl::StrCat(call.program, " wanted another thread while ", live,
                     " lived (max_threads ", nesting.max_threads, ")",
                     call.outcome == NestedCall::Outcome::kRefused
                         ? "; it was refused"
                         : "; it was let through (AUDIT)"),
        kThreadAdvice, Exhaustion::kTask};
  }
  Failure notice = NestedPoolFailure(call, live, nesting);
  if (call.outcome != NestedCall::Outcome::kRefused) {
    absl::StrAppend(&notice.message, "; they are only counted (AUDIT)");
  } else if (live <= nesting.max_processes) {
    absl::StrAppend(&notice.message, "; it was refused");
  }
  return notice;
}

Failure BlameNesting(Failure failure, const std::vector<NestedCall>& calls,
                     const Nesting& nesting) {
  if (!MayFollowRefusal(failure.reason)) return failure;
  const NestedCall* process = nullptr;
  const NestedCall* thread = nullptr;
  for (const NestedCall& call : calls) {
    if (call.outcome != NestedCall::Outcome::kRefused) continue;
    (call.call == kThreadCall ? thread : process) = &call;
  }
  if (process != nullptr) {
    failure.message = absl::StrFormat(
        "%s was refused %s (%s; max_processes %d); then %s%s", process->program,
        Count(static_cast<int>(process->count), "process", "processes"),
        process->call, nesting.max_processes,
        IsClock(failure.reason) ? ReasonName(failure.reason) + ": " : "",
        failure.message);
    failure.reason = Reason::kNestedPool;
    failure.advice.clear();
  } else if (thread != nullptr && !IsClock(failure.reason)) {
    failure.message = absl::StrFormat(
        "%s had all the threads it may have, and was refused %d more "
        "(max_threads %d): nested thread pools; then %s",
        thread->program, thread->count, nesting.max_threads, failure.message);
    failure.reason = Reason::kResourceExhausted;
    failure.advice = kThreadAdvice;
    failure.exhaustion = Exhaustion::kTask;
  }
  return failure;
}

Failure MemoryFailure(int64_t rss_bytes, int64_t max_rss_bytes) {
  constexpr double kMiB = 1 << 20;
  return Failure{
      Reason::kOutOfMemory,
      absl::StrFormat("its processes held %.1f MiB of memory (max_rss %.1f "
                      "MiB)",
                      static_cast<double>(rss_bytes) / kMiB,
                      static_cast<double>(max_rss_bytes) / kMiB),
      "Give it a smaller input, or raise --max_rss.", Exhaustion::kTask};
}

bool MayBeOomKill(const Exit& exit) {
  return exit.signal == SIGKILL || exit.status == kShellSigkillStatus;
}

Verdict ClassifyExit(const Exit& exit,
                     const std::map<int, Reason>& exit_reasons,
                     std::optional<Reason> text_reason, OomKill oom) {
  if (MayBeOomKill(exit) && oom != OomKill::kNone) {
    return {OomFailure(exit, oom)};
  }
  if (exit.signal == SIGKILL) {
    return {Failure{text_reason.value_or(Reason::kSignalled),
                    "the program was ended by signal 9 (Killed), which Vigil "
                    "did not send",
                    "Somebody sent it, or the kernel did because memory was "
                    "short and Vigil cannot see that here: look into the "
                    "kernel's log."}};
  }
  if (exit.signal.has_value()) {
    return {Failure{text_reason.value_or(Reason::kSignalled),
                    absl::StrFormat("the program was ended by signal %d (%s)",
                                    *exit.signal, strsignal(*exit.signal)),
                    ""}};
  }
  const int status = exit.status.value_or(0);
  if (status == 0) return {};
  const std::string message =
      absl::StrFormat("the program exited with status %d", status);
  if (const auto it = exit_reasons.find(status); it != exit_reasons.end()) {
    return {Failure{it->second, message, ""},
            status == kExTempFail && it->second == Reason::kTaskError};
  }
  if (text_reason.has_value()) return {Failure{*text_reason, message, ""}};
  if (status == kExDataErr) {
    return {Failure{Reason::kInvalidInput,
                    absl::StrCat(message, " (EX_DATAERR)"), ""}};
  }
  if (status == kExTempFail) {
    return {Failure{Reason::kTaskError, absl::StrCat(message, " (EX_TEMPFAIL)"),
                    ""},
            true};
  }
  return {Failure{Reason::kNonzeroExit, message, ""}};
}

Verdict ClassifySpawnFailure(int error, const std::string& what) {
  const bool exhausted =
      error == EAGAIN || error == ENOMEM || error == EMFILE || error == ENFILE;
  return {Failure{exhausted ? Reason::kResourceExhausted : Reason::kSpawnFailed,
                  absl::StrCat(what, ": ", strerror(error)), ""}};
}

Failure HandedToBroken() {
  return Failure{Reason::kWorkerLost,
                 "handed it to a task that broke the protocol", ""};
}

Failure ClockFailure(ClockKind kind, const Supervision& supervision,
                     const AttemptClocks& clocks, const AttemptUpdate& counts,
                     absl::Time now) {
  const Timeouts& timeouts = supervision.timeouts;
  const std::string silence = Rounded(now - clocks.last_activity());
  const std::string age = Rounded(now - clocks.start());
  const std::string seen =
      absl::StrFormat("%d tokens, %d bytes", counts.tokens,
                      counts.stdout_bytes + counts.stderr_bytes);
  switch (kind) {
    case ClockKind::kStartup:
      return {
          Reason::kStartupTimeout,
          absl::StrFormat("not ready %s after its start, silent for %s "
                          "(startup_timeout %s)",
                          age, silence, absl::FormatDuration(timeouts.startup)),
          ""};
    case ClockKind::kInactivity:
      return {Reason::kInactivityTimeout,
              absl::StrFormat("silent for %s after %s (inactivity_timeout %s)",
                              silence, seen,
                              absl::FormatDuration(timeouts.inactivity)),
              ""};
    case ClockKind::kProgress:
      return {
          Reason::kProgressTimeout,
          counts.progress.has_value()
              ? absl::StrFormat(
                    "no progress beyond %d of %d for %s (progress_timeout)",
                    counts.progress->done, counts.progress->total,
                    absl::FormatDuration(timeouts.progress))
              : absl::StrFormat("no progress at all for %s (progress_timeout)",
                                absl::FormatDuration(timeouts.progress)),
          ""};
    case ClockKind::kChunk:
      return ChunkFailure(*supervision.chunks, *clocks.chunks(), counts, now);
    case ClockKind::kSlowChunks:
      return SlowChunksFailure(*supervision.chunks, *clocks.chunks(), counts);
    case ClockKind::kStartToClose:
      return {Reason::kStartToCloseTimeout,
              absl::StrFormat("still running after %s, with %s and %s of "
                              "silence (start_to_close_timeout%s)",
                              age, seen, silence,
                              supervision.silent ? ", SILENT" : ""),
              ""};
    case ClockKind::kScheduleToClose:
      return {Reason::kScheduleToCloseTimeout,
              absl::StrFormat("the job's whole time was over %s into this "
                              "attempt (schedule_to_close_timeout %s)",
                              age,
                              absl::FormatDuration(timeouts.schedule_to_close)),
              ""};
  }
  return {Reason::kInternal, "unknown clock", ""};
}

}  // namespace vigil::worker
