// SealedMemfd: bytes as an anonymous file that nobody can change any more, to
// hand from process to process. Thread-safe: there is no state. The caller owns
// the descriptor.
#ifndef VIGIL_WORKER_SLOT_SEALED_MEMFD_H_
#define VIGIL_WORKER_SLOT_SEALED_MEMFD_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/unique_fd.h"

namespace vigil::slot {

// Returns a close-on-exec memfd holding `bytes`, positioned at its start and
// sealed against writing and resizing. `name` shows in /proc. Fails with what
// errno says: RESOURCE_EXHAUSTED or similar when descriptors or memory are
// short (try again later).
absl::StatusOr<UniqueFd> SealedMemfd(const char* name, absl::string_view bytes);

}  // namespace vigil::slot

#endif  // VIGIL_WORKER_SLOT_SEALED_MEMFD_H_
