// The command line of Vigil. This file reads the process's surroundings once,
// and hands them to the verbs.
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/build_version.h"
#include "base/clock.h"
#include "client/cli/batch.h"
#include "client/cli/doctor.h"
#include "client/cli/environment.h"
#include "client/cli/event_queue.h"
#include "client/cli/exit_code.h"
#include "client/cli/explain.h"
#include "client/cli/nearest.h"
#include "client/cli/run.h"
#include "client/cli/status.h"
#include "client/cli/verb.h"
#include "client/cli/worker.h"

extern char** environ;

namespace vigil::cli {
namespace {

struct Entry {
  const char* name;
  const char* summary;
  int (*run)(const std::vector<std::string>& arguments,
             const Environment& environment);
};

constexpr Entry kVerbs[] = {
    {"run", "run a program, stream it, and exit as it did", Run},
    {"batch", "run a program once for each line of input, as xargs does",
     Batch},
    {"status", "what runs and what waits", Status},
    {"explain", "what a job waits for, or why and how it ended", Explain},
    {"doctor", "check whether all of it works here", Doctor},
    {"worker", "clear what warm-ups and earlier lives left on workers", Worker},
};

const Entry* FindVerb(const std::string& name) {
  for (const Entry& verb : kVerbs) {
    if (verb.name == name) return &verb;
  }
  return nullptr;
}

std::string Usage() {
  std::string text =
      "Vigil runs work that can hang, and ends it when it has gone silent.\n\n"
      "usage: vigil VERB [flags] ...\n\n";
  for (const Entry& verb : kVerbs) {
    std::string name = absl::StrCat("  ", verb.name);
    name.resize(12, ' ');
    absl::StrAppend(&text, name, verb.summary, "\n");
  }
  absl::StrAppend(&text,
                  "\n`vigil VERB --help` describes a verb and its flags.\n");
  return text;
}

int UnknownVerb(const std::string& name) {
  if (name.rfind('-', 0) == 0) {
    return Fail(absl::StrCat("`", name,
                             "`: flags stand behind the verb (see `vigil "
                             "help`)"));
  }
  std::vector<std::string> names = {"help"};
  for (const Entry& verb : kVerbs) names.push_back(verb.name);
  const std::string nearest = Nearest(name, names);
  return Fail(absl::StrCat(
      "no verb `", name, "`",
      nearest.empty() ? "" : absl::StrCat("; did you mean `", nearest, "`?"),
      " (see `vigil help`)"));
}

Environment ReadEnvironment() {
  Environment environment;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const char* equals = strchr(*entry, '=');
    if (equals == nullptr) continue;
    environment.variables.emplace(
        std::string(*entry, static_cast<size_t>(equals - *entry)), equals + 1);
  }
  std::error_code error;
  environment.working_directory = std::filesystem::current_path(error).string();
  environment.program =
      std::filesystem::read_symlink("/proc/self/exe", error).string();
  environment.uid = geteuid();
  environment.zone = absl::LocalTimeZone();
  environment.stdout_is_terminal = isatty(STDOUT_FILENO) == 1;
  environment.stderr_is_terminal = isatty(STDERR_FILENO) == 1;
  return environment;
}

int Main(const std::vector<std::string>& arguments) {
  if (arguments.empty()) {
    Print(Usage());
    return kExitVigil;
  }
  std::string name = arguments[0];
  std::vector<std::string> rest(arguments.begin() + 1, arguments.end());
  if (name == "--version") {
    return Print(absl::StrCat("vigil ", kBuildVersion, "\n")) ? 0 : kExitVigil;
  }
  if (name == "help" || name == "--help" || name == "-h") {
    if (rest.empty()) return Print(Usage()) ? 0 : kExitVigil;
    name = rest[0];
    rest = {"--help"};
  }
  const Entry* verb = FindVerb(name);
  if (verb == nullptr) return UnknownVerb(name);

  // A pipe that nobody reads is an error to handle, not an end without
  // cleaning up.
  signal(SIGPIPE, SIG_IGN);
  auto events = EventQueue::Create();
  if (!events.ok()) return Fail(events.status().message());
  const Clock clock;
  Environment environment = ReadEnvironment();
  environment.clock = &clock;
  environment.events = events->get();
  return verb->run(rest, environment);
}

}  // namespace
}  // namespace vigil::cli

int main(int argc, char** argv) {
  return vigil::cli::Main(std::vector<std::string>(argv + 1, argv + argc));
}
