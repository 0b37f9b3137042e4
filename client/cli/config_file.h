// ConfigFile: the file in which the command line keeps named connection
// settings. Blocks for the disk; thread-safe, and safe beside other processes:
// a change is whole or not there. Owns nothing but the path.
#ifndef VIGIL_CLIENT_CLI_CONFIG_FILE_H_
#define VIGIL_CLIENT_CLI_CONFIG_FILE_H_

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "client/cli/config.pb.h"
#include "client/cli/environment.h"

namespace vigil::cli {

class ConfigFile {
 public:
  explicit ConfigFile(std::string path) : path_(std::move(path)) {}

  // $XDG_CONFIG_HOME/vigil/config.json, else ~/.config/vigil/config.json. A
  // directory that is not absolute counts as none; without any the path is
  // empty, and there is no file.
  static ConfigFile Of(const Environment& environment);

  const std::string& path() const { return path_; }

  // What the file says; an empty one where there is no file.
  //
  // - INVALID_ARGUMENT: it is damaged; the message names file, line and what
  //   is wrong. Mend it, or remove it.
  // - Others: what the system says.
  absl::StatusOr<Config> Read() const;

  // Reads, has `change` change it, and replaces the file, mode 0600 in a
  // directory of mode 0700. Waits for others that do the same.
  //
  // - FAILED_PRECONDITION: there is no place for a file: set HOME.
  // - CANCELLED: an end signal came meanwhile (see end_signals.h).
  // - Whatever `change` returns; the file stays as it was.
  // - As Read, and what the system says.
  absl::Status Change(
      const std::function<absl::Status(Config* config)>& change) const;

 private:
  absl::Status Replace(const Config& config) const;

  std::string path_;
};

// Whether a context, or a namespace, may have this name.
bool IsName(absl::string_view name);

// Whether it is one that a context can have: it is none of a flag either.
bool IsContextName(absl::string_view name);

// The context with that name; null: there is none. Borrowed from `config`.
const Config::Context* FindContext(const Config& config,
                                   absl::string_view name);

std::vector<std::string> ContextNames(const Config& config);

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_CONFIG_FILE_H_
