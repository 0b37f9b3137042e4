// What travels on a simulated stream: the messages of
// proto/vigil/v1/dispatch_service.proto as the plain values of the cores.
// Values, thread-compatible.
#ifndef VIGIL_TESTS_SIM_MESSAGES_H_
#define VIGIL_TESTS_SIM_MESSAGES_H_

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "base/attempt.h"
#include "base/ids.h"
#include "base/reason.h"
#include "coordinator/core/worker_record.h"

namespace vigil::sim {

using StreamId = coordinator::StreamId;

// --- from the worker
struct HeartbeatMessage {
  int64_t number = 0;
};
// What it offers from now on.
struct Announcement {
  std::set<std::string> task_types;
  std::map<std::string, int> max_slots;
};
// Attempts that it takes beyond its slots.
struct AheadMessage {
  int attempts = 0;
};
// Slots that it uses; without a cause, all of them.
struct UsableSlotsMessage {
  int slots = 0;
  std::string cause;
};
// It takes nothing new, and leaves.
struct DrainingMessage {};
// It has: nothing runs, and every end was acknowledged.
struct LeftMessage {};
// The worker closed the stream, or it broke.
struct StreamEnd {};
using ToCoordinator =
    std::variant<coordinator::WorkerHello, HeartbeatMessage, AttemptUpdate,
                 AttemptCheckpoint, AttemptEnd, Announcement, TaskTypeStatus,
                 AheadMessage, UsableSlotsMessage, DrainingMessage, LeftMessage,
                 StreamEnd>;

// --- from the coordinator
struct Attached {
  absl::Duration lease;
  std::vector<AttemptId> kill;
};
struct HeartbeatAck {
  int64_t number = 0;
};
struct Assignment {
  AttemptId attempt;
  absl::Duration time_left;
  bool sequential = false;
};
struct StopMessage {
  AttemptId attempt;
  Reason reason = Reason::kCancelled;
};
struct EndAck {
  AttemptId attempt;
};
struct SlotsMessage {
  int slots = 0;
};
// Absent: the worker's own grace.
struct DrainMessage {
  std::optional<absl::Duration> grace;
};
struct StreamClosed {
  absl::Status status;
};
using ToWorker = std::variant<Attached, HeartbeatAck, Assignment, StopMessage,
                              EndAck, SlotsMessage, DrainMessage, StreamClosed>;

}  // namespace vigil::sim

#endif  // VIGIL_TESTS_SIM_MESSAGES_H_
