// What a frame of a warm task must be beside parsing, and the bytes in it. Pure
// functions, thread-safe. They keep nothing of what they are given.
#ifndef VIGIL_WORKER_FRAMES_FRAME_CHECK_H_
#define VIGIL_WORKER_FRAMES_FRAME_CHECK_H_

#include <string>

#include "absl/status/statusor.h"
#include "vigil/task/v1/frames.pb.h"

namespace vigil::worker {

// True: `frame` is of one kind, speaks of an attempt exactly if its kind does,
// and is within the bounds of limits.h; whether it comes in order is the
// caller's to say. False: its kind is not known and it is `optional`; ignore
// it. INVALID_ARGUMENT: it breaks the protocol, as the message says.
absl::StatusOr<bool> CheckTaskFrame(const task::v1::TaskFrame& frame);

// Moves the bytes out, `text` or `data`; none if neither is set.
std::string TakeBytes(task::v1::Payload* payload);

// Sets `text` if `bytes` are UTF-8, else `data`.
void SetBytes(std::string bytes, task::v1::Payload* payload);

}  // namespace vigil::worker

#endif  // VIGIL_WORKER_FRAMES_FRAME_CHECK_H_
