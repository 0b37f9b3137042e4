// What a worker says to a warm task of an attempt, and how attempts are called
// in frames. Pure functions, thread-safe.
#ifndef VIGIL_WORKER_LOOP_START_FRAME_H_
#define VIGIL_WORKER_LOOP_START_FRAME_H_

#include <optional>

#include "absl/strings/string_view.h"
#include "base/ids.h"
#include "vigil/task/v1/frames.pb.h"
#include "vigil/v1/dispatch_service.pb.h"

namespace vigil::worker {

// The attempt's name in frames, and back: nullopt for what is no such name.
std::string FrameAttemptId(const AttemptId& attempt);
std::optional<AttemptId> ParseFrameAttemptId(absl::string_view id);

task::v1::WorkerFrame HelloFrame();
// `assignment` has every clock resolved.
task::v1::WorkerFrame StartFrame(const v1::Assignment& assignment);
task::v1::WorkerFrame StopFrame(const v1::Assignment& assignment,
                                v1::Failure::Reason cause);
task::v1::WorkerFrame ResetFrame();

}  // namespace vigil::worker

#endif  // VIGIL_WORKER_LOOP_START_FRAME_H_
