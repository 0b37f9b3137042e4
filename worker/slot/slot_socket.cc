#include "worker/slot/slot_socket.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "worker/slot/limits.h"

namespace vigil::slot {
namespace {

constexpr size_t kControlBytes = CMSG_SPACE(sizeof(int) * kSpawnFdsMax);

absl::Status Error(const char* call) {
  return absl::InternalError(absl::StrCat(call, ": ", strerror(errno)));
}

std::vector<UniqueFd> TakeFds(msghdr& header) {
  std::vector<UniqueFd> fds;
  for (cmsghdr* control = CMSG_FIRSTHDR(&header); control != nullptr;
       control = CMSG_NXTHDR(&header, control)) {
    if (control->cmsg_level != SOL_SOCKET || control->cmsg_type != SCM_RIGHTS) {
      continue;
    }
    const size_t count = (control->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; ++i) {
      int fd = -1;
      memcpy(&fd, CMSG_DATA(control) + i * sizeof(int), sizeof(int));
      fds.emplace_back(fd);
    }
  }
  return fds;
}

}  // namespace

absl::Status SendPacket(int socket,
                        const google::protobuf::MessageLite& message,
                        absl::Span<const int> fds) {
  std::string bytes = message.SerializeAsString();
  VIGIL_CHECK(!bytes.empty() && bytes.size() <= kMessageMaxBytes,
              "a packet has 1 byte to kMessageMaxBytes");
  VIGIL_CHECK(fds.size() <= size_t{kSpawnFdsMax}, "too many descriptors");

  iovec data = {bytes.data(), bytes.size()};
  msghdr header = {};
  header.msg_iov = &data;
  header.msg_iovlen = 1;
  alignas(cmsghdr) std::array<char, kControlBytes> control = {};
  if (!fds.empty()) {
    header.msg_control = control.data();
    header.msg_controllen = CMSG_SPACE(sizeof(int) * fds.size());
    cmsghdr* rights = CMSG_FIRSTHDR(&header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof(int) * fds.size());
    memcpy(CMSG_DATA(rights), fds.data(), sizeof(int) * fds.size());
  }
  for (;;) {
    if (sendmsg(socket, &header, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0) {
      return absl::OkStatus();
    }
    if (errno == EINTR) continue;
    if (errno == EAGAIN || errno == ENOBUFS) {
      return absl::ResourceExhaustedError(
          "the other side of the slot's socket does not read");
    }
    if (errno == EPIPE || errno == ECONNRESET) {
      return absl::AbortedError("the slot's socket is closed");
    }
    return Error("sendmsg");
  }
}

absl::StatusOr<std::optional<Packet>> ReceivePacket(int socket) {
  std::array<char, kMessageMaxBytes> buffer;
  iovec data = {buffer.data(), buffer.size()};
  alignas(cmsghdr) std::array<char, kControlBytes> control;
  msghdr header = {};
  header.msg_iov = &data;
  header.msg_iovlen = 1;
  header.msg_control = control.data();
  header.msg_controllen = control.size();
  ssize_t size = 0;
  do {
    size = recvmsg(socket, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  } while (size < 0 && errno == EINTR);
  if (size < 0 && errno == EAGAIN) return std::nullopt;
  if (size == 0 || (size < 0 && errno == ECONNRESET)) {
    return absl::AbortedError("the slot's socket is closed");
  }
  if (size < 0) return Error("recvmsg");
  Packet packet{std::string(buffer.data(), static_cast<size_t>(size)),
                TakeFds(header)};
  if ((header.msg_flags & MSG_TRUNC) != 0) {
    return absl::InternalError("a packet of more than kMessageMaxBytes");
  }
  return packet;
}

}  // namespace vigil::slot
