// Caps of the coordinator's RPCs as such, each with its unit and reason: of
// what is asked for by them see coordinator/codec and coordinator/engine.
#ifndef VIGIL_COORDINATOR_RPC_LIMITS_H_
#define VIGIL_COORDINATOR_RPC_LIMITS_H_

namespace vigil::coordinator {

// A message that comes in, in bytes: gRPC's own default, said so that clients
// may count on it.
inline constexpr int kRpcMessageBytesMax = 4 << 20;

}  // namespace vigil::coordinator

#endif  // VIGIL_COORDINATOR_RPC_LIMITS_H_
