#include "client/cli/run.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/task_token.h"
#include "client/cc/client.h"
#include "client/cli/await_answer.h"
#include "client/cli/connection.h"
#include "client/cli/exit_code.h"
#include "client/cli/files.h"
#include "client/cli/flag_values.h"
#include "client/cli/format.h"
#include "client/cli/job_flags.h"
#include "client/cli/limits.h"
#include "client/cli/private_coordinator.h"
#include "client/cli/run_reporter.h"
#include "client/cli/terminal.h"
#include "client/cli/verb.h"

namespace vigil::cli {
namespace {

constexpr char kAbout[] =
    "Runs a program under Vigil's clocks. Its stdout and stderr come as it\n"
    "writes them; it is stopped when it has gone silent, with everything it\n"
    "started. If no coordinator runs, one is started for this job alone. The\n"
    "result of a warm task goes to stdout, unless its tokens did.\n"
    "\n"
    "Ctrl+C cancels the job and waits until its processes are proved dead; a\n"
    "second one leaves at once.\n"
    "\n"
    "Exit status: the program's own; 1 a warm task reported an error; 124 a\n"
    "clock or a nested pool ended it; 125 Vigil failed; 126, 127 it could not "
    "be started, was\n"
    "not found; 130 Ctrl+C; 128+N it died of signal N. After a failure the\n"
    "last line on stderr is `vigil: job ID FAILED: REASON: message`.\n"
    "\n"
    "Durations are written like 45s, 1m30s or 250ms.";

// One run, from its request to its exit status.
class RunVerb {
 public:
  RunVerb(const Environment& environment, Connection connection,
          bool final_job_as_json)
      : environment_(environment),
        task_(environment.Variable(kTaskTokenVariable)),
        connection_(std::move(connection)),
        final_job_as_json_(final_job_as_json),
        reporter_(STDOUT_FILENO, STDERR_FILENO, [this](absl::Status status) {
          environment_.events->Post([this, status] { OnWriteError(status); });
        }) {}

  // Starts a coordinator for this run alone.
  std::optional<int> StartCoordinator(const std::string& binary_flag);

  int Execute(v1::RunJobRequest request);

 private:
  bool in_task() const { return !task_.empty(); }
  void OnWriteError(const absl::Status& status);
  void OnSignal(int signal);
  [[noreturn]] void LeaveAtOnce(int signal);
  int Finish(const absl::StatusOr<v1::Job>& job);

  const Environment& environment_;
  // The task that this runs in; empty: none. A coordinator that is there says
  // itself that it takes no jobs of tasks.
  const std::string task_;
  Connection connection_;
  const bool final_job_as_json_;
  std::unique_ptr<PrivateCoordinator> coordinator_;
  RunReporter reporter_;
  std::unique_ptr<client::Client> client_;
  client::JobStream stream_;
  // The signal that asked for the end; 0: none.
  int signal_ = 0;
  absl::Status write_error_;
};

std::optional<int> RunVerb::StartCoordinator(const std::string& binary_flag) {
  if (in_task()) return Fail(NestedDispatchMessage(task_));
  absl::StatusOr<std::string> program =
      PrivateCoordinator::FindProgram(binary_flag, environment_);
  if (!program.ok()) {
    return Fail(
        absl::StrCat("no coordinator runs, and a private one cannot "
                     "be started: ",
                     program.status().message()));
  }
  int signal = 0;
  auto started = PrivateCoordinator::Start(*program, {}, environment_, &signal);
  if (signal != 0) return kExitSignal + signal;
  if (!started.ok()) {
    return Fail(absl::StrCat("cannot start a private coordinator: ",
                             started.status().message()));
  }
  coordinator_ = *std::move(started);
  connection_.Use(coordinator_->address());
  return std::nullopt;
}

int RunVerb::Execute(v1::RunJobRequest request) {
  auto client = connection_.Connect();
  if (!client.ok()) return Fail(client.status().message());
  client_ = *std::move(client);
  if (coordinator_ == nullptr) {
    // Later a lost coordinator is waited for; one that is not there is told.
    const absl::Status reached =
        AwaitAnswer(client_.get(), v1::GetStatusRequest(), environment_.events,
                    &signal_)
            .status();
    if (signal_ != 0) return kExitSignal + signal_;
    if (absl::IsUnavailable(reached)) {
      return Fail(in_task() ? NestedDispatchMessage(task_)
                            : connection_.Explain(reached));
    }
  }

  std::optional<absl::StatusOr<v1::Job>> end;
  client::JobObserver observer = reporter_.Observer();
  observer.on_end = [this, &end](absl::StatusOr<v1::Job> job) {
    environment_.events->Post(
        [&end, job = std::move(job)] { end.emplace(job); });
  };
  stream_ = client_->RunJob(std::move(request), std::move(observer));

  const bool draws = environment_.stderr_is_terminal;
  int process = coordinator_ ? coordinator_->process_fd() : -1;
  while (!end.has_value()) {
    const EventQueue::Wakeup wakeup = environment_.events->Wait(
        draws ? kBarInterval : absl::InfiniteDuration(), process);
    if (draws) reporter_.Draw(environment_.clock->Now(), ColumnsOfStderr());
    if (wakeup.signal != 0) OnSignal(wakeup.signal);
    if (wakeup.readable) {
      reporter_.Say(
          absl::StrCat("the private coordinator ended; its log ends:\n",
                       coordinator_->LogTail()));
      process = -1;
      stream_.Abandon();
    }
  }
  client_.reset();
  coordinator_.reset();
  return Finish(*end);
}

void RunVerb::OnWriteError(const absl::Status& status) {
  write_error_ = status;
  stream_.Cancel();
}

void RunVerb::OnSignal(int signal) {
  if (signal_ != 0) LeaveAtOnce(signal);
  signal_ = signal;
  stream_.Cancel();
  const std::string job_id = stream_.job_id();
  reporter_.Say(absl::StrCat(
      "cancelling ", job_id.empty() ? "the job" : absl::StrCat("job ", job_id),
      " until its processes are proved dead; Ctrl+C again leaves at once"));
}

void RunVerb::LeaveAtOnce(int signal) {
  const std::string job_id = stream_.job_id();
  if (coordinator_) {
    reporter_.SayLast(
        {"leaving at once; its private coordinator ends the job"});
    stream_.Abandon();
    coordinator_->Stop(kPrivateStopAtOnceTimeout);
  } else {
    reporter_.SayLast({absl::StrCat("leaving at once; job ",
                                    job_id.empty() ? "(id not known)" : job_id,
                                    " still ends on the coordinator")});
  }
  // Not by way of destructors: they wait for callbacks, one of which may be
  // writing to a terminal or pipe that takes nothing.
  _exit(kExitSignal + signal);
}

int RunVerb::Finish(const absl::StatusOr<v1::Job>& job) {
  if (!job.ok()) {
    reporter_.SayLast({connection_.Explain(job.status())});
    return signal_ != 0 ? kExitSignal + signal_ : kExitVigil;
  }
  std::vector<std::string> lines;
  if (!write_error_.ok()) {
    lines.push_back(
        absl::StrCat("the job was cancelled, because its output "
                     "could not be written: ",
                     write_error_.message()));
  } else {
    write_error_ = reporter_.WriteResult(*job);
    if (!write_error_.ok()) {
      lines.push_back(absl::StrCat(
          "the job succeeded, but its result could not be written: ",
          write_error_.message(), "; `", ExplainResultCommand(*job),
          "` writes it again"));
    }
  }
  for (std::string& line : FinalLines(*job)) lines.push_back(std::move(line));
  if (final_job_as_json_) {
    lines.clear();
    absl::Status status = WriteAll(
        STDERR_FILENO, absl::StrCat(ToJson(*job, JsonLayout::kOneLine), "\n"));
    if (!status.ok()) return kExitVigil;
  }
  reporter_.SayLast(lines);
  if (signal_ != 0) return kExitSignal + signal_;
  if (absl::IsAborted(write_error_)) return kExitSignal + SIGPIPE;
  if (!write_error_.ok()) return kExitVigil;
  return ExitCodeFor(*job);
}

}  // namespace

int Run(const std::vector<std::string>& arguments,
        const Environment& environment) {
  JobFlags job_flags;
  Connection connection;
  std::string request_id;
  std::string coordinator_binary;
  bool json = false;
  Verb verb(FlagSet::Positionals::kEndFlags, "run",
            "run [flags] [--] PROGRAM [ARGUMENTS]\n"
            "       vigil run [flags] --task_type=NAME [-- ARGUMENTS]",
            kAbout);
  job_flags.AddTo(verb.flags());
  verb.flags()->Add({.name = "request_id",
                     .value = "ID",
                     .help = "Run again with the same id to get the same job, "
                             "not a second one.",
                     .set = SetText(&request_id)});
  verb.flags()->Add({.name = "output",
                     .letter = 'o',
                     .value = "FORMAT",
                     .help = "`json`: the last line on stderr is the job as "
                             "JSON, in place of the report. Default `text`.",
                     .set = SetOutputFormat(&json)});
  connection.AddTo(verb.flags());
  verb.flags()->Add({.name = "coordinator_binary",
                     .value = "FILE",
                     .help = "The program of the private coordinator.",
                     .set = SetText(&coordinator_binary)});
  std::vector<std::string> words;
  if (auto status = verb.Parse(arguments, environment, &words)) return *status;
  if (absl::Status status = connection.Resolve(environment); !status.ok()) {
    return Fail(status.message());
  }
  absl::StatusOr<v1::JobSpec> spec = job_flags.Spec(words, environment);
  if (!spec.ok()) return Fail(spec.status().message());
  // Who runs a program by hand wants to see how it failed, not to see it again.
  if (job_flags.retry_is_default() && !job_flags.has_task_type()) {
    // RETRY_SEQUENTIAL asks for just that, once.
    spec->mutable_retry()->set_maximum_attempts(
        spec->on_nested_pool() == v1::JobSpec::ON_NESTED_POOL_RETRY_SEQUENTIAL
            ? 2
            : 1);
  }
  v1::RunJobRequest request;
  request.mutable_job()->set_namespace_(
      connection.NamespaceOr(job_flags.job_namespace()));
  request.mutable_job()->set_request_id(request_id);
  *request.mutable_job()->mutable_spec() = *std::move(spec);

  const bool private_run =
      connection.NothingRuns() && !job_flags.has_task_type();
  RunVerb run(environment, std::move(connection), json);
  if (private_run) {
    if (auto status = run.StartCoordinator(coordinator_binary)) return *status;
  }
  return run.Execute(std::move(request));
}

}  // namespace vigil::cli
