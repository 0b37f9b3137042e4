// RunReporter: writes what one job does to stdout and stderr as it comes: the
// program's bytes as they are, and Vigil's own lines on stderr. Thread-safe.
// The descriptors are borrowed.
#ifndef VIGIL_CLIENT_CLI_RUN_REPORTER_H_
#define VIGIL_CLIENT_CLI_RUN_REPORTER_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "client/cc/job_observer.h"
#include "vigil/v1/failure.pb.h"
#include "vigil/v1/job.pb.h"
#include "vigil/v1/output.pb.h"

namespace vigil::cli {

class RunReporter {
 public:
  // `on_write_error` is called once, when the program's output can no longer
  // be written; what comes later is dropped.
  RunReporter(int out_fd, int err_fd,
              std::function<void(absl::Status)> on_write_error);

  // What a stream of the job is to call; on_end is left to the caller. The
  // reporter must outlive the stream.
  client::JobObserver Observer();

  // Writes `vigil: line` on stderr, on a line of its own.
  void Say(absl::string_view line);

  // The same for the lines of a final report, as one piece.
  void SayAll(const std::vector<std::string>& lines);

 private:
  void OnJob(const v1::Job& job);
  void OnOutput(const v1::Output& output);
  void OnGap(const v1::OutputGap& gap);
  void SayLocked(absl::string_view line);

  const int out_fd_;
  const int err_fd_;
  const std::function<void(absl::Status)> on_write_error_;
  absl::Mutex mu_;
  // The last attempt whose retry was announced.
  int announced_attempt_ = 0;
  // Whether the last byte that the program wrote to a terminal, or to stderr,
  // left a line unfinished.
  bool err_unfinished_ = false;
  bool broken_ = false;
};

// What is said of a job in a final state: nothing after a plain success;
// otherwise advice, if there is any, and last the line
// `job ID FAILED: REASON: message`.
std::vector<std::string> FinalLines(const v1::Job& job);

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_RUN_REPORTER_H_
