// Between the plain values of this package and the messages of slot.proto, so
// that neither the core nor the worker sees protobuf. Thread-safe: there is no
// state. Results own what they hold.
#ifndef VIGIL_WORKER_SLOT_SLOT_CODEC_H_
#define VIGIL_WORKER_SLOT_SLOT_CODEC_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/unique_fd.h"
#include "worker/slot/slot.pb.h"
#include "worker/slot/slot_event.h"
#include "worker/slot/task_command.h"

namespace vigil::slot {

SlotEvent EncodeEvent(const Event& event);

// INTERNAL: not an event of this build.
absl::StatusOr<Event> DecodeEvent(const std::string& bytes);

// Returns `command` as a sealed memfd. INVALID_ARGUMENT: it has no program, a
// NUL byte, or more than kCommandMaxBytes; fix it. Else as SealedMemfd.
absl::StatusOr<UniqueFd> WriteCommand(const TaskCommand& command);

// Reads what WriteCommand wrote. INTERNAL: something else is in there.
absl::StatusOr<TaskCommand> ReadCommand(int fd);

}  // namespace vigil::slot

#endif  // VIGIL_WORKER_SLOT_SLOT_CODEC_H_
