// Effects: what the core wants done, done.
#include <signal.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "worker/loop/limits.h"
#include "worker/loop/task_plan.h"
#include "worker/loop/worker_loop.h"
#include "worker/slot/task_stdio.h"

namespace vigil::worker {
namespace {

// As the errno that the core judges a failed start by.
int ErrnoOf(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kNotFound:
      return ENOENT;
    case absl::StatusCode::kPermissionDenied:
      return EPERM;
    case absl::StatusCode::kInvalidArgument:
      return EINVAL;
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kUnavailable:
      return EAGAIN;
    default:
      return EIO;
  }
}

absl::Status MakeDirectory(const std::string& path) {
  if (mkdir(path.c_str(), 0700) == 0 || errno == EEXIST) {
    return absl::OkStatus();
  }
  return absl::ErrnoToStatus(errno, path);
}

}  // namespace

void WorkerLoop::PerformEffects() {
  // It grows meanwhile.
  for (size_t i = 0; i < effects_.size(); ++i) {
    Effect effect = std::move(effects_[i]);
    std::visit([this](auto& one) { Perform(std::move(one)); }, effect);
  }
  effects_.clear();
}

void WorkerLoop::Perform(const StartSlot& effect) { slots_.Start(effect.slot); }

void WorkerLoop::Perform(const RetireSlot& effect) {
  slots_.Retire(effect.slot);
}

void WorkerLoop::Perform(const PingSlot& effect) { slots_.Ping(effect.slot); }

void WorkerLoop::Perform(const KillSlot& effect) {
  if (Task* task = TaskIn(effect.slot)) task->TakeEvidence();
  slots_.Kill(effect.slot);
}

void WorkerLoop::Perform(const SpawnTask& effect) {
  const auto it = tasks_.find(effect.attempt);
  VIGIL_CHECK(it != tasks_.end(), effect.attempt.job_id.value());
  Task* task = it->second.get();
  task->slot = effect.slot;
  if (effect.slot >= static_cast<int>(running_.size())) {
    running_.resize(static_cast<size_t>(effect.slot) + 1, nullptr);
  }
  running_[static_cast<size_t>(effect.slot)] = task;
  const absl::Status spawned =
      task->refusal().has_value()
          ? absl::InvalidArgumentError(task->refusal()->message)
          : Spawn(task);
  if (spawned.ok()) return;
  core_->SpawnFailed(effect.slot, ErrnoOf(spawned),
                     std::string(spawned.message()), now_, &effects_);
}

absl::Status WorkerLoop::Spawn(Task* task) {
  TaskPlanOptions plan;
  plan.allow_commands = options_.allow_commands;
  plan.worker_id = options_.worker_id;
  const std::string work = absl::StrCat(options_.data_dir, "/work");
  plan.default_directory = absl::StrCat(work, "/slot-", task->slot);
  absl::StatusOr<slot::TaskCommand> command =
      PlanTask(task->assignment(), task->type(), plan);
  if (!command.ok()) return command.status();
  if (command->working_directory == plan.default_directory) {
    absl::Status made = MakeDirectory(work);
    if (made.ok()) made = MakeDirectory(plan.default_directory);
    if (!made.ok()) return made;
  }
  std::optional<std::string> input;
  if (task->assignment().spec().has_input()) {
    input = task->assignment().spec().input();
  }
  absl::StatusOr<slot::TaskStdio> stdio =
      command->pty ? slot::MakeTerminal(input) : slot::MakePipes(input);
  if (!stdio.ok()) return stdio.status();
  absl::Status spawned =
      slots_.Spawn(task->slot, *command, std::move(stdio->task));
  if (!spawned.ok()) return spawned;
  task->Starting(std::move(stdio->worker.stdout_fd),
                 std::move(stdio->worker.stderr_fd), command->pty);
  return absl::OkStatus();
}

void WorkerLoop::Perform(const CheckOutput& effect) {
  if (Task* task = TaskIn(effect.slot); task != nullptr && !task->paused) {
    ReadOutput(task, OutputStream::kStdout, kReadBytesPerTurnMax);
    ReadOutput(task, OutputStream::kStderr, kReadBytesPerTurnMax);
    PauseIfFull(task);
  }
  core_->OutputChecked(effect.slot, now_, &effects_);
}

void WorkerLoop::Perform(const SoftStop& effect) {
  if (Task* task = TaskIn(effect.slot)) task->TakeEvidence();
  slots_.SendSignal(effect.slot, SIGTERM);
}

void WorkerLoop::Perform(const KillTree& effect) {
  if (Task* task = TaskIn(effect.slot)) task->TakeEvidence();
  slots_.KillTree(effect.slot);
}

void WorkerLoop::Perform(const CollectOutput& effect) {
  std::optional<Reason> text_reason;
  if (Task* task = TaskIn(effect.slot)) {
    for (OutputStream stream : {OutputStream::kStdout, OutputStream::kStderr}) {
      ReadOutput(task, stream, kCollectBytesMax);
      CloseOutput(task, stream);
    }
    const auto reasons = reasons_.find(task->assignment().spec().task_type());
    text_reason = reasons == reasons_.end()
                      ? ReasonPatterns().Find(task->stderr_tail())
                      : reasons->second.Find(task->stderr_tail());
  }
  core_->OutputCollected(effect.slot, text_reason, now_, &effects_);
}

void WorkerLoop::Perform(const SendUpdate& effect) {
  outbox_.AddUpdate(effect.update, now_);
}

void WorkerLoop::Perform(SendEnd effect) {
  AttemptEnd& end = effect.end;
  const auto it = tasks_.find(end.attempt);
  VIGIL_CHECK(it != tasks_.end(), end.attempt.job_id.value());
  Task* task = it->second.get();
  CompleteEnd(task->Facts(), &end);
  if (task->refusal().has_value() && end.failure.has_value()) {
    end.failure = task->refusal();
    end.retryable = false;
  }
  outbox_.AddEnd(end);
  std::replace(running_.begin(), running_.end(), task,
               static_cast<Task*>(nullptr));
  tasks_.erase(it);
}

}  // namespace vigil::worker
