// Environment: what the main file read from the process's surroundings, handed
// to everything else as a value, so that nothing below it asks the system.
// Thread-compatible; the clock and the events are borrowed from main.
#ifndef VIGIL_CLIENT_CLI_ENVIRONMENT_H_
#define VIGIL_CLIENT_CLI_ENVIRONMENT_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "absl/time/time.h"
#include "base/clock.h"
#include "client/cli/event_queue.h"
#include "client/cli/flags.h"
#include "client/cli/format.h"

namespace vigil::cli {

struct Environment {
 public:
  std::map<std::string, std::string> variables;
  // Absolute; empty when it could not be read.
  std::string working_directory;
  // Absolute path of this program's file.
  std::string program;
  uint32_t uid = 0;
  absl::TimeZone zone;
  bool stdout_is_terminal = false;
  bool stderr_is_terminal = false;
  const Clock* clock = nullptr;
  EventQueue* events = nullptr;
  // Set where a verb is only to say which flags it has: it calls this, and does
  // nothing else.
  std::function<void(const FlagSet& flags)> on_flags = {};

  // Empty when it is not set.
  std::string Variable(const std::string& name) const {
    auto found = variables.find(name);
    return found == variables.end() ? std::string() : found->second;
  }

  Style StyleOfStdout() const { return StyleFor(stdout_is_terminal); }
  Style StyleOfStderr() const { return StyleFor(stderr_is_terminal); }

 private:
  // Colour on a terminal, unless NO_COLOR is set to anything.
  Style StyleFor(bool is_terminal) const {
    return Style(is_terminal && Variable("NO_COLOR").empty()
                     ? Style::Colour::kAnsi
                     : Style::Colour::kNone);
  }
};

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_ENVIRONMENT_H_
