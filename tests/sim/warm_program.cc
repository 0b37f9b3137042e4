#include "tests/sim/warm_program.h"

#include <utility>

#include "base/reason.h"

namespace vigil::sim {

using worker::FrameKind;

ProgramScript RandomProgram(const TaskType& type, Random* random) {
  ProgramScript program;
  const double load = random->Fraction();
  program.load = load < 0.90   ? ProgramScript::Load::kLoads
                 : load < 0.94 ? ProgramScript::Load::kExits
                 : load < 0.96 ? ProgramScript::Load::kExitsZero
                 : load < 0.98 ? ProgramScript::Load::kHangs
                               : ProgramScript::Load::kSpeaksEarly;
  if (type.brittle && random->Chance(0.7)) {
    program.load = ProgramScript::Load::kExits;
  }
  program.load_time =
      random->Chance(0.7)
          ? random->Between(absl::Microseconds(100), absl::Milliseconds(50))
          : random->Between(absl::ZeroDuration(), absl::Seconds(10));
  const double reset = random->Fraction();
  program.reset = reset < 0.94   ? ProgramScript::Reset::kAnswers
                  : reset < 0.97 ? ProgramScript::Reset::kExits
                                 : ProgramScript::Reset::kHangs;
  program.reset_time =
      random->Between(absl::ZeroDuration(), absl::Milliseconds(20));
  program.exits_when_idle = random->Chance(0.1);
  program.ignores_end = random->Chance(0.1);
  program.end_time =
      random->Chance(0.9)
          ? random->Between(absl::ZeroDuration(), absl::Milliseconds(5))
          : random->Between(absl::ZeroDuration(), absl::Seconds(4));
  program.rss_bytes_per_job = random->Int(0, 40);
  return program;
}

WarmProgram::WarmProgram(EventQueue* queue, Random* random, TaskScript process,
                         ProgramScript program, ScriptFor script_for)
    : TaskTree(queue, random, AttemptId(), process, Supervision()),
      program_(program),
      script_for_(std::move(script_for)),
      channel_(std::make_unique<Lane<std::function<void()>>>(
          queue, [] { return absl::InfinitePast(); },
          [](std::function<void()> arrive) { arrive(); })) {}

absl::Duration WarmProgram::Crossing() {
  return random_->Between(absl::Microseconds(5), absl::Microseconds(500));
}

void WarmProgram::Start() {
  for (int line = 1; line <= script_.stderr_lines; ++line) {
    Later(line * script_.interval_min, [this] {
      if (!loaded_) Write({TaskOutput::Kind::kStderr, 10, 0});
    });
  }
  Later(program_.load_time, [this] { Loaded(); });
}

void WarmProgram::Loaded() {
  switch (program_.load) {
    case ProgramScript::Load::kLoads:
      loaded_ = true;
      Say({FrameKind::kHello});
      Next();
      return;
    case ProgramScript::Load::kExits:
      Exit(3);
      return;
    case ProgramScript::Load::kExitsZero:
      Exit(0);
      return;
    case ProgramScript::Load::kHangs:
      return;
    case ProgramScript::Load::kSpeaksEarly:
      Say({FrameKind::kStarted, AttemptId{JobId("unknown"), 1}});
      return;
  }
}

void WarmProgram::SendStart(const AttemptId& attempt) {
  channel_->Send(
      [tree = weak_from_this(), this, attempt] {
        if (tree.lock() != nullptr) Take(attempt);
      },
      Crossing());
}

void WarmProgram::SendStop(const AttemptId& attempt) {
  channel_->Send(
      [tree = weak_from_this(), this, attempt] {
        if (tree.lock() != nullptr) Stop(attempt);
      },
      Crossing());
}

void WarmProgram::SendReset() {
  channel_->Send(
      [tree = weak_from_this(), this] {
        if (tree.lock() != nullptr) Reset();
      },
      Crossing());
}

void WarmProgram::EndChannel() {
  channel_->Send(
      [tree = weak_from_this(), this] {
        if (tree.lock() == nullptr) return;
        ending_ = true;
        Next();
      },
      Crossing());
}

void WarmProgram::Take(const AttemptId& attempt) {
  waiting_.push_back(attempt);
  Next();
}

void WarmProgram::Next() {
  if (!Executing() || !loaded_ || run_ != nullptr || turning_) return;
  if (channel_closed_) return;
  if (!waiting_.empty()) {
    turning_ = true;
    Later(Crossing(), [this] { BeginNext(); });
  } else if (ending_ && !program_.ignores_end) {
    turning_ = true;
    Later(program_.end_time, [this] { Exit(0); });
  }
}

void WarmProgram::BeginNext() {
  turning_ = false;
  run_ = std::make_shared<TaskRun>();
  run_->attempt = std::move(waiting_.front());
  waiting_.pop_front();
  run_->script = script_for_(run_->attempt);
  run_->warm = true;
  frames_ = 0;
  Begin(run_);
  SayOfRun(FrameKind::kStarted);
  if (run_->script.tokens > 0) {
    LaterInRun(run_->script.first_token, &WarmProgram::Work);
  } else {
    LaterInRun(run_->script.end_after, &WarmProgram::EndAttempt);
  }
}

void WarmProgram::LaterInRun(absl::Duration delay,
                             void (WarmProgram::*what)()) {
  Later(delay, [this, run = run_, what] {
    if (run_ == run) (this->*what)();
  });
}

void WarmProgram::Work() {
  const TaskScript& script = run_->script;
  ++frames_;
  const double kind = random_->Fraction();
  if (kind < 0.6) {
    SayOfRun(FrameKind::kToken, random_->Int(1, 4096));
  } else if (kind < 0.8) {
    SayOfRun(FrameKind::kHeartbeat);
  } else {
    SayOfRun(FrameKind::kCheckpoint);
  }
  if (script.progresses) {
    const int64_t total = script.says_total ? script.tokens : 0;
    run_->EndChunk(frames_, total, queue_->now());
    SayOfRun(FrameKind::kProgress, 0, frames_, total);
  }
  if (frames_ < script.tokens) {
    LaterInRun(random_->Between(script.interval_min, script.interval_max),
               &WarmProgram::Work);
  } else {
    LaterInRun(script.end_after, &WarmProgram::EndAttempt);
  }
}

void WarmProgram::EndAttempt() {
  const TaskScript& script = run_->script;
  switch (script.twist) {
    case TaskScript::Twist::kExitZero:
      run_->ended_by_itself = true;
      Exit(0);
      return;
    case TaskScript::Twist::kClosesChannel:
      CloseChannel();
      return;
    case TaskScript::Twist::kOtherAttempt:
      Say({FrameKind::kHeartbeat, AttemptId{JobId("unknown"), 1}});
      break;
    case TaskScript::Twist::kNone:
    case TaskScript::Twist::kExitsAfter:
    case TaskScript::Twist::kSecondResult:
      break;
  }
  switch (script.end) {
    case TaskScript::End::kExit:
      if (script.status == 0 || script.says_error) {
        Finish(script.status == 0);
        return;
      }
      run_->ended_by_itself = true;
      Exit(script.status);
      return;
    case TaskScript::End::kSignal:
      run_->ended_by_itself = true;
      EndBySignal(script.status);
      return;
    case TaskScript::End::kHang:
      return;
  }
}

void WarmProgram::Finish(bool success) {
  const std::shared_ptr<TaskRun> run = run_;
  Frame frame;
  frame.kind = success ? FrameKind::kResult : FrameKind::kError;
  frame.attempt = run->attempt;
  if (!success) {
    frame.outcome.failure = Failure{Reason::kTaskError, "no luck", ""};
    frame.outcome.retryable = random_->Chance(0.5);
    if (random_->Chance(0.3)) {
      frame.outcome.next_retry_delay =
          random_->Between(absl::ZeroDuration(), absl::Seconds(5));
    }
  }
  Say(frame);
  run->over = true;
  run->ended_by_itself = true;
  run->succeeded = success;
  run_ = nullptr;
  rss_bytes_ += program_.rss_bytes_per_job;
  if (run->script.leaves_child) AddDescendant();
  if (run->script.twist == TaskScript::Twist::kSecondResult) Say(frame);
  if (run->script.twist == TaskScript::Twist::kExitsAfter) {
    Exit(0);
    return;
  }
  if (program_.exits_when_idle) {
    Later(random_->Between(absl::ZeroDuration(), absl::Seconds(2)), [this] {
      if (run_ == nullptr) Exit(4);
    });
  }
  Next();
}

void WarmProgram::Stop(const AttemptId& attempt) {
  if (!Executing() || channel_closed_) return;
  if (run_ == nullptr || run_->attempt != attempt) return;
  const TaskScript& script = run_->script;
  if (script.on_term == TaskScript::OnTerm::kIgnore) return;
  Later(script.term_delay, [this, run = run_] {
    if (run_ == run) {
      Finish(run->script.on_term == TaskScript::OnTerm::kExitZero);
    }
  });
}

void WarmProgram::Reset() {
  if (!Executing()) return;
  Later(program_.reset_time, [this] {
    switch (program_.reset) {
      case ProgramScript::Reset::kAnswers:
        Say({FrameKind::kResetDone});
        return;
      case ProgramScript::Reset::kExits:
        Exit(5);
        return;
      case ProgramScript::Reset::kHangs:
        return;
    }
  });
}

void WarmProgram::SayOfRun(FrameKind kind, int64_t bytes, int64_t done,
                           int64_t total) {
  if (!channel_closed_) {
    run_->stdout_bytes += bytes;
    run_->last_activity = queue_->now();
  }
  Say({kind, run_->attempt, bytes, done, total});
}

void WarmProgram::Say(Frame frame) {
  if (channel_closed_) return;
  said_.push_back(std::move(frame));
  Written();
}

void WarmProgram::CloseChannel() {
  channel_closed_ = true;
  Written();
}

void WarmProgram::Ended() {
  // What it left behind holds the channel open.
  if (others() == 0) CloseChannel();
}

bool WarmProgram::NextFrame(Frame* frame) {
  if (said_.empty()) return false;
  *frame = std::move(said_.front());
  said_.pop_front();
  return true;
}

}  // namespace vigil::sim
