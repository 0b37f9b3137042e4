// WatchedJob: a job that is followed to its end: its output on stdout and
// stderr as its program wrote it, its states on stderr. Main thread only;
// answers of the client come by way of the event queue. Borrows all but its
// stream, and the client must be gone before it.
#ifndef VIGIL_CLIENT_CLI_WATCH_JOB_H_
#define VIGIL_CLIENT_CLI_WATCH_JOB_H_

#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/cc/client.h"
#include "client/cli/connection.h"
#include "client/cli/environment.h"
#include "client/cli/output_skip.h"
#include "client/cli/run_reporter.h"
#include "client/cli/watch_options.h"
#include "vigil/v1/job.pb.h"

namespace vigil::cli {

class WatchedJob {
 public:
  // `job` is what is known of it.
  WatchedJob(const Environment& environment, const Connection& connection,
             const WatchOptions& options, const v1::Job& job);

  // Follows it. Returns the exit status of the process: that of `vigil run`.
  int Follow(std::unique_ptr<client::Client> client);

 private:
  client::JobObserver TextObserver();
  client::JobObserver JsonObserver();
  void OnEnd(absl::StatusOr<v1::Job> job);
  void SayState(const v1::Job& job);
  void WriteEvent(const v1::WatchEvent& event);
  void OnWriteError(const absl::Status& status);
  void OnSignal(int signal);
  int Finish(const absl::StatusOr<v1::Job>& job);

  const Environment& environment_;
  const Connection& connection_;
  const WatchOptions options_;
  const std::string namespace_;
  const std::string job_id_;
  OutputSkip skip_;
  RunReporter reporter_;
  client::JobStream stream_;
  // The last state that was told.
  std::string state_line_;
  std::optional<absl::StatusOr<v1::Job>> end_;
  // The signal that asked for the end; 0: none.
  int signal_ = 0;
  absl::Status write_error_;
};

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_WATCH_JOB_H_
