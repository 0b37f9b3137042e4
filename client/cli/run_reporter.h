// RunReporter: writes what one job does to stdout and stderr as it comes: the
// program's bytes as they are, Vigil's own lines on stderr, and there, on a
// terminal, a line that says how far the job is. Thread-safe. The descriptors
// are borrowed.
#ifndef VIGIL_CLIENT_CLI_RUN_REPORTER_H_
#define VIGIL_CLIENT_CLI_RUN_REPORTER_H_

#include <functional>
#include <optional>
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

  // The same for the lines of a final report, as one piece. Nothing is drawn
  // from then on.
  void SayLast(const std::vector<std::string>& lines);

  // Draws how far the job is, if there is something to say of it, on a line of
  // stderr: a terminal of that many columns. What is written elsewhere takes
  // the line's place, and it is drawn again below. Call it now and then.
  void Draw(absl::Time now, int columns);

  // Writes the result of a job that has one to stdout, unless its last attempt
  // wrote tokens there: then those were what it had to give. A terminal gets a
  // newline behind it. Main thread only.
  //
  // - As WriteUnlessSignalled.
  absl::Status WriteResult(const v1::Job& job);

 private:
  // What is drawn of a job.
  struct Doing {
    int attempt = 0;
    v1::Attempt::Phase phase = v1::Attempt::PHASE_UNSPECIFIED;
    // How far it is, once it has said so.
    std::string progress;
  };

  static Doing DoingOf(const v1::Job& job);
  void OnJob(const v1::Job& job);
  void OnOutput(const v1::Output& output);
  void OnNotice(const v1::Failure& notice);
  void OnGap(const v1::OutputGap& gap);
  void SayLocked(absl::string_view line);
  void SetDoingLocked(Doing doing);
  std::string LineLocked(absl::Time now);
  void EraseLocked();
  void DrawLocked();

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
  // The last attempt that wrote to stdout; 0: none did.
  int out_attempt_ = 0;
  Doing doing_;
  // When the phase was first drawn, or could have been.
  std::optional<absl::Time> phase_time_;
  // What is to be on the terminal's last line, and whether it is there.
  std::string line_;
  bool drawn_ = false;
};

// What is said of a job in a final state: nothing after a plain success;
// otherwise processes that its last attempt was not to have, advice and where a
// partial result is, if there are any, and last the line `job ID FAILED:
// REASON: message`.
std::vector<std::string> FinalLines(const v1::Job& job);

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_RUN_REPORTER_H_
