#include "client/cli/worker.h"

#include <memory>

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

constexpr char kAbout[] =
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

// What the words ask for; null, and told, if they make no sense.
std::unique_ptr<WorkerRound::Question> QuestionOf(
    const std::vector<std::string>& words, bool dry_run) {
  if (!words.empty() && words[0] == kSweep) {
    if (words.size() == 1) {
      return SweepQuestion(dry_run ? SweepMode::kDryRun : SweepMode::kKill);
    }
    Fail("worker sweep wants no more words: vigil worker sweep [--dry_run]");
    return nullptr;
  }
  if (!words.empty() && words[0] != kClearCache) {
    const std::string nearest = Nearest(words[0], {kClearCache, kSweep});
    Fail(absl::StrCat(
        "worker has no `", words[0], "`",
        nearest.empty() ? "" : absl::StrCat("; did you mean `", nearest, "`?"),
        " (see `vigil worker --help`)"));
    return nullptr;
  }
  if (words.empty()) {
    Fail(
        "worker wants to know what to do: vigil worker clear-cache TYPE, or "
        "vigil worker sweep");
    return nullptr;
  }
  if (words.size() != 2 || !IsUtf8(words[1])) {
    Fail(
        "worker clear-cache wants the name of one task type: vigil worker "
        "clear-cache TYPE");
    return nullptr;
  }
  if (dry_run) {
    Fail("--dry_run is for `vigil worker sweep`; clear-cache has none");
    return nullptr;
  }
  return ClearCacheQuestion(words[1]);
}

}  // namespace

int Worker(const std::vector<std::string>& arguments,
           const Environment& environment) {
  Connection connection;
  std::string worker_id;
  bool dry_run = false;
  Verb verb(FlagSet::Positionals::kAnywhere, "worker",
            "worker clear-cache TYPE | sweep [flags]", kAbout);
  verb.flags()->Add({.name = "worker",
                     .value = "ID",
                     .help = "Only this one. Default: all that are connected "
                             "(and offer the task type).",
                     .set = SetText(&worker_id)});
  verb.flags()->Add({.name = "dry_run",
                     .help = "With sweep: list, and kill nothing.",
                     .set = SetSwitch(&dry_run)});
  connection.AddTo(verb.flags());
  std::vector<std::string> words;
  if (auto status = verb.Parse(arguments, &words)) return *status;
  const std::unique_ptr<WorkerRound::Question> question =
      QuestionOf(words, dry_run);
  if (question == nullptr) return kExitVigil;
  if (absl::Status status = connection.Resolve(environment); !status.ok()) {
    return Fail(status.message());
  }
  return WorkerRound(environment, connection, question.get())
      .Execute(worker_id);
}

}  // namespace vigil::cli
