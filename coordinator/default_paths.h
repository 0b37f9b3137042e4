// Where the coordinator keeps things when its flags do not say. Reads the
// environment; for main files only. Thread-compatible.
#ifndef VIGIL_COORDINATOR_DEFAULT_PATHS_H_
#define VIGIL_COORDINATOR_DEFAULT_PATHS_H_

#include <string>

#include "absl/status/statusor.h"

namespace vigil::coordinator {

struct DefaultPaths {
  // $XDG_RUNTIME_DIR/vigil/vigil.sock, or /tmp/vigil-UID/vigil.sock.
  std::string socket;
  // $XDG_STATE_HOME/vigil, or ~/.local/state/vigil, or /tmp/vigil-UID/state
  // without a home.
  std::string data_dir;
  // Beside this program: vigil-worker, or Bazel's ../worker/worker; empty if
  // neither is there.
  std::string worker_binary;
};

// NOT_FOUND: /proc does not say where this program lies.
absl::StatusOr<DefaultPaths> FindDefaultPaths();

// The store within a data directory.
std::string DatabasePath(const std::string& data_dir);

}  // namespace vigil::coordinator

#endif  // VIGIL_COORDINATOR_DEFAULT_PATHS_H_
