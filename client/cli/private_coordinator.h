// PrivateCoordinator: a coordinator that the CLI starts for itself when none is
// running, in a directory of its own, and ends with itself.
// Main thread only. Owns the process and the directory; both are gone when it
// is destroyed, and the process ends by itself should the CLI be killed,
// because its stdin then closes.
#ifndef VIGIL_CLIENT_CLI_PRIVATE_COORDINATOR_H_
#define VIGIL_CLIENT_CLI_PRIVATE_COORDINATOR_H_

#include <sys/types.h>

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/unique_fd.h"
#include "client/cli/environment.h"

namespace vigil::cli {

class PrivateCoordinator {
 public:
  struct Options {
    // Of its local worker; at least 1.
    int slots = 1;
  };

  // Finds the coordinator's program: `flag` if it is not empty, else
  // `vigil-coordinator` beside this program, else where Bazel builds it.
  //
  // - NOT_FOUND: it is nowhere; the message says where it was looked for.
  static absl::StatusOr<std::string> FindProgram(
      const std::string& flag, const Environment& environment);

  // Starts `program` and waits until it serves. Also removes directories that
  // killed CLIs of this user left behind.
  //
  // - UNAVAILABLE: it ended or did not serve in time; the message holds the
  //   end of its log.
  // - CANCELLED: a signal came meanwhile; its number is in `signal`.
  // - Others: the system gave no directory or process.
  static absl::StatusOr<std::unique_ptr<PrivateCoordinator>> Start(
      const std::string& program, const Options& options,
      const Environment& environment, int* signal);

  PrivateCoordinator(const PrivateCoordinator&) = delete;
  PrivateCoordinator& operator=(const PrivateCoordinator&) = delete;
  // Stop with kPrivateStopTimeout.
  ~PrivateCoordinator();

  // Has it end its tasks and itself, waits up to `patience`, kills it then, and
  // removes its directory. Repeating it does nothing.
  void Stop(absl::Duration patience);

  const std::string& address() const { return address_; }
  // Readable when the process has ended.
  int process_fd() const { return process_.get(); }
  // The end of its log, for a person.
  std::string LogTail() const;

 private:
  explicit PrivateCoordinator(std::string directory);

  absl::Status Spawn(const std::string& program, const Options& options);
  absl::Status AwaitReady(EventQueue* events, const Clock& clock, int* signal);

  const std::string directory_;
  const std::string address_;
  // Held while the directory is in use; see RemoveLeftovers.
  UniqueFd lock_;
  // Our end of its stdin.
  UniqueFd stdin_;
  UniqueFd ready_;
  UniqueFd process_;
  pid_t pid_ = -1;
};

// Removes directories in `parent` that were made by Start, belong to `uid`, and
// are not in use.
void RemoveLeftovers(const std::string& parent, uint32_t uid, absl::Time now);

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_PRIVATE_COORDINATOR_H_
