// Task: what the loop knows of one attempt beside what the core decides: its
// assignment, its pipes, and what its output was. Loop thread only. Owns the
// descriptors, which the caller removes from its poller first.
#ifndef VIGIL_WORKER_LOOP_TASK_H_
#define VIGIL_WORKER_LOOP_TASK_H_

#include <sys/types.h>

#include <cstddef>
#include <map>
#include <optional>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/ids.h"
#include "base/reason.h"
#include "base/unique_fd.h"
#include "vigil/v1/catalog.pb.h"
#include "vigil/v1/dispatch_service.pb.h"
#include "worker/loop/end_report.h"
#include "worker/loop/limits.h"
#include "worker/loop/line_patterns.h"
#include "worker/loop/line_scanner.h"
#include "worker/loop/output_window.h"
#include "worker/loop/tail_buffer.h"

namespace vigil::worker {

class Task {
 public:
  enum class ReadResult {
    // Bytes were read; there may be more.
    kBytes,
    // Nothing is there now.
    kEmpty,
    // Nothing will come any more, or the stream is closed.
    kEnd,
  };

  // `type` is the task type, null for commands and unknown types; it outlives
  // the task. A pattern that does not compile is told by `refusal`.
  Task(v1::Assignment assignment, const v1::TaskType* type);

  const AttemptId& id() const { return id_; }
  const v1::Assignment& assignment() const { return assignment_; }
  const v1::TaskType* type() const { return type_; }
  const LinePatterns& patterns() const { return patterns_; }
  // What a program's exit status means: the type's meanings, then the job's.
  std::map<int, Reason> ExitReasons() const;

  // Why it is not started, where the reason is not SPAWN_FAILED.
  const std::optional<Failure>& refusal() const { return refusal_; }
  void Refuse(Failure failure) { refusal_ = std::move(failure); }

  // The program was asked for: its input is not needed any more.
  void Starting(UniqueFd stdout_fd, UniqueFd stderr_fd, bool pty);
  // It runs.
  void Started(pid_t pid, absl::Time now);

  UniqueFd* fd(OutputStream stream) {
    return stream == OutputStream::kStdout ? &stdout_fd_ : &stderr_fd_;
  }
  // Reads once, at most kReadBytesMax, and calls `sink` with the bytes.
  ReadResult Read(OutputStream stream,
                  absl::FunctionRef<void(absl::string_view)> sink);
  // Takes bytes into the tails, and cuts them into lines if patterns want
  // those. `now` is the time of reading.
  void TakeOutput(OutputStream stream, absl::string_view bytes, absl::Time now,
                  LineScanner::Visitor visit_line);

  // The ready pattern was found.
  bool ready = false;
  // Its descriptors are in the poller.
  bool watched = false;
  // Output is not read for now.
  bool paused = false;
  // Where it runs; -1 before.
  int slot = -1;

  // Records what can be seen only before a kill; the first call counts.
  void TakeEvidence();
  // What the end says: evidence as taken, or as it is now.
  EndFacts Facts() const;
  // What reason patterns look at.
  absl::string_view stderr_tail() const { return stderr_tail_.view(); }

 private:
  const AttemptId id_;
  v1::Assignment assignment_;
  const v1::TaskType* const type_;
  LinePatterns patterns_;
  std::optional<Failure> refusal_;
  UniqueFd stdout_fd_;
  UniqueFd stderr_fd_;
  bool pty_ = false;
  pid_t pid_ = 0;
  LineScanner stdout_lines_;
  LineScanner stderr_lines_;
  TailBuffer output_tail_{kEvidenceBytesMax};
  // Of stdout on a terminal, where both are one.
  TailBuffer stderr_tail_{kStderrTailBytesMax};
  // CPU time of the tree, as read at about the last activity.
  std::optional<absl::Duration> cpu_time_;
  absl::Time cpu_sample_time_ = absl::InfinitePast();
  std::optional<EndFacts> evidence_;
};

}  // namespace vigil::worker

#endif  // VIGIL_WORKER_LOOP_TASK_H_
