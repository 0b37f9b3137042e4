#include "client/cli/batch.h"

#include <signal.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/task_token.h"
#include "client/cc/client.h"
#include "client/cli/await_answer.h"
#include "client/cli/batch_display.h"
#include "client/cli/batch_runner.h"
#include "client/cli/batch_summary.h"
#include "client/cli/connection.h"
#include "client/cli/exit_code.h"
#include "client/cli/files.h"
#include "client/cli/flag_values.h"
#include "client/cli/format.h"
#include "client/cli/item_source.h"
#include "client/cli/job_flags.h"
#include "client/cli/limits.h"
#include "client/cli/output_saver.h"
#include "client/cli/placeholder.h"
#include "client/cli/resume_file.h"
#include "client/cli/verb.h"

namespace vigil::cli {
namespace {

constexpr char kAbout[] =
    "Runs a job for each item, one a line, of stdin or of a file. `{}` within\n"
    "an argument or --input is replaced by the item; without any it becomes\n"
    "the last argument. A restart of the coordinator meanwhile is no trouble.\n"
    "\n"
    "Ctrl+C cancels the jobs and waits until their processes are proved dead;\n"
    "a second one leaves at once.\n"
    "\n"
    "Exit status: 0 every job succeeded, or failed with an expected reason;\n"
    "123 some did not, or were not run; 125 Vigil failed; 130 Ctrl+C.";

struct BatchFlags {
  JobFlags job;
  Connection connection;
  std::optional<std::string> input_json;
  std::string file = "-";
  bool nul_separated = false;
  v1::BatchSpec batch;
  bool in_order = false;
  std::string resume;
  std::string output_dir;
  std::set<v1::Failure::Reason> ok_reasons;
  absl::Duration reconnect = client::kReconnectForDefault;
  bool json = false;

  void AddTo(FlagSet* flags);
};

void BatchFlags::AddTo(FlagSet* flags) {
  flags->Add({.name = "arg_file",
              .letter = 'a',
              .value = "FILE",
              .help = "Read the items from this file, not from stdin.",
              .set = SetText(&file)});
  flags->Add({.name = "null",
              .letter = '0',
              .help = "Items end with a NUL byte, not with a line.",
              .set = SetSwitch(&nul_separated)});
  flags->Add({.name = "max_in_flight",
              .letter = 'j',
              .value = "N",
              .help = "Jobs at a time, waiting ones included. Default 1000: "
                      "all slots are kept busy.",
              .set = SetNumber(1, kBatchInFlightMax, [this](int value) {
                batch.set_max_in_flight(value);
              })});
  flags->Add({.name = "sequential",
              .help = "One item at a time, in order: the next one starts when "
                      "the one before has ended, its retries included.",
              .set = [this](absl::string_view) {
                batch.set_mode(v1::BatchSpec::MODE_SEQUENTIAL);
                return absl::OkStatus();
              }});
  flags->Add({.name = "in_order",
              .help = "Results in the order of the items, not of their ends.",
              .set = SetSwitch(&in_order)});
  flags->Add({.name = "deadline",
              .value = "DURATION",
              .help = "When it is over, what has finished is kept, and the "
                      "rest is cancelled or not run.",
              .set = SetDuration([this] {
                return batch.mutable_schedule_to_close_timeout();
              })});
  flags->Add({.name = "stop_after",
              .value = "RULE",
              .help = "Stop when so many items have failed: `10`, "
                      "`5-in-a-row`, or `20%` of those that ended (20 at "
                      "least). May be given once of each. Default: never.",
              .set = SetStopRule(batch.mutable_stop_rule())});
  flags->Add({.name = "resume",
              .value = "FILE",
              .help = "Leave out the items that succeeded by the results in "
                      "this file, which `-o json` wrote. New results may be "
                      "appended to it.",
              .set = SetText(&resume)});
  flags->Add({.name = "output",
              .letter = 'o',
              .value = "FORMAT",
              .help = "`json`: a line of JSON on stdout for each item when it "
                      "ends, with its result if there is one: `result`, or "
                      "`result_base64` where it is not text. Default `text`.",
              .set = SetOutputFormat(&json)});
  flags->Add({.name = "output_dir",
              .value = "DIR",
              .help = "Write what each job wrote to DIR/INDEX.out and "
                      "DIR/INDEX.err; items count from 1.",
              .set = SetText(&output_dir)});
  flags->Add({.name = "ok_reasons",
              .value = "REASON,...",
              .help = "Failures that are expected, such as INVALID_INPUT.",
              .set = AddReasons([this](v1::Failure::Reason reason) {
                ok_reasons.insert(reason);
              })});
  flags->Add({.name = "reconnect",
              .value = "DURATION",
              .help = "How long the coordinator may be away. Default 60s.",
              .set = SetTimeSpan(&reconnect)});
  flags->Add({.name = "input_json",
              .value = "JSON",
              .help = "As --input, with the item escaped, and only where `{}` "
                      "stands within a JSON string: '{\"text\": \"{}\"}'.",
              .set = SetOptionalText(&input_json)});
  job.AddTo(flags);
  connection.AddTo(flags);
}

// One batch, from its first item to its exit status.
class BatchVerb {
 public:
  BatchVerb(const Environment& environment, BatchFlags flags)
      : environment_(environment),
        flags_(std::move(flags)),
        summary_(flags_.ok_reasons) {}

  // Connects, opens and checks what there is to check before the first job.
  std::optional<int> Prepare(const std::vector<std::string>& words);
  int Execute();

 private:
  absl::StatusOr<std::optional<InputTemplate>> Input() const;
  void OnResult(const ItemResult& result);
  void OnSignal(int signal);
  [[noreturn]] void LeaveAtOnce(int signal);
  int Finish(absl::Duration wall_time);

  const Environment& environment_;
  const BatchFlags flags_;
  BatchSummary summary_;
  std::unique_ptr<ItemSource> source_;
  std::unique_ptr<OutputSaver> saver_;
  std::unique_ptr<BatchDisplay> display_;
  std::unique_ptr<BatchRunner> runner_;
  // Behind what its callbacks use, so that it goes first.
  std::unique_ptr<client::Client> client_;
  // The signal that asked for the end; 0: none.
  int signal_ = 0;
  absl::Status write_error_;
  // The results that these may be appended to end within a line.
  bool results_cut_off_ = false;
};

absl::StatusOr<std::optional<InputTemplate>> BatchVerb::Input() const {
  if (!flags_.input_json.has_value()) {
    if (!flags_.job.input().has_value()) return std::nullopt;
    return InputTemplate(*flags_.job.input(), InputTemplate::Syntax::kPlain);
  }
  if (flags_.job.takes_input()) {
    return absl::InvalidArgumentError(
        "--input_json: the input is given by --input or --stdin already");
  }
  return InputTemplate(*flags_.input_json, InputTemplate::Syntax::kJson);
}

std::optional<int> BatchVerb::Prepare(const std::vector<std::string>& words) {
  if (flags_.job.takes_stdin() && flags_.file == "-") {
    return Fail("--stdin=-: stdin holds the items; give them with -a FILE");
  }
  absl::StatusOr<v1::JobSpec> spec = flags_.job.Spec(words, environment_);
  if (!spec.ok()) return Fail(spec.status().message());
  absl::StatusOr<std::optional<InputTemplate>> input = Input();
  if (!input.ok()) return Fail(input.status().message());
  absl::StatusOr<ResumeFile> resume = ResumeFile();
  if (!flags_.resume.empty()) resume = ResumeFile::Read(flags_.resume);
  if (!resume.ok()) {
    return Fail(absl::StrCat("--resume: ", resume.status().message()));
  }
  results_cut_off_ = resume->cut_off();
  auto source = ItemSource::Open(
      flags_.file, flags_.nul_separated ? ItemSplitter::Separator::kNul
                                        : ItemSplitter::Separator::kNewline);
  if (!source.ok()) return Fail(source.status().message());
  source_ = *std::move(source);
  if (!flags_.output_dir.empty()) {
    std::error_code error;
    std::filesystem::create_directories(flags_.output_dir, error);
    if (error) {
      return Fail(absl::StrCat("--output_dir: cannot make `", flags_.output_dir,
                               "`: ", error.message()));
    }
  }

  client::ClientOptions options;
  options.backoff.give_up_after = flags_.reconnect;
  auto client = flags_.connection.Connect(options);
  if (!client.ok()) return Fail(client.status().message());
  client_ = *std::move(client);
  absl::StatusOr<v1::GetStatusResponse> status = AwaitAnswer(
      client_.get(), v1::GetStatusRequest(), environment_.events, &signal_);
  if (signal_ != 0) return kExitSignal + signal_;
  if (!status.ok()) {
    const std::string task = environment_.Variable(kTaskTokenVariable);
    // A coordinator that is there says itself that it takes no jobs of tasks.
    return Fail(absl::IsUnavailable(status.status()) && !task.empty()
                    ? NestedDispatchMessage(task)
                    : flags_.connection.Explain(status.status()));
  }

  if (!flags_.output_dir.empty()) {
    saver_ = std::make_unique<OutputSaver>(client_.get(), environment_.events,
                                           flags_.output_dir, flags_.reconnect);
  }
  BatchOptions batch;
  batch.open.set_namespace_(
      flags_.connection.NamespaceOr(flags_.job.job_namespace()));
  *batch.open.mutable_spec() = flags_.batch;
  *batch.open.mutable_spec()->mutable_job() = *std::move(spec);
  if (flags_.in_order) batch.order = v1::RESULT_ORDER_BY_INDEX;
  batch.input = *std::move(input);
  batch.resume = *std::move(resume);
  batch.reconnect = flags_.reconnect;
  runner_ = std::make_unique<BatchRunner>(
      std::move(batch), client_.get(), environment_.events, environment_.clock,
      source_.get(), saver_.get());
  return std::nullopt;
}

int BatchVerb::Execute() {
  const absl::Time start = environment_.clock->Now();
  display_ = std::make_unique<BatchDisplay>(environment_, start);
  runner_->on_result = [this](const ItemResult& result) { OnResult(result); };
  runner_->on_note = [this](const std::string& line) {
    display_->Write(absl::StrCat("vigil: ", line, "\n"));
  };
  while (!runner_->finished()) {
    const int signal = runner_->Step(display_->next_time());
    if (signal != 0) OnSignal(signal);
    BatchProgress progress = runner_->progress();
    progress.failed = summary_.failed();
    display_->Show(progress, environment_.clock->Now());
  }
  display_->Clear();
  const absl::Duration wall_time = environment_.clock->Now() - start;
  // Ends what is in flight; nothing is posted any more.
  client_.reset();
  return Finish(wall_time);
}

void BatchVerb::OnResult(const ItemResult& result) {
  const bool asked_for =
      signal_ != 0 && result.job.state() == v1::Job::STATE_CANCELLED;
  summary_.Add(result, asked_for ? BatchSummary::Listing::kCountedOnly
                                 : BatchSummary::Listing::kNamed);
  if (!flags_.json || !write_error_.ok()) return;
  if (environment_.stdout_is_terminal) display_->Clear();
  write_error_ = WriteUnlessSignalled(
      STDOUT_FILENO,
      absl::StrCat(std::exchange(results_cut_off_, false) ? "\n" : "",
                   ItemJson(result)));
  if (!write_error_.ok()) runner_->Cancel();
}

void BatchVerb::OnSignal(int signal) {
  if (signal_ != 0) LeaveAtOnce(signal);
  signal_ = signal;
  runner_->Cancel();
  display_->Write(absl::StrCat(
      "vigil: cancelling ", runner_->in_flight(),
      " jobs until their processes are proved dead; Ctrl+C again leaves at "
      "once\n"));
}

void BatchVerb::LeaveAtOnce(int signal) {
  display_->Write(absl::StrCat("vigil: leaving at once; the coordinator ends ",
                               "what is left of batch ",
                               runner_->batch().batch_id(), "\n"));
  // Not by way of destructors: they wait for callbacks.
  _exit(kExitSignal + signal);
}

int BatchVerb::Finish(absl::Duration wall_time) {
  std::string text =
      absl::StrCat(summary_.Failures(), summary_.Table(wall_time));
  if (runner_->skipped() > 0) {
    absl::StrAppend(&text, "vigil: ", runner_->skipped(),
                    " items had succeeded before and were left out\n");
  }
  const bool partial = runner_->batch().partial() && signal_ == 0;
  if (partial) {
    const BatchProgress progress = runner_->progress();
    absl::StrAppend(&text, "vigil: the batch was stopped: ",
                    runner_->batch().stop_message());
    const int64_t left = progress.total.value_or(progress.read) - progress.done;
    if (left > 0) absl::StrAppend(&text, "; ", left, " items were not run");
    absl::StrAppend(&text, progress.total.has_value() ? "\n" : " at least\n");
  }
  if (runner_->missing_output_bytes() > 0) {
    absl::StrAppend(&text, "vigil: ", runner_->missing_output_bytes(),
                    " bytes in the middle of long outputs were not kept\n");
  }
  if (!write_error_.ok()) {
    absl::StrAppend(&text, "vigil: the batch was cancelled, because stdout ",
                    "could not be written: ", write_error_.message(), "\n");
  }
  if (!runner_->failure().ok()) {
    absl::StrAppend(
        &text, "vigil: ", flags_.connection.Explain(runner_->failure()), "\n");
    if (runner_->in_flight() > 0) {
      absl::StrAppend(&text, "vigil: ", runner_->in_flight(),
                      " items of batch ", runner_->batch().batch_id(),
                      " have no result",
                      absl::IsUnavailable(runner_->failure())
                          ? "; it is stopped when the coordinator is back, "
                            "unless it has ended by then\n"
                          : "\n");
    }
  }
  display_->Write(text);
  if (signal_ != 0) return kExitSignal + signal_;
  if (absl::IsAborted(write_error_)) return kExitSignal + SIGPIPE;
  if (!runner_->failure().ok() || !write_error_.ok()) return kExitVigil;
  return summary_.failed() > 0 || partial ? kExitSomeFailed : 0;
}

}  // namespace

int Batch(const std::vector<std::string>& arguments,
          const Environment& environment) {
  BatchFlags flags;
  Verb verb(FlagSet::Positionals::kEndFlags, "batch",
            "batch [flags] [--] PROGRAM [ARGUMENTS]\n"
            "       vigil batch [flags] --task_type=NAME [-- ARGUMENTS]",
            kAbout);
  flags.AddTo(verb.flags());
  std::vector<std::string> words;
  if (auto status = verb.Parse(arguments, environment, &words)) return *status;
  if (absl::Status status = flags.connection.Resolve(environment);
      !status.ok()) {
    return Fail(status.message());
  }
  BatchVerb batch(environment, std::move(flags));
  if (auto status = batch.Prepare(words)) return *status;
  return batch.Execute();
}

}  // namespace vigil::cli
