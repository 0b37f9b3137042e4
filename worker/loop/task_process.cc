#include "worker/loop/task_process.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "worker/loop/task_tree.h"

namespace vigil::worker {

TaskProcess::TaskProcess(int slot, TaskTypePtr type, SpawnPurpose purpose,
                         slot::WorkerEnds ends, bool pty)
    : slot_(slot),
      type_(std::move(type)),
      purpose_(purpose),
      stdout_fd_(std::move(ends.stdout_fd)),
      stderr_fd_(std::move(ends.stderr_fd)),
      pty_(pty) {
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
  if (stream == OutputStream::kStderr || pty_) stderr_tail_.Add(bytes);
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

void TaskProcess::TakeEvidence() {
  if (evidence_.has_value()) return;
  evidence_ = Facts();
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
  return facts;
}

void TaskProcess::ForgetAttempt() {
  evidence_.reset();
  output_tail_.Clear();
  stderr_tail_.Clear();
}

}  // namespace vigil::worker
