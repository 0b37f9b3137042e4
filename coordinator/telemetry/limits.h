// Caps and defaults of telemetry and the event log, each with its unit and
// reason.
#ifndef VIGIL_COORDINATOR_TELEMETRY_LIMITS_H_
#define VIGIL_COORDINATOR_TELEMETRY_LIMITS_H_

#include <cstddef>
#include <cstdint>

#include "absl/time/time.h"

namespace vigil::coordinator {

// How far back telemetry looks: a burst shows within it, and is over with it.
// And what an operator may set instead.
inline constexpr absl::Duration kTelemetryWindow = absl::Minutes(10);
inline constexpr absl::Duration kTelemetryWindowMin = absl::Minutes(1);
inline constexpr absl::Duration kTelemetryWindowMax = absl::Hours(24);

// Parts of the window: what ended leaves it at most one part early.
inline constexpr int kWindowBuckets = 60;

// Share of a task type's attempts that may fail, in percent: above the first
// somebody should look, above the second somebody must act.
inline constexpr double kWarningRatePercent = 5;
inline constexpr double kActionRatePercent = 10;

// Attempts of a task type in the window before its rate says anything: of
// fewer, one failure alone is more than 5 %.
inline constexpr int64_t kRateAttemptsMin = 20;

// Task types that are counted apart, as many as a worker may announce; the rest
// are counted together.
inline constexpr size_t kTelemetryTypesMax = 256;

// Groups of like messages that are kept, a kilobyte each; the least frequent
// makes room for another.
inline constexpr size_t kMessageGroupsMax = 1000;

// Bytes of a message that are kept, and compared.
inline constexpr size_t kMessageBytesMax = 256;

// What GetStatus shows, as telemetry.proto states.
inline constexpr size_t kReasonsShownMax = 256;
inline constexpr size_t kMessagesShownMax = 10;
inline constexpr size_t kCausesShownMax = 16;

// Reasons that a cause of bad health names: the rest are rarer.
inline constexpr size_t kReasonsPerCauseMax = 3;

// How often it is looked whether health changed.
inline constexpr absl::Duration kHealthCheckInterval = absl::Seconds(1);

// Events that wait to be written: some seconds' worth at the highest rate, 64
// MiB at most. Beyond it they are dropped and counted.
inline constexpr size_t kEventQueueMax = 65'536;

// One file of the event log, in bytes, and how many full ones are kept: four
// and the current one are 320 MiB.
inline constexpr int64_t kEventFileBytesMax = 64 << 20;
inline constexpr int kEventFilesKept = 4;

// How often it is said that events are lost while they are.
inline constexpr absl::Duration kEventLossLogInterval = absl::Minutes(1);

}  // namespace vigil::coordinator

#endif  // VIGIL_COORDINATOR_TELEMETRY_LIMITS_H_
