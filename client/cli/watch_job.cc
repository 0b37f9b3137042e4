#include "client/cli/watch_job.h"

#include <signal.h>
#include <unistd.h>

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/cli/exit_code.h"
#include "client/cli/files.h"
#include "client/cli/format.h"
#include "client/cli/limits.h"
#include "client/cli/terminal.h"
#include "client/cli/verb.h"
#include "client/cli/watch_format.h"

namespace vigil::cli {

WatchedJob::WatchedJob(const Environment& environment,
                       const Connection& connection,
                       const WatchOptions& options, const v1::Job& job)
    : environment_(environment),
      connection_(connection),
      options_(options),
      namespace_(job.namespace_()),
      job_id_(job.job_id()),
      skip_(options.from == WatchOptions::From::kNow ? OutputSkip(job)
                                                     : OutputSkip()),
      reporter_(STDOUT_FILENO, STDERR_FILENO, [this](absl::Status status) {
        environment_.events->Post([this, status] { OnWriteError(status); });
      }) {}

int WatchedJob::Follow(std::unique_ptr<client::Client> client) {
  v1::WatchJobRequest request;
  request.set_namespace_(namespace_);
  request.set_job_id(job_id_);
  client::JobObserver observer =
      options_.format == WatchOptions::Format::kJsonLines ? JsonObserver()
                                                          : TextObserver();
  observer.on_end = [this](absl::StatusOr<v1::Job> job) {
    environment_.events->Post([this, job = std::move(job)] { end_ = job; });
  };
  stream_ = client->WatchJob(std::move(request), std::move(observer));
  const bool draws = environment_.stderr_is_terminal;
  while (!end_.has_value()) {
    const EventQueue::Wakeup wakeup = environment_.events->Wait(
        draws ? kBarInterval : absl::InfiniteDuration());
    if (draws) reporter_.Draw(environment_.clock->Now(), ColumnsOfStderr());
    if (wakeup.signal != 0) OnSignal(wakeup.signal);
  }
  client.reset();
  return Finish(*end_);
}

client::JobObserver WatchedJob::TextObserver() {
  client::JobObserver observer = reporter_.Observer();
  observer.on_job = [this, report = observer.on_job](const v1::Job& job) {
    report(job);
    SayState(job);
  };
  observer.on_output = [this,
                        report = observer.on_output](const v1::Output& output) {
    report(skip_.Rest(output));
  };
  observer.on_gap = [this, report = observer.on_gap](const v1::OutputGap& gap) {
    if (skip_.Shows(gap)) report(gap);
  };
  return observer;
}

client::JobObserver WatchedJob::JsonObserver() {
  client::JobObserver observer;
  observer.on_job = [this](const v1::Job& job) {
    v1::WatchEvent event;
    *event.mutable_job() = job;
    WriteEvent(event);
  };
  observer.on_output = [this](const v1::Output& output) {
    v1::WatchEvent event;
    *event.mutable_output() = skip_.Rest(output);
    if (!event.output().data().empty()) WriteEvent(event);
  };
  observer.on_gap = [this](const v1::OutputGap& gap) {
    v1::WatchEvent event;
    *event.mutable_gap() = gap;
    if (skip_.Shows(gap)) WriteEvent(event);
  };
  observer.on_notice = [this](const v1::Failure& notice) {
    v1::WatchEvent event;
    *event.mutable_notice() = notice;
    WriteEvent(event);
  };
  observer.on_retry = reporter_.Observer().on_retry;
  return observer;
}

void WatchedJob::SayState(const v1::Job& job) {
  std::string line = JobLine(job);
  if (line.empty() || line == state_line_) return;
  reporter_.Say(line);
  state_line_ = std::move(line);
}

void WatchedJob::WriteEvent(const v1::WatchEvent& event) {
  const absl::Status status = WriteAll(
      STDOUT_FILENO, absl::StrCat(ToJson(event, JsonLayout::kOneLine), "\n"));
  if (status.ok()) return;
  environment_.events->Post([this, status] { OnWriteError(status); });
}

void WatchedJob::OnWriteError(const absl::Status& status) {
  if (write_error_.ok()) write_error_ = status;
  stream_.Abandon();
}

void WatchedJob::OnSignal(int signal) {
  // The stream may be writing to a pipe that takes nothing.
  if (signal_ != 0) _exit(kExitSignal + signal);
  signal_ = signal;
  stream_.Abandon();
}

int WatchedJob::Finish(const absl::StatusOr<v1::Job>& job) {
  if (absl::IsAborted(write_error_)) return kExitSignal + SIGPIPE;
  if (!write_error_.ok()) {
    reporter_.SayLast({absl::StrCat("the output could not be written: ",
                                    write_error_.message())});
    return kExitVigil;
  }
  if (!job.ok()) {
    if (signal_ == 0) {
      reporter_.SayLast({connection_.Explain(job.status())});
      return kExitVigil;
    }
    reporter_.SayLast({absl::StrCat("stopped watching; job ", job_id_,
                                    " goes on, and `vigil watch ", job_id_,
                                    "` watches it again")});
    return kExitSignal + signal_;
  }
  if (options_.format == WatchOptions::Format::kJsonLines) {
    return ExitCodeFor(*job);
  }
  // The result of a warm task that wrote tokens is what was shown already.
  if (!skip_.skipped_stdout()) {
    const absl::Status status = reporter_.WriteResult(*job);
    if (absl::IsAborted(status)) return kExitSignal + SIGPIPE;
    if (!status.ok()) {
      reporter_.SayLast({absl::StrCat("the result could not be written: ",
                                      status.message())});
      return kExitVigil;
    }
  }
  if (options_.format == WatchOptions::Format::kJson) {
    reporter_.SayLast({});
    const absl::Status status = WriteAll(
        STDERR_FILENO, absl::StrCat(ToJson(*job, JsonLayout::kOneLine), "\n"));
    return status.ok() ? ExitCodeFor(*job) : kExitVigil;
  }
  std::vector<std::string> lines = FinalLines(*job);
  // The last event of some streams is the only one.
  SayState(*job);
  reporter_.SayLast(lines);
  return ExitCodeFor(*job);
}

}  // namespace vigil::cli
