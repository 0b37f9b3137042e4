// Every cap and interval of a sweep, with unit and reason. Constants, so
// thread-safe. Nothing here owns anything.
#ifndef VIGIL_WORKER_SWEEP_LIMITS_H_
#define VIGIL_WORKER_SWEEP_LIMITS_H_

#include <cstddef>

#include "absl/time/time.h"

namespace vigil::sweep {

// How long a sweep kills what it finds before it says what is left: as long as
// a slot tries to kill its tree.
constexpr absl::Duration kSweepMax = absl::Seconds(10);

// How soon it looks again: the killed need a moment to die.
constexpr absl::Duration kSweepInterval = absl::Milliseconds(10);

// Processes listed in a SweepResult, and bytes of the command line of each.
// More are killed all the same.
constexpr size_t kSweptListedMax = 1000;
constexpr size_t kCommandBytesMax = 256;

// Bytes of an environment that are searched: Linux lets no program start with
// more than 6 MiB of arguments and environment.
constexpr size_t kEnvironmentBytesMax = 8 << 20;

// Bytes of a slot's record that are read: a header, and the line of a task,
// which in those of earlier builds is one of /proc.
constexpr size_t kRecordBytesMax = 4096;

// How long a worker whose predecessors are not proved dead makes no such claim,
// nor do its successors: beyond the longest lease (1 h), at which the slots of
// the unproved kill their trees themselves.
constexpr absl::Duration kUnprovedKept = absl::Hours(2);

}  // namespace vigil::sweep

#endif  // VIGIL_WORKER_SWEEP_LIMITS_H_
