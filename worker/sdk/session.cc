#include "worker/sdk/session.h"

#include <algorithm>
#include <exception>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/utf8.h"
#include "base/wire/time_wire.h"
#include "worker/frames/frame_check.h"
#include "worker/frames/limits.h"
#include "worker/sdk/limits.h"

namespace vigil::task {
namespace {

using ::vigil::task::v1::TaskFrame;
using ::vigil::task::v1::WorkerFrame;

Outcome RunGuarded(const std::function<Outcome(Job&)>& run, Job& job) {
  try {
    return run(job);
  } catch (const std::exception& e) {
    return Error{.message = e.what()};
  }
}

void SetError(const Error& error, v1::Error* proto) {
  proto->set_reason(static_cast<vigil::v1::Failure::Reason>(error.reason));
  proto->set_message(ToUtf8(error.message, kErrorMessageBytesMax));
  proto->set_retryable(error.retryable);
  if (error.next_retry_delay.has_value()) {
    ToProto(std::clamp(*error.next_retry_delay, absl::ZeroDuration(),
                       kNextRetryDelayMax),
            proto->mutable_next_retry_delay());
  }
}

}  // namespace

absl::Status Session::Run(const std::function<Outcome(Job&)>& run,
                          const std::function<void()>& reset) {
  Greet();
  while (!channel_.closed()) {
    if (queue_.empty()) {
      std::optional<WorkerFrame> frame = channel_.Next(Channel::Wait::kForever);
      if (frame.has_value()) Take(*std::move(frame));
      continue;
    }
    Queued next = std::move(queue_.front());
    queue_.pop_front();
    if (next.frame.has_start()) {
      RunAttempt(std::move(next), run);
    } else {
      if (reset != nullptr) reset();
      TaskFrame done;
      done.mutable_reset_done();
      Send(std::move(done));
    }
  }
  return channel_.status();
}

TaskFrame Session::Frame() const {
  TaskFrame frame;
  frame.set_attempt_id(attempt_id_);
  return frame;
}

bool Session::Stopping() {
  while (std::optional<WorkerFrame> frame =
             channel_.Next(Channel::Wait::kNot)) {
    Take(*std::move(frame));
  }
  return stopping_ || channel_.closed();
}

void Session::Greet() {
  const std::optional<WorkerFrame> frame =
      channel_.Next(Channel::Wait::kForever);
  if (!frame.has_value()) return;
  if (!frame->has_hello()) {
    channel_.Fail(absl::InvalidArgumentError("the first frame is no `hello`"));
    return;
  }
  TaskFrame hello;
  hello.mutable_hello()->set_version(worker::kFrameVersion);
  Send(std::move(hello));
}

void Session::Take(WorkerFrame frame) {
  switch (frame.frame_case()) {
    case WorkerFrame::kStart:
    case WorkerFrame::kReset:
      if (queue_.size() == kQueuedFramesMax) {
        channel_.Fail(absl::InvalidArgumentError(
            absl::StrCat("more than ", kQueuedFramesMax, " frames ahead")));
        return;
      }
      queue_.push_back({std::move(frame)});
      return;
    case WorkerFrame::kStop:
      Stop(frame.attempt_id());
      return;
    case WorkerFrame::kHello:
    case WorkerFrame::FRAME_NOT_SET:
      if (frame.optional()) return;
      channel_.Fail(absl::InvalidArgumentError(
          "a frame of no kind that is known here, and not `optional`"));
      return;
  }
}

void Session::Stop(const std::string& attempt_id) {
  if (attempt_id == attempt_id_) stopping_ = true;
  for (Queued& queued : queue_) {
    if (queued.frame.attempt_id() == attempt_id) queued.stopped = true;
  }
  // Else the attempt ended while the frame was on its way.
}

void Session::RunAttempt(Queued queued,
                         const std::function<Outcome(Job&)>& run) {
  attempt_id_ = queued.frame.attempt_id();
  stopping_ = queued.stopped;
  v1::Start& start = *queued.frame.mutable_start();
  std::optional<std::string> checkpoint;
  if (start.has_checkpoint()) {
    checkpoint = worker::TakeBytes(start.mutable_checkpoint());
  }
  Job job(*this, start.job_id(), start.attempt(),
          worker::TakeBytes(start.mutable_input()), std::move(checkpoint));
  TaskFrame started = Frame();
  started.mutable_started();
  Send(std::move(started));
  Finish(RunGuarded(run, job));
  attempt_id_.clear();
}

void Session::Finish(Outcome outcome) {
  TaskFrame frame = Frame();
  auto* result = std::get_if<std::string>(&outcome);
  if (result != nullptr && result->size() > worker::kResultBytesMax) {
    outcome = Error{.message = absl::StrCat("The result has ", result->size(),
                                            " bytes, more than ",
                                            worker::kResultBytesMax)};
    result = nullptr;
  }
  if (result != nullptr) {
    worker::SetBytes(std::move(*result), frame.mutable_result());
  } else {
    SetError(std::get<Error>(outcome), frame.mutable_error());
  }
  Send(std::move(frame));
}

}  // namespace vigil::task
