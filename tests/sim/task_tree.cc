#include "tests/sim/task_tree.h"

#include <signal.h>

#include <utility>

namespace vigil::sim {
namespace {

// From SIGKILL to death of a process that nothing holds back.
constexpr absl::Duration kQuickDeath = absl::Microseconds(30);

}  // namespace

TaskTree::TaskTree(EventQueue* queue, Random* random, AttemptId attempt,
                   TaskScript script, Supervision supervision)
    : queue_(queue),
      random_(random),
      attempt_(std::move(attempt)),
      script_(script),
      supervision_(std::move(supervision)),
      processes_(static_cast<size_t>(1 + script.descendants)) {}

void TaskTree::Later(absl::Duration delay, void (TaskTree::*what)()) {
  if (delay == absl::InfiniteDuration()) return;
  queue_->After(delay, [tree = weak_from_this(), what] {
    if (const auto self = tree.lock()) (self.get()->*what)();
  });
}

void TaskTree::Start() {
  start_time_ = last_activity_ = queue_->now();
  if (script_.stderr_lines > 0) {
    Later(script_.interval_min, &TaskTree::WriteStderr);
  }
  if (script_.tokens > 0) {
    Later(script_.first_token, &TaskTree::WriteToken);
  } else {
    Later(script_.end_after, &TaskTree::EndByScript);
  }
}

void TaskTree::Write(TaskOutput output) {
  const bool is_stdout = output.kind == TaskOutput::Kind::kStdout;
  const bool is_stderr = output.kind == TaskOutput::Kind::kStderr;
  if (is_stdout) stdout_bytes_ += output.bytes;
  if (is_stderr) stderr_bytes_ += output.bytes;
  if ((is_stdout && supervision_.stdout_is_activity) ||
      (is_stderr && supervision_.stderr_is_activity)) {
    last_activity_ = queue_->now();
  }
  unread_.push_back(output);
  if (output_written_ != nullptr) output_written_();
}

void TaskTree::WriteStderr() {
  if (!Executing()) return;
  Write({TaskOutput::Kind::kStderr, random_->Int(1, 100), 0});
  if (++stderr_lines_ < script_.stderr_lines) {
    Later(script_.interval_min, &TaskTree::WriteStderr);
  }
}

void TaskTree::WriteToken() {
  if (!Executing()) return;
  ++tokens_;
  Write({TaskOutput::Kind::kStdout, random_->Int(1, 4096), 0});
  if (script_.says_ready && !ready_) {
    ready_ = true;
    Write({TaskOutput::Kind::kReady, 0, 0});
  }
  if (script_.progresses) Write({TaskOutput::Kind::kProgress, 0, tokens_});
  if (tokens_ < script_.tokens) {
    Later(random_->Between(script_.interval_min, script_.interval_max),
          &TaskTree::WriteToken);
  } else {
    Later(script_.end_after, &TaskTree::EndByScript);
  }
}

void TaskTree::EndByScript() {
  if (!Executing()) return;
  switch (script_.end) {
    case TaskScript::End::kExit:
      exited_.status = script_.status;
      break;
    case TaskScript::End::kSignal:
      exited_.signum = script_.status;
      break;
    case TaskScript::End::kHang:
      return;
  }
  ended_by_itself_ = true;
  Die(0);
}

void TaskTree::Terminate() {
  if (!Executing() || terminating_) return;
  terminating_ = true;
  if (script_.on_term == TaskScript::OnTerm::kIgnore) return;
  Later(script_.term_delay, &TaskTree::EndByTerm);
}

void TaskTree::EndByTerm() {
  if (!Executing()) return;
  if (script_.on_term == TaskScript::OnTerm::kExitZero) {
    exited_.status = 0;
  } else {
    exited_.signum = SIGTERM;
  }
  Die(0);
}

void TaskTree::Kill(size_t index) {
  Process& process = processes_[index];
  if (process.killed || process.dead) return;
  process.killed = true;
  if (index == 0) exited_.signum = SIGKILL;
  const bool last = index + 1 == processes_.size();
  const absl::Duration delay = last ? script_.death_delay : kQuickDeath;
  if (delay == absl::InfiniteDuration()) return;
  queue_->After(delay, [tree = weak_from_this(), index] {
    if (const auto self = tree.lock()) self->Die(index);
  });
}

void TaskTree::Die(size_t index) {
  if (processes_[index].dead) return;
  processes_[index].dead = true;
  if (children_changed_ != nullptr) children_changed_();
}

void TaskTree::KillChildren() {
  for (size_t i = 0; i < processes_.size(); ++i) {
    if (processes_[i].dead) continue;
    Kill(i);
    return;
  }
}

slot::TreeReport TaskTree::Reap() {
  slot::TreeReport report;
  for (size_t i = 0; i < processes_.size() && processes_[i].dead; ++i) {
    if (processes_[i].reaped) continue;
    processes_[i].reaped = true;
    if (i == 0) {
      report.exited = exited_;
    } else {
      ++leftovers_killed_;
    }
  }
  report.empty = processes_.back().reaped;
  report.leftovers_killed = leftovers_killed_;
  report.max_rss_bytes = 1 << 20;
  return report;
}

void TaskTree::Sweep(std::function<void()> gone) {
  const auto step = [this, gone = std::move(gone)]() {
    KillChildren();
    if (!Reap().empty) return;
    // `gone` may let go of this tree, and of the closure it lives in.
    const auto keep = shared_from_this();
    const std::function<void()> call = gone;
    children_changed_ = nullptr;
    call();
  };
  children_changed_ = step;
  queue_->After(absl::ZeroDuration(), [tree = shared_from_this()] {
    if (tree->children_changed_ != nullptr) {
      const std::function<void()> call = tree->children_changed_;
      call();
    }
  });
}

std::deque<TaskOutput> TaskTree::Read() { return std::exchange(unread_, {}); }

bool TaskTree::exists() const { return !processes_.back().dead; }

bool TaskTree::runnable() const {
  for (const Process& process : processes_) {
    if (!process.dead && !process.killed) return true;
  }
  return false;
}

}  // namespace vigil::sim
