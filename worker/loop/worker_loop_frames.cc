// Frames: what warm tasks are told, and what they say.
#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/check.h"
#include "base/utf8.h"
#include "base/wire/time_wire.h"
#include "worker/frames/frame_check.h"
#include "worker/loop/limits.h"
#include "worker/loop/result_check.h"
#include "worker/loop/start_frame.h"
#include "worker/loop/worker_loop.h"

namespace vigil::worker {
namespace {

using ::vigil::task::v1::TaskFrame;

FrameKind KindOf(const TaskFrame& frame) {
  switch (frame.frame_case()) {
    case TaskFrame::kHello:
      return FrameKind::kHello;
    case TaskFrame::kStarted:
      return FrameKind::kStarted;
    case TaskFrame::kToken:
      return FrameKind::kToken;
    case TaskFrame::kProgress:
      return FrameKind::kProgress;
    case TaskFrame::kHeartbeat:
      return FrameKind::kHeartbeat;
    case TaskFrame::kCheckpoint:
      return FrameKind::kCheckpoint;
    case TaskFrame::kResult:
      return FrameKind::kResult;
    case TaskFrame::kError:
      return FrameKind::kError;
    case TaskFrame::kResetDone:
      return FrameKind::kResetDone;
    case TaskFrame::FRAME_NOT_SET:
      break;
  }
  VIGIL_CHECK(false, "CheckTaskFrame lets no other frame pass");
}

// The reasons that a task may give for itself.
bool MayGive(Reason reason) {
  return reason == Reason::kInvalidInput ||
         reason == Reason::kResourceExhausted ||
         reason == Reason::kOutOfMemory ||
         reason == Reason::kServerUnavailable || reason == Reason::kTaskError;
}

}  // namespace

void WorkerLoop::SendFrame(TaskProcess* process,
                           const task::v1::WorkerFrame& frame) {
  process->channel->Send(frame);
  FlushChannel(process);
}

void WorkerLoop::FlushChannel(TaskProcess* process) {
  if (!process->channel.has_value() || !process->channel->open()) return;
  process->channel->Flush();
  if (!process->watched) return;
  poller_.Watch(process->channel->fd(), Poller::Kind::kChannel, process->slot(),
                process->channel->blocked());
}

void WorkerLoop::ReadChannel(TaskProcess* process, size_t bytes_max) {
  if (!process->channel.has_value()) return;
  size_t bytes_read = 0;
  while (bytes_read < bytes_max && process->channel->open()) {
    switch (process->channel->Read(&bytes_read)) {
      case TaskChannel::ReadResult::kBytes:
        TakeFrames(process);
        // The rest is still there when that is done.
        if (core_->slot_state(process->slot()) == SlotState::kInspecting) {
          return;
        }
        break;
      case TaskChannel::ReadResult::kEmpty:
        return;
      case TaskChannel::ReadResult::kEnd:
        CloseChannel(process);
        core_->ChannelClosed(process->slot(), now_, &effects_);
        return;
    }
  }
}

void WorkerLoop::TakeFrames(TaskProcess* process) {
  TaskFrame frame;
  // A result is dealt with before what follows it.
  while (process->channel->open() &&
         core_->slot_state(process->slot()) != SlotState::kInspecting) {
    const absl::StatusOr<bool> next = process->channel->Next(&frame);
    if (!next.ok()) {
      BreakProtocol(process, next.status().message(), nullptr);
      return;
    }
    if (!*next) return;
    TakeFrame(process, std::move(frame));
  }
}

void WorkerLoop::BreakProtocol(TaskProcess* process, absl::string_view how,
                               const TaskFrame* frame) {
  std::string message = absl::StrCat("broke the protocol: ", how);
  if (frame != nullptr) {
    // Escaped, and never refused, whatever is in it.
    absl::StrAppend(&message, ": ",
                    frame->ShortDebugString().substr(0, kFrameQuoteMax));
  }
  CloseChannel(process);
  core_->ProtocolBroken(process->slot(), message, now_, &effects_);
}

void WorkerLoop::TakeFrame(TaskProcess* process, TaskFrame frame) {
  const absl::StatusOr<bool> known = CheckTaskFrame(frame);
  if (!known.ok()) {
    BreakProtocol(process, known.status().message(), &frame);
    return;
  }
  if (!*known) return;
  const int slot = process->slot();
  const FrameKind kind = KindOf(frame);
  const std::optional<AttemptId> attempt =
      ParseFrameAttemptId(frame.attempt_id());
  const std::string problem = core_->ProblemWith(slot, kind, attempt);
  if (!problem.empty()) {
    BreakProtocol(process, absl::StrCat("a frame ", problem), &frame);
    return;
  }
  std::string bytes;
  if (frame.has_token()) bytes = TakeBytes(frame.mutable_token());
  core_->FrameRead(slot, kind, static_cast<int64_t>(bytes.size()), now_,
                   &effects_);
  if (!attempt.has_value()) return;
  Task* task = FindTask(*attempt);
  switch (kind) {
    case FrameKind::kStarted:
      task->DropInput();
      return;
    case FrameKind::kToken:
      outbox_.AddOutput(*attempt, OutputStream::kStdout, bytes);
      process->TakeToken(bytes, now_);
      return;
    case FrameKind::kProgress:
      core_->ProgressRead(
          slot,
          Progress{frame.progress().done(), frame.progress().total(),
                   frame.progress().message()},
          now_, &effects_);
      return;
    case FrameKind::kCheckpoint:
      outbox_.AddCheckpoint(*attempt,
                            std::make_shared<const std::string>(
                                TakeBytes(frame.mutable_checkpoint())),
                            now_);
      return;
    case FrameKind::kResult:
      TakeResult(task, TakeBytes(frame.mutable_result()));
      return;
    case FrameKind::kError:
      TakeError(task, frame.error());
      return;
    case FrameKind::kHello:
    case FrameKind::kHeartbeat:
    case FrameKind::kResetDone:
      return;
  }
}

void WorkerLoop::TakeResult(Task* task, std::string result) {
  Outcome outcome;
  outcome.failure = CheckResult(task->type()->type.result_validator(), result);
  if (!outcome.failure.has_value()) {
    task->result = std::make_shared<const std::string>(std::move(result));
  }
  core_->Reported(task->slot, std::move(outcome), now_, &effects_);
}

void WorkerLoop::TakeError(Task* task, const task::v1::Error& error) {
  Failure failure;
  failure.message = ToUtf8(error.message(), kErrorMessageBytesMax);
  failure.reason = static_cast<Reason>(error.reason());
  if (failure.reason == Reason::kUnspecified) {
    failure.reason =
        task->ReasonIn(failure.message).value_or(Reason::kTaskError);
  } else if (!MayGive(failure.reason)) {
    failure.reason = Reason::kTaskError;
  }
  Outcome outcome;
  outcome.failure = std::move(failure);
  outcome.retryable = error.retryable();
  if (error.has_next_retry_delay()) {
    outcome.next_retry_delay = std::clamp(FromProto(error.next_retry_delay()),
                                          absl::ZeroDuration(), kRetryDelayMax);
  }
  core_->Reported(task->slot, std::move(outcome), now_, &effects_);
}

void WorkerLoop::CloseChannel(TaskProcess* process) {
  if (!process->channel.has_value() || !process->channel->open()) return;
  if (process->watched) poller_.Remove(process->channel->fd());
  process->channel->Close();
}

}  // namespace vigil::worker
