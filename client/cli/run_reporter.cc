#include "client/cli/run_reporter.h"

#include <unistd.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/wire/time_wire.h"
#include "client/cli/files.h"
#include "client/cli/format.h"

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
  observer.on_notice = [this](const v1::Failure& notice) {
    Say(absl::StrCat("would have been stopped: ", FailureLine(notice)));
  };
  observer.on_retry = [this](const absl::Status& error, absl::Duration wait) {
    Say(absl::StrCat("lost the coordinator: ", OneLine(error.message()),
                     "; trying again in ", HumanDuration(wait)));
  };
  return observer;
}

void RunReporter::OnJob(const v1::Job& job) {
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
  absl::MutexLock lock(&mu_);
  if (broken_ || output.data().empty()) return;
  absl::Status status = WriteAll(fd, output.data());
  if (is_err || isatty(fd) == 1) err_unfinished_ = output.data().back() != '\n';
  if (status.ok()) return;
  broken_ = true;
  on_write_error_(absl::Status(
      status.code(),
      absl::StrCat(StreamName(output.stream()), ": ", status.message())));
}

void RunReporter::OnGap(const v1::OutputGap& gap) {
  Say(absl::StrCat(gap.size_bytes(), " bytes of ", StreamName(gap.stream()),
                   " are missing here: they are not kept any more"));
}

void RunReporter::Say(absl::string_view line) {
  absl::MutexLock lock(&mu_);
  SayLocked(line);
}

void RunReporter::SayAll(const std::vector<std::string>& lines) {
  absl::MutexLock lock(&mu_);
  for (const std::string& line : lines) SayLocked(line);
}

void RunReporter::SayLocked(absl::string_view line) {
  // Where stderr cannot be written there is no place left to say so.
  WriteAll(err_fd_,
           absl::StrCat(err_unfinished_ ? "\n" : "", "vigil: ", line, "\n"))
      .IgnoreError();
  err_unfinished_ = false;
}

std::vector<std::string> FinalLines(const v1::Job& job) {
  std::vector<std::string> lines;
  if (job.degraded()) lines.push_back("the result is a fallback");
  if (job.truncated()) lines.push_back("the result is partial");
  if (job.state() == v1::Job::STATE_SUCCEEDED) return lines;
  const std::string advice = AdviceLine(job.failure());
  // Who cancelled it needs no advice.
  if (!advice.empty() && job.state() != v1::Job::STATE_CANCELLED) {
    lines.push_back(advice);
  }
  lines.push_back(absl::StrCat("job ", job.job_id(), " ",
                               StateName(job.state()), ": ",
                               FailureLine(job.failure())));
  return lines;
}

}  // namespace vigil::cli
