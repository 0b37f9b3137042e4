// BatchService.RunBatch: items in, results out, on one stream. Reading and
// writing are a coroutine each, since either may have to wait while the other
// goes on. Loop thread only; a stream owns itself until gRPC has given all its
// tags back.
#ifndef VIGIL_COORDINATOR_RPC_RUN_BATCH_H_
#define VIGIL_COORDINATOR_RPC_RUN_BATCH_H_

#include "coordinator/rpc/calls.h"
#include "vigil/v1/batch_service.grpc.pb.h"

namespace vigil::coordinator {

// Serves streams of RunBatch, one after another as they come.
Detached ServeRunBatch(Services* services, Loop* loop, LiveStreams* live,
                       v1::BatchService::AsyncService* service);

}  // namespace vigil::coordinator

#endif  // VIGIL_COORDINATOR_RPC_RUN_BATCH_H_
