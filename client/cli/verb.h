// Verb: what every verb does alike: --help, --version, misused flags and errors
// on stderr. Thread-compatible; the flags are borrowed.
#ifndef VIGIL_CLIENT_CLI_VERB_H_
#define VIGIL_CLIENT_CLI_VERB_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "client/cli/environment.h"
#include "client/cli/flags.h"

namespace vigil::cli {

class Verb {
 public:
  // `usage` is the line behind "usage: vigil "; `about` says in a few sentences
  // what the verb does and with which status it exits.
  Verb(FlagSet::Positionals positionals, absl::string_view name,
       absl::string_view usage, absl::string_view about);

  FlagSet* flags() { return &flags_; }

  // Parses and leaves the words that are no flags in `words`. Returns the exit
  // status if there is nothing more to do: help was printed, the flags were
  // misused and that was told, or it was only asked which flags there are
  // (Environment::on_flags).
  std::optional<int> Parse(const std::vector<std::string>& arguments,
                           const Environment& environment,
                           std::vector<std::string>* words);

  // The whole text of --help.
  std::string Help() const;

 private:
  const std::string name_;
  const std::string usage_;
  const std::string about_;
  bool help_ = false;
  bool version_ = false;
  FlagSet flags_;
};

// Writes `vigil: message` on stderr and returns the exit status for Vigil's
// own failure.
int Fail(absl::string_view message);

// Writes to stdout. Returns the exit status: 0, or what FailToPrint says.
int Print(absl::string_view text);

// The exit status where stdout could not be written, as `status` says: 141,
// silently, where nobody reads it; 128 and the signal, silently, where one
// ended the wait; otherwise that of Fail, which has told.
int FailToPrint(const absl::Status& status);

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_VERB_H_
