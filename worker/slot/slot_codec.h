// Between the plain values of this package and the messages of slot.proto, so
// that neither the core nor the worker sees protobuf. Thread-safe: there is no
// state. Results own what they hold.
#ifndef VIGIL_WORKER_SLOT_SLOT_CODEC_H_
#define VIGIL_WORKER_SLOT_SLOT_CODEC_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/unique_fd.h"
#include "worker/slot/slot.pb.h"
#include "worker/slot/slot_event.h"
#include "worker/slot/task_command.h"

namespace vigil::slot {

SlotEvent EncodeEvent(const Event& event);

// The events of one packet, at least one. INTERNAL: not those of this build.
absl::StatusOr<std::vector<Event>> DecodePacket(const std::string& bytes);

// INVALID_ARGUMENT: it has no program, a NUL byte, or more than
// kCommandMaxBytes; fix it.
absl::StatusOr<SpawnCommand> EncodeCommand(const TaskCommand& command);

// INTERNAL: it has no program.
absl::StatusOr<TaskCommand> DecodeCommand(const SpawnCommand& command);

// A command that is too large for a packet, as a sealed memfd, and back. Fail
// as SealedMemfd; INTERNAL: something else is in there.
absl::StatusOr<UniqueFd> WriteCommand(const SpawnCommand& command);
absl::StatusOr<SpawnCommand> ReadCommand(int fd);

}  // namespace vigil::slot

#endif  // VIGIL_WORKER_SLOT_SLOT_CODEC_H_
