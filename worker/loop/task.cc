#include "worker/loop/task.h"

#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/wire/attempt_wire.h"
#include "worker/loop/cpu_time.h"

namespace vigil::worker {

Task::Task(v1::Assignment assignment, const v1::TaskType* type)
    : id_(FromProto(assignment.attempt())),
      assignment_(std::move(assignment)),
      type_(type) {
  absl::StatusOr<LinePatterns> patterns =
      LinePatterns::Compile(assignment_.spec());
  if (patterns.ok()) {
    patterns_ = *std::move(patterns);
  } else {
    refusal_ = Failure{Reason::kInvalidInput,
                       std::string(patterns.status().message()), ""};
  }
}

std::map<int, Reason> Task::ExitReasons() const {
  std::map<int, Reason> reasons;
  if (type_ != nullptr) {
    for (const auto& [status, reason] : type_->exit_reasons()) {
      reasons[status] = static_cast<Reason>(reason);
    }
  }
  for (const auto& [status, reason] : assignment_.spec().exit_reasons()) {
    reasons[status] = static_cast<Reason>(reason);
  }
  return reasons;
}

void Task::Starting(UniqueFd stdout_fd, UniqueFd stderr_fd, bool pty) {
  stdout_fd_ = std::move(stdout_fd);
  stderr_fd_ = std::move(stderr_fd);
  pty_ = pty;
  assignment_.mutable_spec()->clear_input();
}

void Task::Started(pid_t pid, absl::Time now) {
  pid_ = pid;
  cpu_time_ = absl::ZeroDuration();
  cpu_sample_time_ = now;
}

Task::ReadResult Task::Read(OutputStream stream,
                            absl::FunctionRef<void(absl::string_view)> sink) {
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

void Task::TakeOutput(OutputStream stream, absl::string_view bytes,
                      absl::Time now, LineScanner::Visitor visit_line) {
  output_tail_.Add(bytes);
  const bool is_stderr = stream == OutputStream::kStderr;
  if (is_stderr || pty_) stderr_tail_.Add(bytes);
  if (patterns_.any()) {
    (is_stderr ? stderr_lines_ : stdout_lines_).Add(bytes, visit_line);
  }
  if (pid_ != 0 && now - cpu_sample_time_ >= kCpuSampleInterval) {
    cpu_time_ = CpuTimeOfTree(pid_);
    cpu_sample_time_ = now;
  }
}

void Task::TakeEvidence() {
  if (evidence_.has_value()) return;
  evidence_ = Facts();
  if (pid_ == 0 || !cpu_time_.has_value()) return;
  const std::optional<absl::Duration> now = CpuTimeOfTree(pid_);
  // Less than before where a helper ended that nobody waited for.
  if (now.has_value() && *now >= *cpu_time_) {
    evidence_->cpu_time_in_silence = *now - *cpu_time_;
  }
}

EndFacts Task::Facts() const {
  EndFacts facts;
  if (evidence_.has_value()) {
    facts = *evidence_;
  } else {
    facts.last_output = std::string(output_tail_.view());
  }
  facts.stderr_tail = std::string(stderr_tail_.view());
  return facts;
}

}  // namespace vigil::worker
