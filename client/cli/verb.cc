#include "client/cli/verb.h"

#include <signal.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "base/build_version.h"
#include "client/cli/end_signals.h"
#include "client/cli/exit_code.h"
#include "client/cli/files.h"
#include "client/cli/flag_values.h"

namespace vigil::cli {

Verb::Verb(FlagSet::Positionals positionals, absl::string_view name,
           absl::string_view usage, absl::string_view about)
    : name_(name), usage_(usage), about_(about), flags_(positionals) {
  flags_.Add({.name = "help",
              .letter = 'h',
              .help = "Print this.",
              .set = SetSwitch(&help_)});
  flags_.Add({.name = "version",
              .help = "Print the version.",
              .set = SetSwitch(&version_)});
}

std::string Verb::Help() const {
  return absl::StrCat("usage: vigil ", usage_, "\n\n", about_, "\n\nflags:\n",
                      flags_.Describe());
}

std::optional<int> Verb::Parse(const std::vector<std::string>& arguments,
                               const Environment& environment,
                               std::vector<std::string>* words) {
  if (environment.on_flags) {
    environment.on_flags(flags_);
    return 0;
  }
  absl::StatusOr<std::vector<std::string>> parsed = flags_.Parse(arguments);
  if (help_) return Print(Help());
  if (version_) {
    return Print(absl::StrCat("vigil ", kBuildVersion, "\n"));
  }
  if (!parsed.ok()) {
    return Fail(absl::StrCat(parsed.status().message(), " (see `vigil ", name_,
                             " --help`)"));
  }
  *words = *std::move(parsed);
  return std::nullopt;
}

int Fail(absl::string_view message) {
  // Where stderr cannot be written there is no place left to say so.
  WriteUnlessSignalled(STDERR_FILENO, absl::StrCat("vigil: ", message, "\n"))
      .IgnoreError();
  return kExitVigil;
}

int Print(absl::string_view text) {
  const absl::Status status = WriteUnlessSignalled(STDOUT_FILENO, text);
  return status.ok() ? 0 : FailToPrint(status);
}

int FailToPrint(const absl::Status& status) {
  if (absl::IsAborted(status)) return kExitSignal + SIGPIPE;
  if (absl::IsCancelled(status)) return kExitSignal + PendingEndSignal();
  return Fail(absl::StrCat("stdout: ", status.message()));
}

}  // namespace vigil::cli
