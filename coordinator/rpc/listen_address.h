// Where the coordinator may listen: unix sockets that only their owner can
// open, and loopback; anything wider only when told so, until there is TLS.
// Pure but for PrepareSocket; thread-safe.
#ifndef VIGIL_COORDINATOR_RPC_LISTEN_ADDRESS_H_
#define VIGIL_COORDINATOR_RPC_LISTEN_ADDRESS_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace vigil::coordinator {

enum class Exposure { kLoopbackOnly, kInsecureAllowed };

struct ListenAddress {
  // As gRPC takes it: "unix:/path" or "host:port".
  std::string address;
  // The path of a unix socket; empty for TCP.
  std::string socket_path;
};

// Takes "unix:/path" and "host:port", separated by commas. INVALID_ARGUMENT:
// says which one and why. Addresses beyond loopback need kInsecureAllowed.
absl::StatusOr<std::vector<ListenAddress>> ParseListen(
    const std::string& listen, Exposure exposure);

// Takes what --http_listen does: "host:port" only, under the same rule.
absl::StatusOr<std::vector<std::string>> ParseHttpListen(
    const std::string& listen, Exposure exposure);

// Makes the directory of a socket (0700) if it is not there, and removes a
// socket that nobody listens on. FAILED_PRECONDITION: somebody does, or the
// directory is not safe.
absl::Status PrepareSocket(const std::string& path);

}  // namespace vigil::coordinator

#endif  // VIGIL_COORDINATOR_RPC_LISTEN_ADDRESS_H_
