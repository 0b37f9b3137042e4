// Health: what grpc.health.v1 answers. Served by the loop like every other
// service: gRPC's own health service has a thread that polls the same sockets,
// wakes with every message that is not for it, and hands that to the loop.
// Loop thread only.
#ifndef VIGIL_COORDINATOR_RPC_HEALTH_H_
#define VIGIL_COORDINATOR_RPC_HEALTH_H_

#include <set>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "coordinator/rpc/calls.h"
#include "coordinator/rpc/signal.h"
#include "coordinator/rpc/task.h"
#include "grpc/health/v1/health.pb.h"

namespace vigil::coordinator {

class Health {
 public:
  // `names` are the services that may be asked for, beside "".
  explicit Health(std::set<std::string> names) : names_(std::move(names)) {}
  Health(const Health&) = delete;
  Health& operator=(const Health&) = delete;

  // NOT_SERVING until set.
  void SetServing(bool serving);

  // The handlers of the two methods; see calls.h.
  Task<absl::Status> Check(Services* services, CallContext* call,
                           const grpc::health::v1::HealthCheckRequest& request,
                           grpc::health::v1::HealthCheckResponse* response);
  Task<absl::Status> Watch(
      Services* services, CallContext* call,
      const grpc::health::v1::HealthCheckRequest& request,
      ResponseStream<grpc::health::v1::HealthCheckResponse>* stream);

 private:
  bool Knows(const std::string& name) const {
    return name.empty() || names_.contains(name);
  }
  grpc::health::v1::HealthCheckResponse::ServingStatus StatusOf(
      const std::string& name) const;

  const std::set<std::string> names_;
  bool serving_ = false;
  std::set<Signal*> watchers_;
};

}  // namespace vigil::coordinator

#endif  // VIGIL_COORDINATOR_RPC_HEALTH_H_
