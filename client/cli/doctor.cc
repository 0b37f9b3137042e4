#include "client/cli/doctor.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "base/task_token.h"
#include "client/cc/client.h"
#include "client/cli/await_answer.h"
#include "client/cli/check_result.h"
#include "client/cli/connection.h"
#include "client/cli/doctor_checks.h"
#include "client/cli/doctor_format.h"
#include "client/cli/doctor_session.h"
#include "client/cli/doctor_verdicts.h"
#include "client/cli/exit_code.h"
#include "client/cli/flag_values.h"
#include "client/cli/format.h"
#include "client/cli/limits.h"
#include "client/cli/nearest.h"
#include "client/cli/private_coordinator.h"
#include "client/cli/slot_survey.h"
#include "client/cli/verb.h"

namespace vigil::cli {
namespace {

constexpr char kAbout[] =
    "Checks in ten seconds whether Vigil does here what it promises:\n"
    "\n"
    "%s"
    "\n"
    "With --address, or where a coordinator runs at the default address, they\n"
    "are made there. They harm nobody: they use slots that are free, for a\n"
    "second, in the namespace vigil-doctor. Three of their jobs fail, as they\n"
    "are to, and count in `vigil status`. Otherwise, and with --private, each\n"
    "check has a coordinator to itself, which is gone afterwards.\n"
    "\n"
    "A check that cannot be made is skipped, and says why: no slot is free, "
    "or\n"
    "the coordinator takes no commands of clients (--allow_commands).\n"
    "\n"
    "Exit status: 0 no check failed; 123 some did; 125 Vigil failed, or the\n"
    "coordinator does not answer; 130 Ctrl+C.";

struct DoctorFlags {
  Connection connection;
  std::string coordinator_binary;
  bool private_only = false;
  bool json = false;
  absl::Duration timeout = kDoctorTimeoutDefault;
  // Empty: all.
  std::set<std::string> only;

  void AddTo(FlagSet* flags);
};

absl::Status AddChecks(absl::string_view list, std::set<std::string>* only) {
  std::vector<std::string> names;
  for (const Check& check : AllChecks()) names.push_back(check.name);
  for (absl::string_view word : absl::StrSplit(list, ',', absl::SkipEmpty())) {
    const std::string name =
        absl::StrReplaceAll(absl::AsciiStrToLower(word), {{"-", "_"}});
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      return absl::InvalidArgumentError(
          absl::StrCat("no check `", word, "`", DidYouMean(name, names)));
    }
    only->insert(name);
  }
  return absl::OkStatus();
}

std::string About() {
  std::string checks;
  for (const Check& check : AllChecks()) {
    absl::StrAppendFormat(&checks, "  %-13s%s\n", check.name, check.about);
  }
  return absl::StrFormat(kAbout, checks);
}

void DoctorFlags::AddTo(FlagSet* flags) {
  flags->Add({.name = "only",
              .value = "NAME,...",
              .help = "Make these checks only.",
              .set = [this](absl::string_view list) {
                return AddChecks(list, &only);
              }});
  flags->Add({.name = "private",
              .help = "Start coordinators for the checks, even if one runs.",
              .set = SetSwitch(&private_only)});
  flags->Add({.name = "timeout",
              .value = "DURATION",
              .help = "How long each check may take. Default 15s.",
              .set = [this](absl::string_view text) {
                absl::StatusOr<absl::Duration> parsed = ParseDuration(text);
                if (!parsed.ok()) return parsed.status();
                if (*parsed <= absl::ZeroDuration()) {
                  return absl::InvalidArgumentError("must be positive");
                }
                timeout = *parsed;
                return absl::OkStatus();
              }});
  flags->Add({.name = "output",
              .letter = 'o',
              .value = "FORMAT",
              .help = "`json`: a line of JSON on stdout for each check. "
                      "Default `text`.",
              .set = SetOutputFormat(&json)});
  connection.AddTo(flags);
  flags->Add({.name = "coordinator_binary",
              .value = "FILE",
              .help = "The program of the private coordinators.",
              .set = SetText(&coordinator_binary)});
}

// One examination, from its first check to its exit status.
class DoctorVerb {
 public:
  DoctorVerb(const Environment& environment, DoctorFlags flags)
      : environment_(environment), flags_(std::move(flags)) {}

  // Finds out whom to examine.
  std::optional<int> Prepare();
  int Execute();

 private:
  bool is_private() const { return !program_.empty(); }
  CheckResult RunOne(const Check& check);
  CheckResult RunOn(const Check& check, const Connection& connection,
                    const PrivateCoordinator* coordinator);
  absl::StatusOr<CheckResult> Make(const Check& check, DoctorSession* session);
  CheckResult Conclude(const absl::Status& error, const Connection& connection,
                       DoctorSession* session);
  int Tell(const CheckResult& result);

  const Environment& environment_;
  const DoctorFlags flags_;
  // Of the private coordinators; empty: one that runs is examined.
  std::string program_;
  std::string advice_before_;
  // The signal that asked for the end; 0: none.
  int signal_ = 0;
};

std::optional<int> DoctorVerb::Prepare() {
  const std::string task = environment_.Variable(kTaskTokenVariable);
  if (!task.empty()) return Fail(NestedDispatchMessage(task));
  if (flags_.private_only || flags_.connection.NothingRuns()) {
    absl::StatusOr<std::string> program = PrivateCoordinator::FindProgram(
        flags_.coordinator_binary, environment_);
    if (!program.ok()) {
      return Fail(absl::StrCat("a private coordinator cannot be started: ",
                               program.status().message()));
    }
    program_ = *std::move(program);
    return std::nullopt;
  }
  auto client = flags_.connection.Connect();
  if (!client.ok()) return Fail(client.status().message());
  const absl::Status reached =
      AwaitAnswer(client->get(), v1::GetStatusRequest(), environment_.events,
                  &signal_, {.timeout = flags_.timeout})
          .status();
  if (signal_ != 0) return kExitSignal + signal_;
  if (absl::IsDeadlineExceeded(reached)) {
    return Fail(absl::StrCat("the coordinator at ", flags_.connection.address(),
                             " does not answer within ",
                             HumanDuration(flags_.timeout),
                             ": look whether it is stopped (`ps -o stat` "
                             "shows T) or its host hangs"));
  }
  if (!reached.ok()) return Fail(flags_.connection.Explain(reached));
  return std::nullopt;
}

int DoctorVerb::Execute() {
  if (!flags_.json) {
    const int printed = Print(
        is_private() ? absl::StrCat("each check in a private coordinator with ",
                                    Plural(kDoctorSlots, "slot"), "\n")
                     : absl::StrCat("checks on the coordinator at ",
                                    flags_.connection.address(), "\n"));
    if (printed != 0) return printed;
  }
  std::vector<CheckResult> results;
  for (const Check& check : AllChecks()) {
    if (!flags_.only.empty() && flags_.only.count(check.name) == 0) continue;
    CheckResult result = RunOne(check);
    if (signal_ != 0) {
      Fail("interrupted; the checks that are not listed were not made");
      return kExitSignal + signal_;
    }
    result.check = check.name;
    if (const int printed = Tell(result); printed != 0) return printed;
    results.push_back(std::move(result));
  }
  if (!flags_.json) {
    const int printed =
        Print(FormatSummary(results, environment_.StyleOfStdout()));
    if (printed != 0) return printed;
  }
  const bool some_failed =
      std::any_of(results.begin(), results.end(), [](const auto& result) {
        return result.state == CheckResult::State::kFailed;
      });
  return some_failed ? kExitSomeFailed : 0;
}

CheckResult DoctorVerb::RunOne(const Check& check) {
  if (!is_private()) return RunOn(check, flags_.connection, nullptr);
  auto coordinator = PrivateCoordinator::Start(
      program_, {.slots = kDoctorSlots}, environment_, &signal_);
  if (!coordinator.ok()) {
    return CheckResult::Failed(
        absl::StrCat("a private coordinator cannot be started: ",
                     coordinator.status().message()),
        "its log says why; try it by itself: `coordinator --help`");
  }
  Connection connection = flags_.connection;
  connection.Use((*coordinator)->address());
  CheckResult result = RunOn(check, connection, coordinator->get());
  (*coordinator)
      ->Stop(signal_ == 0 ? kPrivateStopTimeout : kPrivateStopAtOnceTimeout);
  return result;
}

CheckResult DoctorVerb::RunOn(const Check& check, const Connection& connection,
                              const PrivateCoordinator* coordinator) {
  client::ClientOptions options;
  options.backoff.give_up_after = kDoctorReconnect;
  auto client = connection.Connect(options);
  if (!client.ok()) return JudgeError(client.status(), "");
  DoctorSession session(*std::move(client), coordinator, flags_.timeout,
                        environment_);
  absl::StatusOr<CheckResult> result = Make(check, &session);
  signal_ = session.signal();
  return result.ok() ? *std::move(result)
                     : Conclude(result.status(), connection, &session);
}

absl::StatusOr<CheckResult> DoctorVerb::Make(const Check& check,
                                             DoctorSession* session) {
  // A private worker attaches while we ask; one that runs has, or has not.
  absl::StatusOr<SlotSurvey> survey =
      is_private() ? session->Survey(kDoctorSlots, kDoctorAttachTimeout)
                   : session->Survey(check.slots, absl::ZeroDuration());
  if (!survey.ok()) return survey.status();
  std::optional<CheckResult> without = WithoutSlots(*survey, check.slots);
  return without.has_value() ? *without : check.run(session, *survey);
}

// What becomes of a check that an error ended.
CheckResult DoctorVerb::Conclude(const absl::Status& error,
                                 const Connection& connection,
                                 DoctorSession* session) {
  if (!absl::IsDeadlineExceeded(error)) {
    return JudgeError(error, connection.Explain(error));
  }
  session->Extend(kDoctorCleanUpTimeout);
  absl::StatusOr<SlotSurvey> survey = session->Survey(0, absl::ZeroDuration());
  if (!survey.ok()) {
    return JudgeError(survey.status(),
                      absl::StrCat("the coordinator does not answer: ",
                                   connection.Explain(survey.status())));
  }
  return JudgeTimeIsOver(session->Unended(), *survey, session->timeout());
}

int DoctorVerb::Tell(const CheckResult& result) {
  if (flags_.json) return Print(CheckJson(result));
  const int told =
      Print(FormatCheck(result, advice_before_, environment_.StyleOfStdout()));
  if (!result.advice.empty()) advice_before_ = result.advice;
  return told;
}

}  // namespace

int Doctor(const std::vector<std::string>& arguments,
           const Environment& environment) {
  DoctorFlags flags;
  Verb verb(FlagSet::Positionals::kAnywhere, "doctor", "doctor [flags]",
            About());
  flags.AddTo(verb.flags());
  std::vector<std::string> words;
  if (auto status = verb.Parse(arguments, environment, &words)) return *status;
  if (!words.empty()) {
    return Fail(absl::StrCat("`", words[0],
                             "` is not wanted here; to make one check: vigil "
                             "doctor --only=",
                             words[0]));
  }
  if (absl::Status status = flags.connection.Resolve(environment);
      !status.ok()) {
    return Fail(status.message());
  }
  DoctorVerb doctor(environment, std::move(flags));
  if (auto status = doctor.Prepare()) return *status;
  return doctor.Execute();
}

}  // namespace vigil::cli
