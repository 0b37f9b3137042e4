// Gateway: the coordinator's RPCs as JSON over HTTP, in the Connect protocol
// (https://connectrpc.com/docs/protocol). It is a client of the coordinator's
// own gRPC server, so limits and errors are that server's. Thread-compatible;
// owns a thread for HTTP and one that waits for gRPC.
#ifndef VIGIL_COORDINATOR_HTTP_GATEWAY_H_
#define VIGIL_COORDINATOR_HTTP_GATEWAY_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace grpc {
class Channel;
}

namespace vigil::coordinator {

class Gateway {
 public:
  struct Options {
    // "host:port", each of which only this machine can reach, or which were
    // said to be safe.
    std::vector<std::string> addresses;
    // Names in Host beside those of the addresses, as HostJudge takes them.
    std::vector<std::string> host_names;
    // Full names of services, as MethodTable takes them.
    std::vector<std::string> services;
    // To a server in this process, whose limits hold for what is called.
    std::shared_ptr<grpc::Channel> channel;
  };

  // Listens, and serves at once: RPCs wait in `channel` until their server
  // does. UNAVAILABLE: an address cannot be bound.
  static absl::StatusOr<std::unique_ptr<Gateway>> Start(Options options);
  // Ends what is still called and gives clients a moment to read of it; blocks
  // for that. The server may be gone by then.
  virtual ~Gateway() = default;

  // The addresses bound, with the ports that were chosen for 0.
  virtual std::vector<std::string> addresses() const = 0;
};

}  // namespace vigil::coordinator

#endif  // VIGIL_COORDINATOR_HTTP_GATEWAY_H_
