#include "worker/loop/start_frame.h"

#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/wire/attempt_wire.h"
#include "worker/frames/frame_check.h"
#include "worker/frames/limits.h"

namespace vigil::worker {
namespace {

using ::vigil::task::v1::WorkerFrame;

}  // namespace

std::string FrameAttemptId(const AttemptId& attempt) {
  return absl::StrCat(attempt.job_id.value(), "/", attempt.number);
}

std::optional<AttemptId> ParseFrameAttemptId(absl::string_view id) {
  const size_t slash = id.rfind('/');
  int number = 0;
  if (slash == absl::string_view::npos ||
      !absl::SimpleAtoi(id.substr(slash + 1), &number)) {
    return std::nullopt;
  }
  return AttemptId{JobId(std::string(id.substr(0, slash))), number};
}

WorkerFrame HelloFrame() {
  WorkerFrame frame;
  frame.mutable_hello()->set_version(kFrameVersion);
  return frame;
}

WorkerFrame StartFrame(const v1::Assignment& assignment) {
  const v1::JobSpec& spec = assignment.spec();
  WorkerFrame frame;
  frame.set_attempt_id(FrameAttemptId(FromProto(assignment.attempt())));
  task::v1::Start* start = frame.mutable_start();
  if (spec.has_input()) SetBytes(spec.input(), start->mutable_input());
  if (assignment.has_checkpoint()) {
    SetBytes(assignment.checkpoint(), start->mutable_checkpoint());
  }
  start->set_job_id(assignment.attempt().job_id());
  start->set_attempt(assignment.attempt().number());
  start->set_namespace_(assignment.namespace_());
  const v1::Timeouts& timeouts = spec.timeouts();
  if (timeouts.has_start_to_close_timeout()) {
    *start->mutable_start_to_close_timeout() =
        timeouts.start_to_close_timeout();
  }
  if (timeouts.has_inactivity_timeout() &&
      spec.activity().mode() != v1::ActivityPolicy::MODE_SILENT) {
    *start->mutable_inactivity_timeout() = timeouts.inactivity_timeout();
  }
  if (timeouts.has_progress_timeout()) {
    *start->mutable_progress_timeout() = timeouts.progress_timeout();
  }
  return frame;
}

WorkerFrame StopFrame(const v1::Assignment& assignment,
                      v1::Failure::Reason cause) {
  WorkerFrame frame;
  frame.set_attempt_id(FrameAttemptId(FromProto(assignment.attempt())));
  frame.mutable_stop()->set_cause(cause);
  *frame.mutable_stop()->mutable_grace() =
      assignment.spec().timeouts().shutdown_grace();
  return frame;
}

WorkerFrame ResetFrame() {
  WorkerFrame frame;
  frame.mutable_reset();
  return frame;
}

}  // namespace vigil::worker
