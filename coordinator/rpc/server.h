// RpcServer: the coordinator's gRPC side: listeners, services, health,
// reflection, and the order in which they end. Its methods are for the loop
// thread, which Run makes of the calling one.
#ifndef VIGIL_COORDINATOR_RPC_SERVER_H_
#define VIGIL_COORDINATOR_RPC_SERVER_H_

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "coordinator/engine/engine.h"
#include "coordinator/rpc/call_context.h"
#include "coordinator/rpc/listen_address.h"

namespace grpc {
class Channel;
}

namespace vigil::coordinator {

class RpcServer {
 public:
  // Binds the listeners; nothing is answered before Run. UNAVAILABLE: an
  // address cannot be bound.
  static absl::StatusOr<std::unique_ptr<RpcServer>> Create(
      const std::vector<ListenAddress>& addresses);
  virtual ~RpcServer() = default;

  // Runs a closure on the loop thread; thread-safe.
  virtual void Post(std::function<void()> closure) = 0;

  // Serves until Drain or Stop was called, then ends every call in an orderly
  // way. `serving` is called when the first call can be answered.
  virtual void Run(Services* services,
                   const std::function<void()>& serving) = 0;

  // Takes nothing new and gives nothing to workers any more; ends Run when what
  // Services::drain waits for is over. Thread-safe, repeatable.
  virtual void Drain() = 0;
  // Ends Run now; thread-safe, repeatable.
  virtual void Stop() = 0;

  // The addresses bound, with the ports that were chosen for 0.
  virtual std::vector<std::string> addresses() const = 0;

  // The full names of the services, without reflection's.
  virtual std::vector<std::string> services() const = 0;
  // A channel to this server for clients within the process. They count as
  // clients on the network do, not as those on a unix socket. Thread-safe;
  // calls on it fail with UNAVAILABLE when Run has ended.
  virtual std::shared_ptr<grpc::Channel> InProcessChannel() = 0;
};

}  // namespace vigil::coordinator

#endif  // VIGIL_COORDINATOR_RPC_SERVER_H_
