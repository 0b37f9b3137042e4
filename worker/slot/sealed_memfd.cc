#include "worker/slot/sealed_memfd.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>

namespace vigil::slot {

absl::StatusOr<UniqueFd> SealedMemfd(const char* name,
                                     absl::string_view bytes) {
  UniqueFd fd(memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd.valid()) return absl::ErrnoToStatus(errno, "memfd_create");
  off_t written = 0;
  while (!bytes.empty()) {
    // pwrite leaves the position at the start.
    const ssize_t size = pwrite(fd.get(), bytes.data(), bytes.size(), written);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return absl::ErrnoToStatus(errno, "write to a memfd");
    written += size;
    bytes.remove_prefix(static_cast<size_t>(size));
  }
  if (fcntl(fd.get(), F_ADD_SEALS,
            F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) != 0) {
    return absl::ErrnoToStatus(errno, "seal a memfd");
  }
  return fd;
}

}  // namespace vigil::slot
