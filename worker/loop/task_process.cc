#include "worker/loop/task_process.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "worker/loop/task_tree.h"
#include "worker/loop/tree_snapshot.h"

namespace vigil::worker {

TaskProcess::TaskProcess(int slot, TaskTypePtr type, SpawnPurpose purpose,
                         slot::WorkerEnds ends, bool pty,
                         std::string report_path)
    : slot_(slot),
      type_(std::move(type)),
      purpose_(purpose),
      stdout_fd_(std::move(ends.stdout_fd)),
      stderr_fd_(std::move(ends.stderr_fd)),
      pty_(pty),
      sequential_report_(std::move(report_path)) {
  if (ends.channel_fd.valid()) {
    channel.emplace(std::move(ends.channel_fd), type_->format());
  }
}

void TaskProcess::Started(pid_t pid, absl::Time now) {
  pid_ = pid;
  cpu_time_ = absl::ZeroDuration();
  cpu_sample_time_ = now;
}

TaskProcess::ReadResult TaskProcess::Read(
    OutputStream stream, absl::FunctionRef<void(absl::string_view)> sink) {
  const UniqueFd& from = *fd(stream);
  if (!from.valid()) return ReadResult::kEnd;
  std::array<char, kReadBytesMax> buffer;
  for (;;) {
    const ssize_t size = read(from.get(), buffer.data(), buffer.size());
    if (size > 0) {
      sink(absl::string_view(buffer.data(), static_cast<size_t>(size)));
      return ReadResult::kBytes;
    }
    if (size < 0 && errno == EINTR) continue;
    if (size < 0 && errno == EAGAIN) return ReadResult::kEmpty;
    // End of file, or EIO: how a terminal says it.
    return ReadResult::kEnd;
  }
}

void TaskProcess::TakeOutput(OutputStream stream, absl::string_view bytes,
                             absl::Time now) {
  output_tail_.Add(bytes);
  if (stream == OutputStream::kStderr || pty_) {
    stderr_tail_.Add(bytes);
    if (dumping_) {
      const size_t room = kStackDumpBytesMax - stack_dump_.size();
      stack_dump_.append(bytes.data(), std::min(room, bytes.size()));
    }
  }
  Sample(now);
}

void TaskProcess::TakeToken(absl::string_view bytes, absl::Time now) {
  output_tail_.Add(bytes);
  Sample(now);
}

void TaskProcess::CutLines(OutputStream stream, absl::string_view bytes,
                           LineScanner::Visitor visit_line) {
  (stream == OutputStream::kStderr ? stderr_lines_ : stdout_lines_)
      .Add(bytes, visit_line);
}

void TaskProcess::Sample(absl::Time now) {
  if (pid_ == 0 || now - cpu_sample_time_ < kCpuSampleInterval) return;
  cpu_time_ = CpuTimeOfTree(pid_);
  cpu_sample_time_ = now;
}

void TaskProcess::NameLeftovers(const std::vector<slot::Leftover>& leftovers) {
  leftovers_ = TreeFacts();
  for (const slot::Leftover& leftover : leftovers) {
    ProcessFacts facts;
    facts.pid = leftover.pid;
    facts.command = absl::StrCat("[", leftover.program, "]");
    leftovers_.processes.push_back(std::move(facts));
    ++leftovers_.process_count;
  }
}

void TaskProcess::TakeEvidence(pid_t slot) {
  if (evidence_.has_value()) return;
  evidence_ = Facts();
  if (slot > 0) evidence_->tree = SnapshotTree(slot);
  if (pid_ == 0 || !cpu_time_.has_value()) return;
  const std::optional<absl::Duration> now = CpuTimeOfTree(pid_);
  // Less than before where a helper ended that nobody waited for.
  if (now.has_value() && *now >= *cpu_time_) {
    evidence_->cpu_time_in_silence = *now - *cpu_time_;
  }
}

EndFacts TaskProcess::Facts() const {
  EndFacts facts;
  if (evidence_.has_value()) {
    facts = *evidence_;
  } else {
    facts.last_output = std::string(output_tail_.view());
  }
  facts.stderr_tail = std::string(stderr_tail_.view());
  facts.stack_dump = stack_dump_;
  if (facts.tree.process_count == 0) facts.tree = leftovers_;
  return facts;
}

void TaskProcess::ForgetAttempt() {
  evidence_.reset();
  dumping_ = false;
  stack_dump_.clear();
  output_tail_.Clear();
  stderr_tail_.Clear();
}

}  // namespace vigil::worker
