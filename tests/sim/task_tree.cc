#include "tests/sim/task_tree.h"

#include <signal.h>

#include <algorithm>
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
      script_(script),
      supervision_(std::move(supervision)),
      run_(std::make_shared<TaskRun>()),
      processes_(static_cast<size_t>(1 + script.descendants)) {
  run_->attempt = std::move(attempt);
  run_->script = script;
}

void TaskTree::Later(absl::Duration delay, std::function<void()> what) {
  if (delay == absl::InfiniteDuration()) return;
  queue_->After(delay, [tree = weak_from_this(), what = std::move(what)] {
    const auto self = tree.lock();
    if (self != nullptr && self->Executing()) what();
  });
}

void TaskTree::Begin(std::shared_ptr<TaskRun> run) {
  run->start_time = run->last_activity = run->chunk_begin = queue_->now();
  if (began_ != nullptr) began_(std::move(run));
}

void TaskTree::Start() {
  Begin(run_);
  if (script_.stderr_lines > 0) {
    Later(script_.interval_min, [this] { WriteStderr(); });
  }
  if (script_.tokens > 0) {
    Later(script_.first_token, [this] { WriteToken(); });
  } else {
    Later(script_.end_after, [this] { EndByScript(); });
  }
}

void TaskTree::Written() {
  if (output_written_ != nullptr) output_written_();
}

void TaskTree::Write(TaskOutput output) {
  const bool is_stdout = output.kind == TaskOutput::Kind::kStdout;
  const bool is_stderr = output.kind == TaskOutput::Kind::kStderr;
  if (is_stdout) run_->stdout_bytes += output.bytes;
  if (is_stderr) run_->stderr_bytes += output.bytes;
  if ((is_stdout && supervision_.stdout_is_activity) ||
      (is_stderr && supervision_.stderr_is_activity)) {
    run_->last_activity = queue_->now();
  }
  unread_.push_back(output);
  Written();
}

void TaskTree::WriteStderr() {
  Write({TaskOutput::Kind::kStderr, random_->Int(1, 100), 0});
  if (++stderr_lines_ < script_.stderr_lines) {
    Later(script_.interval_min, [this] { WriteStderr(); });
  }
}

void TaskTree::WriteToken() {
  ++tokens_;
  const absl::Time now = queue_->now();
  // The first chunk begins when it is ACTIVE.
  if (tokens_ == 1) run_->chunk_begin = now;
  Write({TaskOutput::Kind::kStdout, random_->Int(1, 4096), 0});
  if (script_.says_ready && !run_->ready) {
    run_->ready = true;
    run_->chunk_begin = now;
    Write({TaskOutput::Kind::kReady, 0, 0});
  }
  if (script_.progresses) {
    const int64_t total = script_.says_total ? script_.tokens : 0;
    if (run_->ready || !supervision_.waits_for_ready) {
      run_->EndChunk(tokens_, total, now);
    }
    Write({TaskOutput::Kind::kProgress, 0, tokens_, total});
  }
  if (tokens_ < script_.tokens) {
    Later(random_->Between(script_.interval_min, script_.interval_max),
          [this] { WriteToken(); });
  } else {
    Later(script_.end_after, [this] { EndByScript(); });
  }
}

void TaskTree::EndByScript() {
  switch (script_.end) {
    case TaskScript::End::kExit:
      run_->ended_by_itself = true;
      run_->succeeded = script_.status == 0;
      Exit(script_.status);
      return;
    case TaskScript::End::kSignal:
      run_->ended_by_itself = true;
      EndBySignal(script_.status);
      return;
    case TaskScript::End::kHang:
      return;
  }
}

void TaskTree::Exit(int status) {
  exited_.status = status;
  ended_by_itself_ = true;
  Die(0);
}

void TaskTree::EndBySignal(int signum) {
  exited_.signum = signum;
  ended_by_itself_ = true;
  Die(0);
}

void TaskTree::Terminate() {
  if (!Executing() || terminating_) return;
  terminating_ = true;
  if (script_.on_term == TaskScript::OnTerm::kIgnore) return;
  Later(script_.term_delay, [this] { EndByTerm(); });
}

void TaskTree::EndByTerm() {
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
  if (index == 0) Ended();
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

int TaskTree::others() const {
  return static_cast<int>(
      std::count_if(processes_.begin() + 1, processes_.end(),
                    [](const Process& process) { return !process.dead; }));
}

bool TaskTree::runnable() const {
  for (const Process& process : processes_) {
    if (!process.dead && !process.killed) return true;
  }
  return false;
}

}  // namespace vigil::sim
