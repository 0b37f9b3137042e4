// FlagSet: the flags of one verb, in one table from which they are parsed and
// --help is printed. Names take dashes and underscores alike, and their value
// as --name=value or --name value. Thread-compatible; what the setters write to
// is borrowed.
#ifndef VIGIL_CLIENT_CLI_FLAGS_H_
#define VIGIL_CLIENT_CLI_FLAGS_H_

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "client/cli/limits.h"

namespace vigil::cli {

struct Flag {
  // With underscores, as in --shutdown_grace.
  std::string name;
  // As in -j; 0: none.
  char letter = 0;
  // What stands for its value in --help; empty: a switch, which is given
  // "true" unless it is written --name=false.
  std::string value = {};
  // As Wrap() takes it.
  std::string help;
  // The values it takes, where they are few: for completion.
  std::vector<std::string> choices = {};
  // Takes the value. Its error is told with the flag's name before it.
  std::function<absl::Status(absl::string_view value)> set;
  // Heads this flag and those that follow it in --help; empty: goes on.
  std::string heading = {};
};

class FlagSet {
 public:
  enum class Positionals {
    // The first word that is no flag ends the flags: it is a program, and what
    // follows is its own.
    kEndFlags,
    // Flags may stand before and behind them.
    kAnywhere,
  };

  explicit FlagSet(Positionals positionals) : positionals_(positionals) {}

  void Add(Flag flag) { flags_.push_back(std::move(flag)); }

  Positionals positionals() const { return positionals_; }
  // In the order in which they were added.
  const std::vector<Flag>& flags() const { return flags_; }
  // Null: there is none. A name may be written with dashes or underscores.
  const Flag* FindName(absl::string_view name) const;
  const Flag* FindLetter(char letter) const;

  // Sets what `arguments` say and returns the words that are no flags. A word
  // `--` ends the flags and is left out.
  //
  // - INVALID_ARGUMENT: an unknown flag (the message names the nearest one), a
  //   value missing, not wanted, or refused by its setter.
  absl::StatusOr<std::vector<std::string>> Parse(
      const std::vector<std::string>& arguments) const;

  // The table for --help: a line or more for each flag.
  std::string Describe(size_t columns = kHelpColumnsDefault) const;

 private:
  absl::Status UnknownFlag(absl::string_view word,
                           absl::string_view name) const;
  absl::Status ParseLong(const std::vector<std::string>& arguments,
                         size_t* index) const;
  absl::Status ParseShort(const std::vector<std::string>& arguments,
                          size_t* index) const;

  Positionals positionals_;
  std::vector<Flag> flags_;
};

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_FLAGS_H_
