#include "client/cli/worker.h"

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/utf8.h"
#include "client/cli/connection.h"
#include "client/cli/exit_code.h"
#include "client/cli/flag_values.h"
#include "client/cli/nearest.h"
#include "client/cli/verb.h"
#include "client/cli/worker_questions.h"
#include "client/cli/worker_round.h"

namespace vigil::cli {
namespace {

constexpr char kClearCache[] = "clear-cache";
constexpr char kSweep[] = "sweep";
constexpr char kDrain[] = "drain";
constexpr char kResume[] = "resume";

constexpr char kAbout[] =
    "drain has one worker leave: it takes nothing new, finishes what it runs,\n"
    "and ends. What has not ended within --grace is stopped, and runs again\n"
    "elsewhere. With --stay it only gets no more work, until `resume`.\n"
    "\n"
    "clear-cache removes what the warm-up of a task type left on every worker\n"
    "that is connected and offers it, or on one: the warm-up is done again\n"
    "before the next job of that type. Idle warm processes of it are ended.\n"
    "\n"
    "sweep kills what earlier lives of workers left behind, and their\n"
    "descendants; with --dry_run it only lists them. What a worker runs now "
    "is\n"
    "not touched, nor is anything that is not proved to be its own. A worker\n"
    "does the same by itself when it starts.\n"
    "\n"
    "Exit status: 0 every worker did it; 125 one did not, none was found, or\n"
    "the coordinator does not answer; 130 Ctrl+C.";

struct Flags {
  std::string worker_id;
  bool dry_run = false;
  bool stay = false;
  v1::DrainWorkerRequest drain;
};

// What is said when the words are not those of any command.
std::string NoSuchCommand(const std::vector<std::string>& words) {
  if (words.empty()) {
    return "worker wants to know what to do: vigil worker clear-cache TYPE, "
           "vigil worker sweep, or vigil worker drain ID";
  }
  const std::string nearest =
      Nearest(words[0], {kClearCache, kSweep, kDrain, kResume});
  return absl::StrCat(
      "worker has no `", words[0], "`",
      nearest.empty() ? "" : absl::StrCat("; did you mean `", nearest, "`?"),
      " (see `vigil worker --help`)");
}

// Why flags do not go with the command; empty: they do.
std::string Misplaced(const std::string& command, const Flags& flags) {
  if (flags.dry_run && command != kSweep) {
    return absl::StrCat("--dry_run is for `vigil worker sweep`; ", command,
                        " has none");
  }
  const bool drains = flags.drain.has_grace() || flags.stay;
  if (drains && command != kDrain) {
    return absl::StrCat("--grace and --stay are for `vigil worker drain`; ",
                        command, " has none");
  }
  if (flags.drain.has_grace() && flags.stay) {
    return "--stay has no --grace: what runs goes on without end";
  }
  const bool names_one = command == kDrain || command == kResume;
  if (names_one && !flags.worker_id.empty()) {
    return absl::StrCat("worker ", command, " wants one id: vigil worker ",
                        command, " ID, without --worker");
  }
  return "";
}

// What the words ask for; null, and told, if they make no sense. Of a command
// that is for one worker, the id goes to `flags`.
std::unique_ptr<WorkerRound::Question> QuestionOf(
    const std::vector<std::string>& words, Flags* flags) {
  const std::string command = words.empty() ? "" : words[0];
  if (command != kClearCache && command != kSweep && command != kDrain &&
      command != kResume) {
    Fail(NoSuchCommand(words));
    return nullptr;
  }
  if (command == kSweep && words.size() != 1) {
    Fail("worker sweep wants no more words: vigil worker sweep [--dry_run]");
    return nullptr;
  }
  if (command == kClearCache && (words.size() != 2 || !IsUtf8(words[1]))) {
    Fail(
        "worker clear-cache wants the name of one task type: vigil worker "
        "clear-cache TYPE");
    return nullptr;
  }
  if ((command == kDrain || command == kResume) &&
      (words.size() != 2 || !IsUtf8(words[1]))) {
    Fail(absl::StrCat("worker ", command,
                      " wants the id of one worker: vigil worker ", command,
                      " ID; `vigil status` shows them"));
    return nullptr;
  }
  if (std::string why = Misplaced(command, *flags); !why.empty()) {
    Fail(why);
    return nullptr;
  }
  if (command == kSweep) {
    return SweepQuestion(flags->dry_run ? SweepMode::kDryRun
                                        : SweepMode::kKill);
  }
  if (command == kClearCache) return ClearCacheQuestion(words[1]);
  flags->worker_id = words[1];
  flags->drain.set_stay(flags->stay);
  flags->drain.set_resume(command == kResume);
  return DrainQuestion(flags->drain);
}

}  // namespace

int Worker(const std::vector<std::string>& arguments,
           const Environment& environment) {
  Connection connection;
  Flags flags;
  Verb verb(FlagSet::Positionals::kAnywhere, "worker",
            "worker drain ID | resume ID | clear-cache TYPE | sweep [flags]",
            kAbout);
  verb.flags()->Add({.name = "worker",
                     .value = "ID",
                     .help = "With clear-cache and sweep: only this one. "
                             "Default: all that are connected (and offer the "
                             "task type).",
                     .set = SetText(&flags.worker_id)});
  verb.flags()->Add({.name = "dry_run",
                     .help = "With sweep: list, and kill nothing.",
                     .set = SetSwitch(&flags.dry_run)});
  verb.flags()->Add(
      {.name = "grace",
       .value = "DURATION",
       .help = "With drain: how long what runs may take to end. Default: the "
               "worker's own --drain_grace, which is 20s unless set.",
       .set = SetDuration([&flags] { return flags.drain.mutable_grace(); })});
  verb.flags()->Add({.name = "stay",
                     .help = "With drain: give it no more work, and nothing "
                             "else.",
                     .set = SetSwitch(&flags.stay)});
  connection.AddTo(verb.flags());
  std::vector<std::string> words;
  if (auto status = verb.Parse(arguments, &words)) return *status;
  const std::unique_ptr<WorkerRound::Question> question =
      QuestionOf(words, &flags);
  if (question == nullptr) return kExitVigil;
  if (absl::Status status = connection.Resolve(environment); !status.ok()) {
    return Fail(status.message());
  }
  return WorkerRound(environment, connection, question.get())
      .Execute(flags.worker_id);
}

}  // namespace vigil::cli
