// The command line of Vigil. This file reads the process's surroundings once,
// and hands them to the verbs.
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/build_version.h"
#include "base/clock.h"
#include "client/cli/batch.h"
#include "client/cli/command/command.h"
#include "client/cli/command/command_help.h"
#include "client/cli/command/command_lookup.h"
#include "client/cli/command/vigil_commands.h"
#include "client/cli/complete_words.h"
#include "client/cli/completion.h"
#include "client/cli/context.h"
#include "client/cli/doctor.h"
#include "client/cli/end_signals.h"
#include "client/cli/environment.h"
#include "client/cli/event_queue.h"
#include "client/cli/exit_code.h"
#include "client/cli/explain.h"
#include "client/cli/limits.h"
#include "client/cli/nearest.h"
#include "client/cli/noun_word.h"
#include "client/cli/run.h"
#include "client/cli/top.h"
#include "client/cli/verb.h"
#include "client/cli/verb_entry.h"
#include "client/cli/version.h"
#include "client/cli/watch.h"
#include "client/cli/wrap.h"

extern char** environ;

namespace vigil::cli {
namespace {

// Gives the streams that the process was started without to /dev/null, so that
// no descriptor of its own is taken for one of them. Opened for the wrong
// direction: to read or write there is an error, as it was.
void OpenStandardStreams() {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    if (fcntl(fd, F_GETFD) >= 0) continue;
    const int mode = fd == STDIN_FILENO ? O_WRONLY : O_RDONLY;
    if (open("/dev/null", mode) != fd) _exit(kExitVigil);
  }
}

// Before the libraries are initialized: gRPC opens descriptors then, and main
// is too late.
__attribute__((section(".preinit_array"),
               used)) void (*const kBeforeAll)() = &OpenStandardStreams;

constexpr VerbEntry kVerbs[] = {
    {"run", "run a program, stream it, and exit as it did", Run},
    {"batch", "run a program once for each line of input, as xargs does",
     Batch},
    {"top", "what runs, what waits and how fast, again and again", Top},
    {"watch", "follow a job or a batch to its end", Watch},
    {"explain", "what a job waits for, or why and how it ended", Explain},
    {"context", "named settings of connections", Context},
    {"doctor", "check whether all of it works here", Doctor},
    {"completion", "what has a shell complete this command line", Completion},
    {"version", "what this program and the coordinator are", Version},
};

bool IsHelp(const std::string& word) {
  return word == "help" || word == "--help" || word == "-h";
}

// What the scripts of `vigil completion` call; not for people.
constexpr char kCompleteCommand[] = "__complete";

// A line of a list, or a few.
std::string Line(absl::string_view name, absl::string_view summary) {
  // The longest name, `completion`, and what stands before and behind it.
  constexpr size_t kNameColumns = 14;
  std::string text = Wrap(summary, kHelpColumnsDefault, kNameColumns);
  return text.replace(2, name.size(), name.data(), name.size());
}

// Asks nothing but the table, which is constant: help is there at once.
std::string Usage() {
  std::string text =
      "Vigil runs work that can hang, and ends it when it has gone silent.\n\n"
      "usage: vigil VERB [flags] ...\n"
      "       vigil NOUN VERB [flags] ...\n\n"
      "verbs:\n";
  for (const VerbEntry& verb : kVerbs) {
    absl::StrAppend(&text, Line(verb.name, verb.summary));
  }
  absl::StrAppend(&text, "\nnouns, with a verb for each method of the API:\n");
  for (const NounSpec& noun : VigilCommands()) {
    absl::StrAppend(&text, Line(noun.noun, noun.summary));
  }
  absl::StrAppend(
      &text,
      "\n`vigil VERB --help` describes a verb and its flags, `vigil NOUN "
      "--help` the\nverbs of a noun, `vigil NOUN VERB --help` one of them.\n");
  return text;
}

int UnknownVerb(const std::string& name) {
  if (name.rfind('-', 0) == 0) {
    return Fail(absl::StrCat("`", name,
                             "`: flags stand behind the verb (see `vigil "
                             "help`)"));
  }
  std::vector<std::string> names = {"help"};
  for (const VerbEntry& verb : kVerbs) names.push_back(verb.name);
  for (const NounSpec& noun : VigilCommands()) names.emplace_back(noun.noun);
  return Fail(absl::StrCat("no verb `", name, "`", DidYouMean(name, names),
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

// What a command line asks for.
struct Request {
  // Null: it is not a verb of its own.
  const VerbEntry* verb = nullptr;
  // Null: it is not a noun either.
  const NounSpec* noun = nullptr;
  std::vector<std::string> arguments;
};

// Where a verb and a noun have one name, the noun is meant with one of its
// verbs, and the verb otherwise; `vigil batch -- get` runs a program called
// get, `vigil batch help` none.
Request Understand(const std::string& name, std::vector<std::string> rest) {
  Request request;
  request.verb = FindVerb(kVerbs, name);
  request.noun = FindNoun(VigilCommands(), name);
  request.arguments = std::move(rest);
  if (request.verb == nullptr || request.noun == nullptr ||
      request.arguments.empty()) {
    return request;
  }
  const std::string& word = request.arguments[0];
  if (FindVerb(*request.noun, word) != nullptr) {
    request.verb = nullptr;
  } else if (word == "help") {
    request.arguments = {"--help"};
  }
  return request;
}

// `vigil help NAME ...`.
Request UnderstandHelp(const std::vector<std::string>& words) {
  Request request = Understand(words[0], {words.begin() + 1, words.end()});
  if (request.noun != nullptr && words.size() > 1 && words[1] != "help") {
    request.verb = nullptr;
  }
  // What follows a verb may be a program, which is not to be run.
  if (request.verb != nullptr) request.arguments.clear();
  request.arguments.push_back("--help");
  return request;
}

// Whether a shell would find it.
bool IsProgram(const std::string& name, const Environment& environment) {
  if (name.find('/') != std::string::npos) return true;
  const std::string path = environment.Variable("PATH");
  for (const absl::string_view directory : absl::StrSplit(path, ':')) {
    if (access(absl::StrCat(directory, "/", name).c_str(), X_OK) == 0) {
      return true;
    }
  }
  return false;
}

// Why the words of a verb that is a noun too are not to be run; empty: they
// are.
std::string Misspelt(const Request& request, const Environment& environment) {
  std::string why;
  WithFlagsOf(*request.verb, environment, [&](const FlagSet& flags) {
    why = MeantForNoun(*request.noun, flags, request.arguments,
                       [&environment](const std::string& name) {
                         return IsProgram(name, environment);
                       });
  });
  return why;
}

int Execute(const Request& request, const Environment& environment) {
  if (request.verb == nullptr) {
    return RunCommand(*request.noun, request.arguments, environment);
  }
  if (request.noun != nullptr) {
    const std::string why = Misspelt(request, environment);
    if (!why.empty()) return Fail(why);
  }
  const int status = request.verb->run(request.arguments, environment);
  const bool help =
      request.arguments.size() == 1 &&
      (request.arguments[0] == "--help" || request.arguments[0] == "-h");
  if (!help || status != 0 || request.noun == nullptr) return status;
  const std::string verbs =
      absl::StrCat("\nAlso `vigil ", request.verb->name,
                   " VERB`, where the verb is one of\n",
                   VerbList(*request.noun, kHelpColumnsDefault));
  return Print(verbs);
}

int Main(const std::vector<std::string>& arguments) {
  // A pipe that nobody reads is an error to handle, not an end without
  // cleaning up.
  signal(SIGPIPE, SIG_IGN);
  if (arguments.empty()) {
    const int printed = Print(Usage());
    return printed != 0 ? printed : kExitVigil;
  }
  const std::string& name = arguments[0];
  const std::vector<std::string> rest(arguments.begin() + 1, arguments.end());
  if (name == "--version") {
    return Print(absl::StrCat("vigil ", kBuildVersion, "\n"));
  }
  const bool help = IsHelp(name);
  if (help && (rest.empty() || IsHelp(rest[0]))) return Print(Usage());
  const Request request = help ? UnderstandHelp(rest) : Understand(name, rest);
  const bool completes = name == kCompleteCommand;
  if (!completes && request.verb == nullptr && request.noun == nullptr) {
    return UnknownVerb(help ? rest[0] : name);
  }

  auto events = EventQueue::Create();
  if (!events.ok()) return Fail(events.status().message());
  const Clock clock;
  Environment environment = ReadEnvironment();
  environment.clock = &clock;
  environment.events = events->get();
  if (completes) {
    return Print(CompleteWords(rest, {kVerbs, VigilCommands()}, environment));
  }
  const int status = Execute(request, environment);
  // One that nobody took is why it failed.
  const int signal = PendingEndSignal();
  return status == kExitVigil && signal != 0 ? kExitSignal + signal : status;
}

}  // namespace
}  // namespace vigil::cli

int main(int argc, char** argv) {
  return vigil::cli::Main(std::vector<std::string>(argv + 1, argv + argc));
}
