// The packets between a worker and a slot: one protobuf message each, with
// descriptors beside it where it needs them. Never blocks. Thread-safe: there
// is no state; sockets belong to the caller, received descriptors to Packet.
#ifndef VIGIL_WORKER_SLOT_SLOT_SOCKET_H_
#define VIGIL_WORKER_SLOT_SLOT_SOCKET_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "base/unique_fd.h"
#include "google/protobuf/message_lite.h"

namespace vigil::slot {

struct Packet {
  std::string bytes;
  // Close-on-exec, in the order in which they were sent; fewer than sent when
  // this process has none left.
  std::vector<UniqueFd> fds;
};

// Sends `message`, of 1 to kMessageMaxBytes, and copies of `fds`, at most
// kSpawnFdsMax. Errors:
// - RESOURCE_EXHAUSTED: the other side does not read; nothing was sent.
// - ABORTED: the other side is closed. Give up on it.
// - INTERNAL: anything else, as errno says.
absl::Status SendPacket(int socket,
                        const google::protobuf::MessageLite& message,
                        absl::Span<const int> fds);

// Receives one packet; nullopt when there is none now. Errors:
// - ABORTED: the other side is closed and everything it sent was received.
// - INTERNAL: anything else, as errno says, or a packet that is too large.
absl::StatusOr<std::optional<Packet>> ReceivePacket(int socket);

}  // namespace vigil::slot

#endif  // VIGIL_WORKER_SLOT_SLOT_SOCKET_H_
