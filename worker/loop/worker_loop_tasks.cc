// The tasks' side: what slots say, and what tasks write.
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "worker/loop/limits.h"
#include "worker/loop/slot_words.h"
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

}  // namespace

void WorkerLoop::SlotSaid(int slot, const slot::Event& event) {
  core_->SlotHeard(slot, now_);
  if (const auto* ready = std::get_if<slot::Ready>(&event)) {
    LearnFilter(ready->filter_problem);
    // Before any task: without a lease a slot has no limit.
    slots_.Lease(slot, clock_.ToBoottime(core_->lease()));
    core_->SlotReady(slot, now_, &effects_);
  } else if (const auto* spawned = std::get_if<slot::Spawned>(&event)) {
    core_->Spawned(slot, now_, &effects_);
    TaskProcess* process = ProcessIn(slot);
    if (process == nullptr) return;
    process->Started(spawned->pid, now_);
  } else if (const auto* failed = std::get_if<slot::SpawnFailed>(&event)) {
    Task* task = TaskIn(slot);
    if (task != nullptr && failed->stage == slot::SpawnStage::kLease) {
      task->Refuse(Failure{Reason::kWorkerLost,
                           "lost its lease before the task was started", ""});
    }
    if (TaskProcess* process = ProcessIn(slot)) {
      CloseAll(process);
      DiscardCache(process->cache_path);
    }
    core_->SpawnFailed(slot, failed->error, Subject(*failed), now_, &effects_);
  } else if (const auto* exited = std::get_if<slot::Exited>(&event)) {
    core_->Exited(slot, ExitOf(*exited), now_, &effects_);
  } else if (const auto* seen = std::get_if<slot::NestedCallSeen>(&event)) {
    core_->NestedCallSeen(slot, NestedCallOf(*seen), seen->live, now_,
                          &effects_);
  } else if (const auto* empty = std::get_if<slot::TreeEmpty>(&event)) {
    if (TaskProcess* process = ProcessIn(slot)) {
      process->NameLeftovers(empty->leftovers);
    }
    core_->TreeEmpty(slot, TreeReportOf(*empty), now_, &effects_);
  }
}

void WorkerLoop::SlotHasSpoken(int slot) {
  TaskProcess* process = ProcessIn(slot);
  // Not before it was started: the core counts output from then on. One that
  // has ended meanwhile is read once more and closed.
  if (process == nullptr || process->pid() == 0 || process->watched ||
      process->paused || core_->slot_state(slot) == SlotState::kCollecting) {
    return;
  }
  const absl::Status watched = WatchOutput(process);
  if (watched.ok()) return;
  Log(LogSeverity::kError, watched.ToString());
  slots_.Kill(slot);
}

void WorkerLoop::LearnFilter(const std::string& problem) {
  if (filter_problem_.has_value()) return;
  filter_problem_ = problem;
  if (problem.empty()) return;
  Log(LogSeverity::kWarning,
      absl::StrCat("tasks are not held to max_processes and max_threads: ",
                   problem));
}

void WorkerLoop::SlotGone(int slot) { core_->SlotLost(slot, now_, &effects_); }

TaskProcess* WorkerLoop::ProcessIn(int slot) {
  return slot >= 0 && slot < static_cast<int>(processes_.size())
             ? processes_[static_cast<size_t>(slot)].get()
             : nullptr;
}

Task* WorkerLoop::FindTask(const AttemptId& attempt) {
  const auto it = tasks_.find(attempt);
  return it == tasks_.end() ? nullptr : it->second.get();
}

Task* WorkerLoop::TaskIn(int slot) {
  const AttemptId* attempt = core_->attempt_in(slot);
  return attempt == nullptr ? nullptr : FindTask(*attempt);
}

void WorkerLoop::ReadOutput(TaskProcess* process, OutputStream stream,
                            size_t bytes_max) {
  size_t bytes_read = 0;
  while (bytes_read < bytes_max) {
    const TaskProcess::ReadResult result =
        process->Read(stream, [&](absl::string_view bytes) {
          bytes_read += bytes.size();
          TookOutput(process, stream, bytes);
        });
    switch (result) {
      case TaskProcess::ReadResult::kBytes:
        break;
      case TaskProcess::ReadResult::kEmpty:
        return;
      case TaskProcess::ReadResult::kEnd:
        CloseOutput(process, stream);
        return;
    }
  }
}

void WorkerLoop::TookOutput(TaskProcess* process, OutputStream stream,
                            absl::string_view bytes) {
  process->TakeOutput(stream, bytes, now_);
  Task* task = TaskIn(process->slot());
  // What a warm task prints between two jobs is nobody's.
  if (task == nullptr) return;
  outbox_.AddOutput(task->id(),
                    process->prints_remarks() ? OutputStream::kStderr : stream,
                    bytes);
  core_->Output(task->slot, stream == OutputStream::kStderr,
                static_cast<int64_t>(bytes.size()), now_, &effects_);
  if (process->prints_remarks() || !task->patterns().any()) return;
  // Of lines that are read together only the last count is told: nobody knows
  // when the others were written, so their chunks share the time.
  std::optional<Progress> read;
  const auto tell = [&] {
    if (!read.has_value()) return;
    core_->ProgressRead(task->slot, *std::move(read), now_, &effects_);
    read.reset();
  };
  process->CutLines(stream, bytes, [&](absl::string_view line) {
    if (!task->ready && task->patterns().IsReady(line)) {
      tell();
      task->ready = true;
      core_->Ready(task->slot, now_, &effects_);
    }
    std::optional<Progress> progress = task->patterns().ProgressIn(line);
    if (progress.has_value() &&
        (!read.has_value() || progress->done > read->done)) {
      read = std::move(progress);
    }
  });
  tell();
}

void WorkerLoop::PauseIfFull(TaskProcess* process) {
  const AttemptId* attempt = core_->attempt_in(process->slot());
  // One whose result was read writes no more: what it wrote must not keep the
  // next one waiting, which nobody would acknowledge for it.
  const bool ended =
      core_->slot_state(process->slot()) == SlotState::kInspecting;
  if (process->paused || attempt == nullptr || ended ||
      outbox_.HeldBytes(*attempt) < kUnacknowledgedOutputBytesMax) {
    return;
  }
  process->paused = true;
  UnwatchOutput(process);
  core_->ReadingPaused(process->slot(), now_);
}

void WorkerLoop::ResumeIfTaken(const AttemptId& attempt) {
  const Task* task = FindTask(attempt);
  TaskProcess* process = task == nullptr ? nullptr : ProcessIn(task->slot);
  if (process == nullptr || !process->paused ||
      outbox_.HeldBytes(attempt) > kUnacknowledgedOutputBytesMax / 2) {
    return;
  }
  const absl::Status watched = WatchOutput(process);
  if (!watched.ok()) {
    // It is tried again at the next acknowledgement.
    Log(LogSeverity::kError, watched.ToString());
    return;
  }
  process->paused = false;
  core_->ReadingResumed(process->slot(), now_);
}

absl::Status WorkerLoop::WatchOutput(TaskProcess* process) {
  struct Watched {
    int fd;
    Poller::Kind kind;
  };
  std::vector<Watched> added;
  for (const Watched& one :
       {Watched{process->fd(OutputStream::kStdout)->get(),
                Poller::Kind::kStdout},
        Watched{process->fd(OutputStream::kStderr)->get(),
                Poller::Kind::kStderr},
        Watched{process->channel.has_value() ? process->channel->fd() : -1,
                Poller::Kind::kChannel}}) {
    if (one.fd < 0) continue;
    absl::Status status = poller_.Add(one.fd, one.kind, process->slot());
    if (!status.ok()) {
      for (const Watched& other : added) poller_.Remove(other.fd);
      return status;
    }
    added.push_back(one);
  }
  process->watched = true;
  FlushChannel(process);
  return absl::OkStatus();
}

void WorkerLoop::UnwatchOutput(TaskProcess* process) {
  if (!process->watched) return;
  process->watched = false;
  for (OutputStream stream : {OutputStream::kStdout, OutputStream::kStderr}) {
    if (process->fd(stream)->valid()) {
      poller_.Remove(process->fd(stream)->get());
    }
  }
  if (process->channel.has_value() && process->channel->open()) {
    poller_.Remove(process->channel->fd());
  }
}

void WorkerLoop::CloseOutput(TaskProcess* process, OutputStream stream) {
  UniqueFd* fd = process->fd(stream);
  if (!fd->valid()) return;
  if (process->watched) poller_.Remove(fd->get());
  fd->Reset();
}

void WorkerLoop::CloseAll(TaskProcess* process) {
  CloseOutput(process, OutputStream::kStdout);
  CloseOutput(process, OutputStream::kStderr);
  CloseChannel(process);
}

}  // namespace vigil::worker
