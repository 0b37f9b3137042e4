#include "worker/frames/frame_check.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/utf8.h"
#include "worker/frames/limits.h"

namespace vigil::worker {
namespace {

using ::vigil::task::v1::Hello;
using ::vigil::task::v1::Payload;
using ::vigil::task::v1::Progress;
using ::vigil::task::v1::TaskFrame;

absl::Status CheckSize(absl::string_view what, size_t bytes, size_t bytes_max) {
  if (bytes <= bytes_max) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(what, " of ", bytes, " bytes, more than ", bytes_max));
}

size_t SizeOf(const Payload& payload) {
  // One of them is empty.
  return payload.text().size() + payload.data().size();
}

absl::Status CheckHello(const Hello& hello) {
  if (hello.version() != kFrameVersion) {
    return absl::InvalidArgumentError(
        absl::StrCat("`hello` of version ", hello.version(), "; version ",
                     kFrameVersion, " is spoken here"));
  }
  if (hello.features_size() > kFeaturesMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("`hello` with ", hello.features_size(),
                     " features, more than ", kFeaturesMax));
  }
  for (const std::string& feature : hello.features()) {
    if (absl::Status status =
            CheckSize("a feature", feature.size(), kFeatureBytesMax);
        !status.ok()) {
      return status;
    }
  }
  return absl::OkStatus();
}

absl::Status CheckProgress(const Progress& progress) {
  if (progress.done() >= 0 && progress.total() >= 0) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("`progress` of ", progress.done(), " of ", progress.total(),
                   ", which is negative"));
}

absl::Status CheckAttemptId(const TaskFrame& frame) {
  const bool of_process = frame.has_hello() || frame.has_reset_done();
  if (frame.attempt_id().empty() && !of_process) {
    return absl::InvalidArgumentError("a frame without an attempt_id");
  }
  if (!frame.attempt_id().empty() && of_process) {
    return absl::InvalidArgumentError(
        "`hello` or `reset_done` with an attempt_id");
  }
  return CheckSize("an attempt_id", frame.attempt_id().size(),
                   kAttemptIdBytesMax);
}

absl::Status CheckContent(const TaskFrame& frame) {
  switch (frame.frame_case()) {
    case TaskFrame::kHello:
      return CheckHello(frame.hello());
    case TaskFrame::kToken:
      return CheckSize("`token`", SizeOf(frame.token()), kTokenBytesMax);
    case TaskFrame::kProgress:
      return CheckProgress(frame.progress());
    case TaskFrame::kCheckpoint:
      return CheckSize("`checkpoint`", SizeOf(frame.checkpoint()),
                       kCheckpointBytesMax);
    case TaskFrame::kResult:
      return CheckSize("`result`", SizeOf(frame.result()), kResultBytesMax);
    case TaskFrame::kStarted:
    case TaskFrame::kHeartbeat:
    case TaskFrame::kError:
    case TaskFrame::kResetDone:
    case TaskFrame::FRAME_NOT_SET:
      return absl::OkStatus();
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<bool> CheckTaskFrame(const TaskFrame& frame) {
  if (frame.frame_case() == TaskFrame::FRAME_NOT_SET) {
    if (frame.optional()) return false;
    return absl::InvalidArgumentError(
        "a frame of no kind that is known here, and not `optional`");
  }
  if (absl::Status status = CheckAttemptId(frame); !status.ok()) return status;
  if (absl::Status status = CheckContent(frame); !status.ok()) return status;
  return true;
}

std::string TakeBytes(Payload* payload) {
  std::string bytes;
  switch (payload->content_case()) {
    case Payload::kText:
      bytes = std::move(*payload->mutable_text());
      break;
    case Payload::kData:
      bytes = std::move(*payload->mutable_data());
      break;
    case Payload::CONTENT_NOT_SET:
      break;
  }
  payload->Clear();
  return bytes;
}

void SetBytes(std::string bytes, Payload* payload) {
  if (IsUtf8(bytes)) {
    payload->set_text(std::move(bytes));
  } else {
    payload->set_data(std::move(bytes));
  }
}

}  // namespace vigil::worker
