// The tasks' side: what slots say, and what tasks write.
#include <algorithm>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "worker/loop/limits.h"
#include "worker/loop/worker_loop.h"

namespace vigil::worker {
namespace {

// What could not be started, as the subject of "...: No such file".
std::string Subject(const slot::SpawnFailed& failed) {
  switch (failed.stage) {
    case slot::SpawnStage::kRequest:
    case slot::SpawnStage::kLease:
      return failed.what;
    case slot::SpawnStage::kLookup:
      return absl::StrCat("program \"", failed.what, "\", looked up in PATH");
    case slot::SpawnStage::kWorkingDirectory:
      return absl::StrCat("working directory \"", failed.what, "\"");
    case slot::SpawnStage::kFork:
      return "new process";
    case slot::SpawnStage::kSetup:
      return absl::StrCat("set-up of the process for \"", failed.what, "\"");
    case slot::SpawnStage::kExec:
      return absl::StrCat("program \"", failed.what, "\"");
    case slot::SpawnStage::kInterpreter:
      return absl::StrCat("interpreter that \"", failed.what, "\" names");
  }
  return failed.what;
}

TreeReport ToReport(const slot::TreeEmpty& empty) {
  TreeReport report;
  report.leftovers_killed = empty.leftovers_killed;
  report.killed = empty.killed;
  report.lease_expired = empty.lease_expired;
  report.unconfirmed = empty.unconfirmed;
  report.user_time = empty.user_time;
  report.system_time = empty.system_time;
  report.max_rss_bytes = empty.max_rss_bytes;
  return report;
}

}  // namespace

void WorkerLoop::SlotSaid(int slot, const slot::Event& event) {
  core_->SlotHeard(slot, now_);
  Task* task = TaskIn(slot);
  if (std::holds_alternative<slot::Ready>(event)) {
    // Before any task: without a lease a slot has no limit.
    slots_.Lease(slot, clock_.ToBoottime(core_->lease()));
    core_->SlotReady(slot, now_, &effects_);
  } else if (const auto* spawned = std::get_if<slot::Spawned>(&event)) {
    core_->Spawned(slot, now_, &effects_);
    if (task == nullptr) return;
    task->Started(spawned->pid, now_);
    // Not before: the core counts output from here on.
    const absl::Status watched = WatchOutput(task);
    if (watched.ok()) return;
    Log(LogSeverity::kError, watched.ToString());
    slots_.Kill(slot);
  } else if (const auto* failed = std::get_if<slot::SpawnFailed>(&event)) {
    if (task != nullptr && failed->stage == slot::SpawnStage::kLease) {
      task->Refuse(Failure{Reason::kWorkerLost,
                           "lost its lease before the task was started", ""});
    }
    core_->SpawnFailed(slot, failed->error, Subject(*failed), now_, &effects_);
  } else if (const auto* exited = std::get_if<slot::Exited>(&event)) {
    Exit exit;
    exit.status = exited->status;
    exit.signal = exited->signum;
    core_->Exited(slot, std::move(exit), now_, &effects_);
  } else if (const auto* empty = std::get_if<slot::TreeEmpty>(&event)) {
    core_->TreeEmpty(slot, ToReport(*empty), now_, &effects_);
  }
}

void WorkerLoop::SlotGone(int slot) { core_->SlotLost(slot, now_, &effects_); }

Task* WorkerLoop::TaskIn(int slot) {
  return slot < static_cast<int>(running_.size())
             ? running_[static_cast<size_t>(slot)]
             : nullptr;
}

void WorkerLoop::ReadOutput(Task* task, OutputStream stream, size_t bytes_max) {
  size_t bytes_read = 0;
  while (bytes_read < bytes_max) {
    const Task::ReadResult result =
        task->Read(stream, [&](absl::string_view bytes) {
          bytes_read += bytes.size();
          TookOutput(task, stream, bytes);
        });
    switch (result) {
      case Task::ReadResult::kBytes:
        break;
      case Task::ReadResult::kEmpty:
        return;
      case Task::ReadResult::kEnd:
        CloseOutput(task, stream);
        return;
    }
  }
}

void WorkerLoop::TookOutput(Task* task, OutputStream stream,
                            absl::string_view bytes) {
  outbox_.AddOutput(task->id(), stream, bytes);
  core_->Output(task->slot, stream == OutputStream::kStderr,
                static_cast<int64_t>(bytes.size()), now_, &effects_);
  task->TakeOutput(stream, bytes, now_, [&](absl::string_view line) {
    if (!task->ready && task->patterns().IsReady(line)) {
      task->ready = true;
      core_->Ready(task->slot, now_, &effects_);
    }
    if (std::optional<Progress> progress = task->patterns().ProgressIn(line)) {
      core_->ProgressRead(task->slot, *std::move(progress), now_, &effects_);
    }
  });
}

void WorkerLoop::PauseIfFull(Task* task) {
  if (task->paused ||
      outbox_.HeldBytes(task->id()) < kUnacknowledgedOutputBytesMax) {
    return;
  }
  task->paused = true;
  UnwatchOutput(task);
  core_->ReadingPaused(task->slot, now_);
}

void WorkerLoop::ResumeIfTaken(const AttemptId& attempt) {
  const auto it = tasks_.find(attempt);
  if (it == tasks_.end() || !it->second->paused ||
      outbox_.HeldBytes(attempt) > kUnacknowledgedOutputBytesMax / 2) {
    return;
  }
  Task* task = it->second.get();
  const absl::Status watched = WatchOutput(task);
  if (!watched.ok()) {
    // It is tried again at the next acknowledgement.
    Log(LogSeverity::kError, watched.ToString());
    return;
  }
  task->paused = false;
  core_->ReadingResumed(task->slot, now_);
}

absl::Status WorkerLoop::WatchOutput(Task* task) {
  const UniqueFd& out = *task->fd(OutputStream::kStdout);
  const UniqueFd& err = *task->fd(OutputStream::kStderr);
  if (out.valid()) {
    absl::Status status =
        poller_.Add(out.get(), Poller::Kind::kStdout, task->slot);
    if (!status.ok()) return status;
  }
  if (err.valid()) {
    absl::Status status =
        poller_.Add(err.get(), Poller::Kind::kStderr, task->slot);
    if (!status.ok()) {
      if (out.valid()) poller_.Remove(out.get());
      return status;
    }
  }
  task->watched = true;
  return absl::OkStatus();
}

void WorkerLoop::UnwatchOutput(Task* task) {
  if (!task->watched) return;
  task->watched = false;
  for (OutputStream stream : {OutputStream::kStdout, OutputStream::kStderr}) {
    if (task->fd(stream)->valid()) poller_.Remove(task->fd(stream)->get());
  }
}

void WorkerLoop::CloseOutput(Task* task, OutputStream stream) {
  UniqueFd* fd = task->fd(stream);
  if (!fd->valid()) return;
  if (task->watched) poller_.Remove(fd->get());
  fd->Reset();
}

}  // namespace vigil::worker
