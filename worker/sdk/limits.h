// Caps of a warm task's side of the channel, each with its unit and reason.
#ifndef VIGIL_WORKER_SDK_LIMITS_H_
#define VIGIL_WORKER_SDK_LIMITS_H_

#include <cstddef>

#include "absl/time/time.h"

namespace vigil::task {

// One read of the channel, in bytes: what a socket holds by default, about.
inline constexpr size_t kReadBytesMax = 64 << 10;

// Frames that wait for their turn: jobs ahead (64, TaskType.max_in_flight), and
// as many resets.
inline constexpr size_t kQueuedFramesMax = 128;

// What the worker keeps of messages, in bytes, and of delays, as frames.proto
// states.
inline constexpr size_t kErrorMessageBytesMax = 4 << 10;
inline constexpr size_t kProgressMessageBytesMax = 256;
inline constexpr absl::Duration kNextRetryDelayMax = absl::Hours(24);

}  // namespace vigil::task

#endif  // VIGIL_WORKER_SDK_LIMITS_H_
