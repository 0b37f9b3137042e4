// TaskProcess: the program in a slot as the loop sees it: its pipes, its
// channel if it is warm, and what it wrote last. Loop thread only. Owns the
// descriptors, which the caller removes from its poller first.
#ifndef VIGIL_WORKER_LOOP_TASK_PROCESS_H_
#define VIGIL_WORKER_LOOP_TASK_PROCESS_H_

#include <sys/types.h>

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/unique_fd.h"
#include "worker/core/effects.h"
#include "worker/loop/end_report.h"
#include "worker/loop/limits.h"
#include "worker/loop/line_scanner.h"
#include "worker/loop/output_window.h"
#include "worker/loop/sequential_report.h"
#include "worker/loop/tail_buffer.h"
#include "worker/loop/task_channel.h"
#include "worker/loop/task_type.h"
#include "worker/slot/slot_event.h"
#include "worker/slot/task_stdio.h"

namespace vigil::worker {

class TaskProcess {
 public:
  enum class ReadResult {
    // Bytes were read; there may be more.
    kBytes,
    // Nothing is there now.
    kEmpty,
    // Nothing will come any more, or the stream is closed.
    kEnd,
  };

  // `type` is null for a command. `ends` has a channel exactly if it is warm.
  // `report_path` is where it reports pools that ran in sequence; empty:
  // nowhere.
  TaskProcess(int slot, TaskTypePtr type, SpawnPurpose purpose,
              slot::WorkerEnds ends, bool pty, std::string report_path);

  int slot() const { return slot_; }
  const TaskTypePtr& type() const { return type_; }
  SpawnPurpose purpose() const { return purpose_; }
  // What it prints is not the output of a job.
  bool prints_remarks() const {
    return channel.has_value() || purpose_ == SpawnPurpose::kWarmUp;
  }
  // 0 before it runs.
  pid_t pid() const { return pid_; }
  void Started(pid_t pid, absl::Time now);

  UniqueFd* fd(OutputStream stream) {
    return stream == OutputStream::kStdout ? &stdout_fd_ : &stderr_fd_;
  }
  // Reads once, at most kReadBytesMax, and calls `sink` with the bytes.
  ReadResult Read(OutputStream stream,
                  absl::FunctionRef<void(absl::string_view)> sink);
  // Takes bytes into the tails. `now` is the time of reading.
  void TakeOutput(OutputStream stream, absl::string_view bytes, absl::Time now);
  // As TakeOutput, for a token.
  void TakeToken(absl::string_view bytes, absl::Time now);
  // Cuts bytes into lines.
  void CutLines(OutputStream stream, absl::string_view bytes,
                LineScanner::Visitor visit_line);

  // Records what can be seen only before a kill; the first call counts. `slot`
  // is the process of its slot, 0 if that is gone.
  void TakeEvidence(pid_t slot);
  // What it writes to stderr from now on answers its stack-dump signal.
  void BeginStackDump() { dumping_ = true; }
  // What its slot found alive when it had ended.
  void NameLeftovers(const std::vector<slot::Leftover>& leftovers);
  SequentialReport& sequential_report() { return sequential_report_; }
  // What the end says: evidence as taken, or as it is now.
  EndFacts Facts() const;
  // What reason patterns look at.
  absl::string_view stderr_tail() const { return stderr_tail_.view(); }
  // An attempt ended, and the process lives on: what it wrote is not the next
  // one's.
  void ForgetAttempt();

  std::optional<TaskChannel> channel;
  // Its descriptors are in the poller.
  bool watched = false;
  // Nothing of it is read for now.
  bool paused = false;
  // Where its warm-up writes; empty if it is none.
  std::string cache_path;

 private:
  void Sample(absl::Time now);

  const int slot_;
  const TaskTypePtr type_;
  const SpawnPurpose purpose_;
  UniqueFd stdout_fd_;
  UniqueFd stderr_fd_;
  const bool pty_;
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
  TreeFacts leftovers_;
  bool dumping_ = false;
  std::string stack_dump_;
  SequentialReport sequential_report_;
};

}  // namespace vigil::worker

#endif  // VIGIL_WORKER_LOOP_TASK_PROCESS_H_
