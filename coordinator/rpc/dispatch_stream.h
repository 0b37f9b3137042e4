// The stream of one worker: DispatchService.Attach. Reads what the worker says
// into the core, writes what the engine has for it, one read and one write
// under way at a time. Loop thread only; owns itself until gRPC has given all
// its tags back.
#ifndef VIGIL_COORDINATOR_RPC_DISPATCH_STREAM_H_
#define VIGIL_COORDINATOR_RPC_DISPATCH_STREAM_H_

#include "coordinator/rpc/calls.h"
#include "vigil/v1/dispatch_service.grpc.pb.h"

namespace vigil::coordinator {

// Serves streams of workers, one after another as they come.
Detached ServeDispatch(Services* services, Loop* loop, LiveStreams* live,
                       v1::DispatchService::AsyncService* service);

}  // namespace vigil::coordinator

#endif  // VIGIL_COORDINATOR_RPC_DISPATCH_STREAM_H_
