// Effects: what the core wants done, done.
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "worker/loop/exhaustion.h"
#include "worker/loop/limits.h"
#include "worker/loop/sequential_report.h"
#include "worker/loop/start_frame.h"
#include "worker/loop/task_plan.h"
#include "worker/loop/task_tree.h"
#include "worker/loop/tree_snapshot.h"
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
  TakeEvidence(effect.slot);
  slots_.Kill(effect.slot);
}

void WorkerLoop::Perform(const SpawnTask& effect) {
  Task* task = FindTask(effect.attempt);
  VIGIL_CHECK(task != nullptr, effect.attempt.job_id.value());
  task->slot = effect.slot;
  if (effect.slot >= static_cast<int>(processes_.size())) {
    processes_.resize(static_cast<size_t>(effect.slot) + 1);
  }
  processes_[static_cast<size_t>(effect.slot)] = nullptr;
  std::string cache_path;
  const absl::Status spawned =
      task->refusal().has_value()
          ? absl::InvalidArgumentError(task->refusal()->message)
          : Spawn(task, effect, &cache_path);
  if (spawned.ok()) return;
  DiscardCache(cache_path);
  core_->SpawnFailed(effect.slot, ErrnoOf(spawned),
                     std::string(spawned.message()), now_, &effects_);
}

TaskPlanOptions WorkerLoop::PlanFor(const Task& task, SpawnPurpose purpose) {
  TaskPlanOptions plan;
  plan.allow_commands = options_.allow_commands;
  plan.worker_id = options_.worker_id;
  plan.slot = task.slot;
  plan.purpose = purpose;
  plan.processors =
      std::max(1, options_.processors / std::max(1, core_->slots()));
  plan.python_dir = options_.python_dir;
  plan.default_directory =
      absl::StrCat(options_.data_dir, "/work/slot-", task.slot);
  plan.on_nested_pool = task.supervision().nesting.action;
  if (plan.on_nested_pool == OnNestedPool::kSequential) {
    plan.report_path = absl::StrCat(plan.default_directory, ".report");
    // That of the task before; nobody may have put something else there.
    unlink(plan.report_path.c_str());
  }
  return plan;
}

absl::Status WorkerLoop::Spawn(Task* task, const SpawnTask& effect,
                               std::string* cache_path) {
  const SpawnPurpose purpose = effect.purpose;
  TaskPlanOptions plan = PlanFor(*task, purpose);
  const v1::TaskType* type =
      task->type() == nullptr ? nullptr : &task->type()->type;
  if (purpose == SpawnPurpose::kWarmUp) {
    absl::StatusOr<std::string> path = cache_.Begin(type->name());
    if (!path.ok()) return path.status();
    *cache_path = *path;
    plan.cache_path = *std::move(path);
  } else if (type != nullptr && type->has_warm_up() &&
             core_->cache(task->type()->rules) == CacheState::kReady) {
    plan.cache_path = cache_.DataPath(type->name());
  }
  absl::StatusOr<slot::TaskCommand> command =
      PlanTask(task->assignment(), type, plan);
  if (!command.ok()) return command.status();
  if (command->working_directory == plan.default_directory ||
      !plan.report_path.empty()) {
    absl::Status made = MakeDirectory(plan.default_directory);
    if (absl::IsNotFound(made)) {
      made = MakeDirectory(absl::StrCat(options_.data_dir, "/work"));
      if (made.ok()) made = MakeDirectory(plan.default_directory);
    }
    if (!made.ok()) return made;
  }
  const bool frames = task->warm() && purpose == SpawnPurpose::kRun;
  std::optional<std::string> input;
  if (!frames && purpose == SpawnPurpose::kRun &&
      task->assignment().spec().has_input()) {
    input = task->assignment().spec().input();
  }
  absl::StatusOr<slot::TaskStdio> stdio =
      command->pty ? slot::MakeTerminal(input) : slot::MakePipes(input);
  if (!stdio.ok()) return stdio.status();
  if (frames) {
    absl::Status added = slot::AddChannel(*stdio);
    if (!added.ok()) return added;
  }
  command->nesting = task->supervision().nesting;
  command->brief = effect.brief;
  absl::Status spawned =
      slots_.Spawn(task->slot, *command, std::move(stdio->task));
  if (!spawned.ok()) return spawned;
  auto process = std::make_unique<TaskProcess>(
      task->slot, task->type(), purpose, std::move(stdio->worker), command->pty,
      plan.report_path);
  process->cache_path = *cache_path;
  if (!frames && purpose == SpawnPurpose::kRun) task->DropInput();
  if (frames) SendFrame(process.get(), HelloFrame());
  processes_[static_cast<size_t>(task->slot)] = std::move(process);
  return absl::OkStatus();
}

void WorkerLoop::Perform(const SendStart& effect) {
  Task* task = FindTask(effect.attempt);
  VIGIL_CHECK(task != nullptr, effect.attempt.job_id.value());
  task->slot = effect.slot;
  SendFrame(ProcessIn(effect.slot), StartFrame(task->assignment()));
}

void WorkerLoop::Perform(const SendReset& effect) {
  SendFrame(ProcessIn(effect.slot), ResetFrame());
}

void WorkerLoop::Perform(const EndTask& effect) {
  TaskProcess* process = ProcessIn(effect.slot);
  process->channel->End();
  FlushChannel(process);
}

void WorkerLoop::Perform(const InspectTask& effect) {
  // What its slot said of it before it handed its result in counts: a process
  // that it was refused, say.
  while (slots_.HandleSocket(effect.slot)) {
  }
  TaskProcess* process = ProcessIn(effect.slot);
  if (process == nullptr) return;
  // What it wrote before its result is its own.
  ReadOutput(process, OutputStream::kStdout, kReadBytesPerTurnMax);
  ReadOutput(process, OutputStream::kStderr, kReadBytesPerTurnMax);
  const int others = effect.look_for_others
                         ? OthersInTree(slots_.pid(effect.slot), process->pid())
                         : 0;
  const int64_t rss_bytes = process->type()->rules->recycle_rss_bytes > 0
                                ? RssBytesOf(process->pid())
                                : 0;
  ReadSequentialPools(process);
  // Where /proc does not say, nobody knows: as if there were one.
  core_->Inspected(effect.slot, std::abs(others), rss_bytes, now_, &effects_);
  TakeFrames(process);
}

void WorkerLoop::ReadSequentialPools(TaskProcess* process) {
  const std::vector<NestedCall> pools = process->sequential_report().ReadNew();
  if (!pools.empty()) core_->SequentialPoolsSeen(process->slot(), pools);
}

void WorkerLoop::Perform(const FinishCache& effect) {
  TaskProcess* process = ProcessIn(effect.slot);
  const std::string path = process->cache_path;
  const TaskTypePtr type = process->type();
  auto published = std::make_shared<absl::Status>();
  background_.Run(
      [this, type, path, succeeded = effect.succeeded, published] {
        if (succeeded) *published = cache_.Publish(type->type, path);
        if (!succeeded || !published->ok()) cache_.Discard(path);
      },
      [this, slot = effect.slot, published] {
        core_->CacheReady(
            slot,
            published->ok()
                ? ""
                : absl::StrCat("its cache could not be put in its place: ",
                               published->message()),
            now_, &effects_);
      });
}

void WorkerLoop::Perform(const CheckOutput& effect) {
  TaskProcess* process = ProcessIn(effect.slot);
  if (process != nullptr && !process->paused) {
    ReadOutput(process, OutputStream::kStdout, kReadBytesPerTurnMax);
    ReadOutput(process, OutputStream::kStderr, kReadBytesPerTurnMax);
    ReadChannel(process, kReadBytesPerTurnMax);
    PauseIfFull(process);
  }
  core_->OutputChecked(effect.slot, now_, &effects_);
}

void WorkerLoop::TakeEvidence(int slot) {
  if (TaskProcess* process = ProcessIn(slot)) {
    process->TakeEvidence(slots_.pid(slot));
  }
}

void WorkerLoop::Perform(const DumpStack& effect) {
  TakeEvidence(effect.slot);
  TaskProcess* process = ProcessIn(effect.slot);
  process->BeginStackDump();
  // One without a handler would end of it.
  if (HandlesSignal(process->pid(), effect.signum)) {
    slots_.SendSignal(effect.slot, effect.signum, slot::SignalScope::kProcess);
  }
}

void WorkerLoop::Perform(const CheckMemory& effect) {
  const Task* task = TaskIn(effect.slot);
  if (task == nullptr) return;
  const absl::Duration begin = BoottimeNow();
  const int64_t rss_bytes =
      MemoryOfTree(slots_.pid(effect.slot), task->supervision().max_rss_bytes);
  core_->MemorySeen(effect.slot, rss_bytes, BoottimeNow() - begin, now_,
                    &effects_);
}

void WorkerLoop::Perform(const SoftStop& effect) {
  TaskProcess* process = ProcessIn(effect.slot);
  TakeEvidence(effect.slot);
  Task* task = TaskIn(effect.slot);
  if (effect.by_frame && task != nullptr) {
    SendFrame(process,
              StopFrame(task->assignment(),
                        static_cast<v1::Failure::Reason>(effect.cause)));
    return;
  }
  if (process->channel.has_value()) {
    process->channel->End();
    FlushChannel(process);
  }
  slots_.SendSignal(effect.slot, SIGTERM, slot::SignalScope::kGroup);
  // One that is stopped has its grace too.
  slots_.SendSignal(effect.slot, SIGCONT, slot::SignalScope::kGroup);
}

void WorkerLoop::Perform(const KillTree& effect) {
  TakeEvidence(effect.slot);
  slots_.KillTree(effect.slot);
}

void WorkerLoop::Perform(const CollectOutput& effect) {
  EndFindings findings;
  if (TaskProcess* process = ProcessIn(effect.slot)) {
    // The frames first: what they say is said of attempts that are still here.
    ReadChannel(process, kCollectBytesMax);
    for (OutputStream stream : {OutputStream::kStdout, OutputStream::kStderr}) {
      ReadOutput(process, stream, kCollectBytesMax);
    }
    CloseAll(process);
    if (Task* task = TaskIn(effect.slot)) {
      findings.text_reason = task->ReasonIn(process->stderr_tail());
    }
    if (effect.killed) findings.oom = oom_watch_.Judge();
    ReadSequentialPools(process);
  }
  core_->OutputCollected(effect.slot, findings, now_, &effects_);
}

void WorkerLoop::Perform(const SendUpdate& effect) {
  outbox_.AddUpdate(effect.update, now_);
}

void WorkerLoop::Perform(SendEnd effect) {
  AttemptEnd& end = effect.end;
  const auto it = tasks_.find(end.attempt);
  VIGIL_CHECK(it != tasks_.end(), end.attempt.job_id.value());
  const Task* task = it->second.get();
  // What was handed back has no process of its own, unless that ran for it
  // already.
  const bool no_process =
      end.never_started && end.last.age == absl::ZeroDuration();
  TaskProcess* process = no_process ? nullptr : ProcessIn(task->slot);
  CompleteEnd(process == nullptr ? EndFacts() : process->Facts(), &end);
  if (process != nullptr) process->ForgetAttempt();
  if (task->refusal().has_value() && end.failure.has_value()) {
    end.failure = task->refusal();
    end.retryable = false;
  }
  if (end.failure.has_value()) AddExhaustion(&*end.failure);
  end.result = task->result;
  outbox_.AddEnd(end);
  tasks_.erase(it);
}

void WorkerLoop::Perform(const UsableSlotsChanged& effect) {
  if (effect.cause.empty()) {
    Log(LogSeverity::kInfo, "uses all its slots");
  } else {
    Log(LogSeverity::kWarning,
        absl::StrCat("uses ", effect.slots, " of ", core_->slots(),
                     " slots: ", effect.cause));
  }
}

}  // namespace vigil::worker
