#include "worker/core/classify.h"

#include <errno.h>
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

}  // namespace

Verdict ClassifyExit(const Exit& exit,
                     const std::map<int, Reason>& exit_reasons,
                     std::optional<Reason> text_reason) {
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
  return {Failure{Reason::kSpawnFailed,
                  absl::StrCat(what, ": ", strerror(error)), ""},
          error == EAGAIN || error == ENOMEM};
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
