#include "client/cli/run_reporter.h"

#include <unistd.h>

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/wire/time_wire.h"
#include "client/cli/files.h"
#include "client/cli/format.h"
#include "client/cli/limits.h"
#include "client/cli/nested_format.h"
#include "client/cli/retry_format.h"
#include "client/cli/terminal.h"

namespace vigil::cli {
namespace {

std::string StreamName(v1::Output::Stream stream) {
  return stream == v1::Output::STREAM_STDERR ? "stderr" : "stdout";
}

}  // namespace

RunReporter::RunReporter(int out_fd, int err_fd,
                         std::function<void(absl::Status)> on_write_error)
    : out_fd_(out_fd),
      err_fd_(err_fd),
      on_write_error_(std::move(on_write_error)) {}

client::JobObserver RunReporter::Observer() {
  client::JobObserver observer;
  observer.on_job = [this](const v1::Job& job) { OnJob(job); };
  observer.on_output = [this](const v1::Output& output) { OnOutput(output); };
  observer.on_gap = [this](const v1::OutputGap& gap) { OnGap(gap); };
  observer.on_notice = [this](const v1::Failure& notice) { OnNotice(notice); };
  observer.on_retry = [this](const absl::Status& error, absl::Duration wait) {
    Say(absl::StrCat("lost the coordinator: ", OneLine(error.message()),
                     "; trying again in ", HumanDuration(wait)));
  };
  return observer;
}

RunReporter::Doing RunReporter::DoingOf(const v1::Job& job) {
  Doing doing;
  if (job.state() != v1::Job::STATE_RUNNING || job.attempts().empty()) {
    return doing;
  }
  const v1::Attempt& attempt = *job.attempts().rbegin();
  doing.attempt = attempt.number();
  doing.phase = attempt.phase();
  if (!attempt.has_progress()) return doing;
  doing.progress = ProgressText(attempt.progress());
  // A command's is the line of output that the numbers were read from.
  const std::string& message = attempt.progress().message();
  if (!message.empty() &&
      !absl::StrContains(message, absl::StrCat(attempt.progress().done()))) {
    absl::StrAppend(&doing.progress, ": ", OneLine(message));
  }
  return doing;
}

void RunReporter::OnJob(const v1::Job& job) {
  {
    absl::MutexLock lock(&mu_);
    SetDoingLocked(DoingOf(job));
  }
  for (const v1::Attempt& attempt : job.attempts()) {
    if (!attempt.has_retry_time() || !attempt.has_failure()) continue;
    absl::MutexLock lock(&mu_);
    if (attempt.number() <= announced_attempt_) continue;
    announced_attempt_ = attempt.number();
    const absl::Duration wait =
        FromProto(attempt.retry_time()) - FromProto(attempt.end_time());
    SayLocked(absl::StrCat("attempt ", attempt.number(),
                           " ended: ", FailureLine(attempt.failure()),
                           "; retrying in ", HumanDuration(wait)));
  }
}

void RunReporter::OnOutput(const v1::Output& output) {
  const bool is_err = output.stream() == v1::Output::STREAM_STDERR;
  const int fd = is_err ? err_fd_ : out_fd_;
  {
    absl::MutexLock lock(&mu_);
    if (broken_ || output.data().empty()) return;
    if (!is_err) out_attempt_ = output.attempt();
  }
  absl::Status status;
  if (is_err || isatty(fd) == 1) {
    absl::MutexLock lock(&mu_);
    EraseLocked();
    status = WriteAll(fd, output.data());
    err_unfinished_ = output.data().back() != '\n';
    DrawLocked();
  } else {
    // A pipe may take nothing for as long as it likes, and what is said
    // meanwhile is not to wait for it.
    status = WriteAll(fd, output.data());
  }
  if (status.ok()) return;
  absl::MutexLock lock(&mu_);
  broken_ = true;
  on_write_error_(absl::Status(
      status.code(),
      absl::StrCat(StreamName(output.stream()), ": ", status.message())));
}

void RunReporter::OnNotice(const v1::Failure& notice) {
  if (notice.reason() != v1::Failure::REASON_NESTED_POOL &&
      notice.reason() != v1::Failure::REASON_RESOURCE_EXHAUSTED) {
    Say(absl::StrCat("would have been stopped: ", FailureLine(notice)));
    return;
  }
  // It happened, and the task may well go on.
  absl::MutexLock lock(&mu_);
  SayLocked(OneLine(notice.message()));
  SayLocked(AdviceLine(notice));
}

void RunReporter::OnGap(const v1::OutputGap& gap) {
  if (gap.stream() == v1::Output::STREAM_STDOUT) {
    absl::MutexLock lock(&mu_);
    out_attempt_ = gap.attempt();
  }
  Say(absl::StrCat(gap.size_bytes(), " bytes of ", StreamName(gap.stream()),
                   " are missing here: they are not kept any more"));
}

void RunReporter::Say(absl::string_view line) {
  absl::MutexLock lock(&mu_);
  SayLocked(line);
}

void RunReporter::SayLast(const std::vector<std::string>& lines) {
  absl::MutexLock lock(&mu_);
  SetDoingLocked(Doing());
  for (const std::string& line : lines) SayLocked(line);
}

void RunReporter::SayLocked(absl::string_view line) {
  EraseLocked();
  // Where stderr cannot be written there is no place left to say so.
  WriteAll(err_fd_,
           absl::StrCat(err_unfinished_ ? "\n" : "", "vigil: ", line, "\n"))
      .IgnoreError();
  err_unfinished_ = false;
  DrawLocked();
}

void RunReporter::SetDoingLocked(Doing doing) {
  if (doing.attempt != doing_.attempt || doing.phase != doing_.phase) {
    phase_time_.reset();
  }
  doing_ = std::move(doing);
  if (doing_.attempt != 0) return;
  line_.clear();
  EraseLocked();
}

std::string RunReporter::LineLocked(absl::Time now) {
  if (doing_.attempt == 0) return "";
  if (!phase_time_.has_value()) phase_time_ = now;
  if (doing_.phase == v1::Attempt::PHASE_WARMING ||
      doing_.phase == v1::Attempt::PHASE_STARTING) {
    const absl::Duration age = now - *phase_time_;
    if (age < kPhaseShownAfter) return "";
    return absl::StrCat("vigil: ", PhaseName(doing_.phase), " for ",
                        HumanDuration(absl::Floor(age, absl::Seconds(1))));
  }
  if (doing_.progress.empty()) return "";
  return absl::StrCat("vigil: ", doing_.progress);
}

void RunReporter::Draw(absl::Time now, int columns) {
  absl::MutexLock lock(&mu_);
  std::string line(absl::StripTrailingAsciiWhitespace(
      Fit(LineLocked(now), static_cast<size_t>(columns))));
  if (line == line_ && drawn_) return;
  EraseLocked();
  line_ = std::move(line);
  DrawLocked();
}

void RunReporter::EraseLocked() {
  if (drawn_) WriteAll(err_fd_, kClearLine).IgnoreError();
  drawn_ = false;
}

void RunReporter::DrawLocked() {
  if (line_.empty() || err_unfinished_) return;
  // What cannot be shown is no reason to fail.
  WriteAll(err_fd_, line_).IgnoreError();
  drawn_ = true;
}

absl::Status RunReporter::WriteResult(const v1::Job& job) {
  absl::MutexLock lock(&mu_);
  const bool had_tokens = !job.attempts().empty() &&
                          job.attempts().rbegin()->number() == out_attempt_;
  if (broken_ || had_tokens || job.result().empty()) return absl::OkStatus();
  absl::Status status = WriteUnlessSignalled(out_fd_, job.result());
  if (status.ok() && job.result().back() != '\n' && isatty(out_fd_) == 1) {
    status = WriteUnlessSignalled(out_fd_, "\n");
  }
  return status;
}

std::vector<std::string> FinalLines(const v1::Job& job) {
  std::vector<std::string> lines;
  if (job.degraded()) {
    lines.push_back(absl::StrCat("the result is its fallback (`",
                                 ExplainResultCommand(job),
                                 "` writes it); it would have failed: ",
                                 FailureLine(job.fallback_failure())));
  }
  if (job.truncated()) {
    lines.push_back(absl::StrCat(
        job.has_result()
            ? absl::StrCat("the result (`", ExplainResultCommand(job),
                           "` writes it)")
            : "the output",
        " is partial, ", TruncationLine(job.truncation())));
  }
  // That one was enough, or is all that was asked for, needs no word.
  if (AttemptsMade(job) > 1) {
    std::string retries = RetryText(job);
    if (!retries.empty()) lines.push_back(std::move(retries));
  }
  // A nested pool that ended it is told below.
  if (!job.attempts().empty() &&
      job.failure().reason() != v1::Failure::REASON_NESTED_POOL) {
    std::string nested = NestedSummary(*job.attempts().rbegin(), job.spec());
    if (!nested.empty()) lines.push_back(std::move(nested));
  }
  if (job.state() == v1::Job::STATE_SUCCEEDED) return lines;
  const std::string advice = AdviceLine(job.failure());
  // Who cancelled it needs no advice.
  if (!advice.empty() && job.state() != v1::Job::STATE_CANCELLED) {
    lines.push_back(advice);
  }
  if (job.has_partial_result()) {
    lines.push_back(absl::StrCat(
        "a partial result of ", job.partial_result().size(),
        " bytes is kept: `", ExplainResultCommand(job), "` writes it"));
  }
  lines.push_back(absl::StrCat("job ", job.job_id(), " ",
                               StateName(job.state()), ": ",
                               FailureLine(job.failure())));
  return lines;
}

}  // namespace vigil::cli
