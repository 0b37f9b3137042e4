#include "client/cli/job_flags.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/utf8.h"
#include "client/cli/files.h"
#include "client/cli/flag_values.h"
#include "client/cli/limits.h"

namespace vigil::cli {
namespace {

// What a command gets of the caller's environment without being asked.
constexpr const char* kPassedOn[] = {"PATH", "HOME", "LANG"};

absl::Status NotUtf8(absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(
      what,
      " is not UTF-8 text and cannot be sent; rename it, or wrap the "
      "program in a script that holds it"));
}

Setter SetLabel(v1::JobSpec* spec) {
  return [spec](absl::string_view value) {
    const std::pair<std::string, std::string> label =
        absl::StrSplit(value, absl::MaxSplits('=', 1));
    if (label.first.empty() || value.find('=') == absl::string_view::npos ||
        !IsUtf8(std::string(value))) {
      return absl::InvalidArgumentError(
          absl::StrCat("`", value, "` is not of the form key=value"));
    }
    (*spec->mutable_labels())[label.first] = label.second;
    return absl::OkStatus();
  };
}

Setter SetFallback(v1::JobSpec* spec) {
  return [spec](absl::string_view value) {
    if (value == "input") {
      spec->mutable_fallback()->set_input(true);
      return absl::OkStatus();
    }
    if (!absl::ConsumePrefix(&value, "value:")) {
      return absl::InvalidArgumentError(
          absl::StrCat("`", value, "` is neither `input` nor `value:TEXT`"));
    }
    spec->mutable_fallback()->set_value(std::string(value));
    return absl::OkStatus();
  };
}

}  // namespace

void JobFlags::AddTo(FlagSet* flags) {
  flags->Add({.name = "task_type",
              .value = "NAME",
              .help = "Run this program of the workers' catalogs; words behind "
                      "`--` are its arguments.",
              .set = SetText(spec_.mutable_task_type())});
  AddClocks(flags);
  AddActivity(flags);
  AddNesting(flags);
  AddRest(flags);
}

void JobFlags::AddClocks(FlagSet* flags) {
  const auto add = [this, flags](
                       const char* name, const char* help,
                       google::protobuf::Duration* (v1::Timeouts::*field)()) {
    flags->Add({.name = name,
                .value = "DURATION",
                .help = help,
                .set = SetDuration([this, field] {
                  return (spec_.mutable_timeouts()->*field)();
                })});
  };
  add("startup", "From the start to the first output. Default 120s.",
      &v1::Timeouts::mutable_startup_timeout);
  add("inactivity", "From the last output. Default 45s.",
      &v1::Timeouts::mutable_inactivity_timeout);
  add("progress",
      "From the last growth of its progress, such as `37 of 100`. Off by "
      "default.",
      &v1::Timeouts::mutable_progress_timeout);
  add("start_to_close",
      "For a whole attempt, whatever its output. Default 600s; 300s with "
      "--silent.",
      &v1::Timeouts::mutable_start_to_close_timeout);
  add("schedule_to_start", "For one wait in the queue. Off by default.",
      &v1::Timeouts::mutable_schedule_to_start_timeout);
  add("schedule_to_close",
      "From submission to the end, waits and retries included. Default 24h.",
      &v1::Timeouts::mutable_schedule_to_close_timeout);
  add("shutdown_grace",
      "From SIGTERM to SIGKILL of the whole process tree. Default 5s.",
      &v1::Timeouts::mutable_shutdown_grace);
  AddChunks(flags);
}

void JobFlags::AddChunks(FlagSet* flags) {
  // Any of them makes its progress count chunks.
  flags->Add({.name = "chunk_timeout",
              .value = "DURATION",
              .help =
                  "Its progress counts chunks, and one that runs for longer "
                  "ends it: it SUCCEEDED with what was done, and is marked "
                  "as truncated. Default with either of the next two: 30s.",
              .set = SetDuration([this] {
                return spec_.mutable_chunk_policy()->mutable_chunk_timeout();
              })});
  flags->Add(
      {.name = "expected_chunk_time",
       .value = "DURATION",
       .help = "What takes longer is a slow chunk. Off by default.",
       .set = SetDuration([this] {
         return spec_.mutable_chunk_policy()->mutable_expected_chunk_time();
       })});
  flags->Add({.name = "max_slow_chunks",
              .value = "N",
              .help = "Slow chunks in a row that end it. Default 2.",
              .set = SetNumber(1, 1000, [this](int value) {
                spec_.mutable_chunk_policy()->set_max_consecutive_slow_chunks(
                    value);
              })});
}

void JobFlags::AddActivity(FlagSet* flags) {
  v1::ActivityPolicy* activity = spec_.mutable_activity();
  flags->Add({.name = "silent",
              .help = "It does not write while it works: --startup and "
                      "--inactivity are off.",
              .set = [activity](absl::string_view value) {
                bool silent = false;
                absl::Status status = SetSwitch(&silent)(value);
                activity->set_mode(silent ? v1::ActivityPolicy::MODE_SILENT
                                          : v1::ActivityPolicy::MODE_STREAMING);
                return status;
              }});
  flags->Add({.name = "observe",
              .help = "Report what would have been killed; kill nothing.",
              .set = [activity](absl::string_view value) {
                bool observe = false;
                absl::Status status = SetSwitch(&observe)(value);
                activity->set_observe(observe);
                return status;
              }});
  flags->Add({.name = "pty",
              .help = "Give it a terminal, so that it does not buffer; stderr "
                      "comes as stdout.",
              .set = [this](absl::string_view value) {
                bool pty = false;
                absl::Status status = SetSwitch(&pty)(value);
                spec_.set_pty(pty);
                return status;
              }});
  flags->Add({.name = "ready_pattern",
              .value = "REGEXP",
              .help = "Its start-up ends with the first line that matches, "
                      "not with its first output.",
              .set = SetText(activity->mutable_ready_pattern())});
  flags->Add({.name = "progress_pattern",
              .value = "REGEXP",
              .help = "Finds done and total in a line of output, as one or two "
                      "groups.",
              .set = SetText(activity->mutable_progress_pattern())});
}

void JobFlags::AddNesting(FlagSet* flags) {
  flags->Add({.name = "on_nested_pool",
              .value = "POLICY",
              .help = "When it starts more processes than --max_processes: "
                      "`fail` ends it (the default); `deny` refuses them, and "
                      "it may go on without; `sequential` also makes Python's "
                      "pools run in the task's own process; `audit` only "
                      "counts; `retry_sequential` fails it and tries once more "
                      "as `sequential`.",
              .set = SetOnNestedPool([this](v1::JobSpec::OnNestedPool policy) {
                spec_.set_on_nested_pool(policy);
              })});
  flags->Add({.name = "max_processes",
              .value = "N",
              .help = "Processes it may have beside itself at one time. "
                      "Default 1; 0 with --on_nested_pool=deny.",
              .set = SetNumber(0, 10000, [this](int value) {
                spec_.set_max_processes(value);
              })});
  flags->Add({.name = "max_threads",
              .value = "N",
              .help = "Threads that all its processes may have together; one "
                      "more cannot be started. Default 256.",
              .set = SetNumber(1, 100000, [this](int value) {
                spec_.set_max_threads(value);
              })});
  flags->Add({.name = "max_rss",
              .value = "SIZE",
              .help = "Memory that all its processes may hold together, such "
                      "as 512M or 2G; above it they are killed. Default: no "
                      "limit.",
              .set = SetBytes(
                  [this](int64_t bytes) { spec_.set_max_rss_bytes(bytes); })});
  flags->Add({.name = "stack_dump_signal",
              .value = "SIGNAL",
              .help =
                  "Sent to it before a clock ends it, so that it can say "
                  "on stderr what it does; `vigil explain` shows that. USR1 "
                  "makes Python tasks write their stacks. Default: none.",
              .set = SetSignal([this](int signal) {
                spec_.set_stack_dump_signal(signal);
              })});
}

void JobFlags::AddRest(FlagSet* flags) {
  flags->Add({.name = "maximum_attempts",
              .value = "N",
              .help = "Attempts in all.",
              .set = SetNumber(1, 100, [this](int value) {
                spec_.mutable_retry()->set_maximum_attempts(value);
              })});
  flags->Add({.name = "retry_on",
              .value = "REASON,...",
              .help = "Try again also after these, such as NONZERO_EXIT or "
                      "INACTIVITY_TIMEOUT.",
              .set = AddReasons([this](v1::Failure::Reason reason) {
                spec_.mutable_retry()->add_retry_on(reason);
              })});
  flags->Add({.name = "fallback",
              .value = "WHAT",
              .help = "The result that it has rather than to fail: `input`, "
                      "what it was given as its input, or `value:TEXT`. It "
                      "SUCCEEDED then, and is marked as degraded.",
              .set = SetFallback(&spec_)});
  flags->Add({.name = "fallback_on",
              .value = "REASON,...",
              .help = "The reasons that --fallback is for. Default: all.",
              .set = AddReasons([this](v1::Failure::Reason reason) {
                spec_.mutable_fallback()->add_fallback_on(reason);
              })});
  flags->Add({.name = "priority",
              .value = "N",
              .help = "Higher runs first. Default 0.",
              .set = SetNumber(-1000, 1000, [this](int value) {
                spec_.set_priority(value);
              })});
  flags->Add({.name = "label",
              .value = "KEY=VALUE",
              .help = "A mark to find the job by. May be repeated.",
              .set = SetLabel(&spec_)});
  flags->Add({.name = "env",
              .value = "NAME[=VALUE]",
              .help = "Set it for the program; without a value: pass on "
                      "yours, as is always done with PATH, HOME and LANG. May "
                      "be repeated.",
              .set = AddText(&env_)});
  flags->Add({.name = "stdin",
              .value = "FILE",
              .help = "What the program reads on stdin, or a warm task gets "
                      "as its input, at most 3 MiB; `-` reads yours to its "
                      "end. Default: /dev/null.",
              .set = SetText(&stdin_)});
  flags->Add({.name = "input",
              .value = "TEXT",
              .help = "The same, given here as text.",
              .set = SetOptionalText(&input_)});
  flags->Add({.name = "namespace",
              .value = "NAME",
              .help = "Namespace of the job. Default: the context's, else "
                      "`default`.",
              .set = SetText(&namespace_)});
}

absl::Status JobFlags::FillCommand(const std::vector<std::string>& words,
                                   const Environment& environment,
                                   v1::Command* command) const {
  for (const std::string& word : words) command->add_argv(word);
  if (!IsUtf8(environment.working_directory)) {
    return NotUtf8("the working directory's name");
  }
  command->set_working_directory(environment.working_directory);
  auto& env = *command->mutable_env();
  for (const char* name : kPassedOn) {
    auto found = environment.variables.find(name);
    if (found == environment.variables.end()) continue;
    if (!IsUtf8(found->second)) return NotUtf8(name);
    env[name] = found->second;
  }
  for (const std::string& given : env_) {
    const std::pair<std::string, std::string> pair =
        absl::StrSplit(given, absl::MaxSplits('=', 1));
    if (pair.first.empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat("--env: `", given, "` names no variable"));
    }
    if (given.size() > pair.first.size()) {
      env[pair.first] = pair.second;
      continue;
    }
    auto found = environment.variables.find(pair.first);
    if (found == environment.variables.end()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "--env: ", pair.first, " is not set here; give its value: --env ",
          pair.first, "=VALUE"));
    }
    if (!IsUtf8(found->second)) return NotUtf8(pair.first);
    env[pair.first] = found->second;
  }
  return absl::OkStatus();
}

absl::StatusOr<v1::JobSpec> JobFlags::Spec(
    const std::vector<std::string>& words,
    const Environment& environment) const {
  v1::JobSpec spec = spec_;
  for (const std::string& word : words) {
    if (!IsUtf8(word)) return NotUtf8("an argument");
  }
  if (has_task_type()) {
    if (!env_.empty()) {
      return absl::InvalidArgumentError(
          "--env is for programs of your own; a task type's environment is in "
          "its catalog");
    }
    for (const std::string& word : words) spec.add_arguments(word);
  } else {
    if (words.empty()) {
      return absl::InvalidArgumentError(
          "nothing to run: give a program and its arguments behind `--`, or "
          "--task_type");
    }
    absl::Status status =
        FillCommand(words, environment, spec.mutable_command());
    if (!status.ok()) return status;
  }
  if (spec.has_fallback() &&
      spec.fallback().fallback_case() == v1::Fallback::FALLBACK_NOT_SET) {
    return absl::InvalidArgumentError(
        "--fallback_on says when there is a fallback; give it by --fallback");
  }
  if (input_.has_value()) {
    if (!stdin_.empty()) {
      return absl::InvalidArgumentError(
          "--input and --stdin both say what the input is; give one of them");
    }
    spec.set_input(*input_);
  } else if (!stdin_.empty()) {
    absl::StatusOr<std::string> input = ReadAtMost(stdin_, kInputBytesMax);
    if (!input.ok()) {
      const bool large = absl::IsInvalidArgument(input.status());
      return absl::Status(
          input.status().code(),
          absl::StrCat(
              "--stdin: ", input.status().message(),
              large ? "; give the program the name of a file instead" : ""));
    }
    spec.set_input(*std::move(input));
  }
  return spec;
}

}  // namespace vigil::cli
