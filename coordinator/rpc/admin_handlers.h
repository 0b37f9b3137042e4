// WorkerService and StatusService as coroutines; errors as their protos list
// them. Loop thread only.
#ifndef VIGIL_COORDINATOR_RPC_ADMIN_HANDLERS_H_
#define VIGIL_COORDINATOR_RPC_ADMIN_HANDLERS_H_

#include "absl/status/status.h"
#include "coordinator/rpc/call_context.h"
#include "coordinator/rpc/task.h"
#include "vigil/v1/status_service.pb.h"
#include "vigil/v1/worker_service.pb.h"

namespace vigil::coordinator {

Task<absl::Status> ListWorkers(Services* services, CallContext* call,
                               const v1::ListWorkersRequest& request,
                               v1::ListWorkersResponse* response);
Task<absl::Status> GetWorker(Services* services, CallContext* call,
                             const v1::GetWorkerRequest& request,
                             v1::GetWorkerResponse* response);
Task<absl::Status> DrainWorker(Services* services, CallContext* call,
                               const v1::DrainWorkerRequest& request,
                               v1::DrainWorkerResponse* response);
Task<absl::Status> SetWorkerSlots(Services* services, CallContext* call,
                                  const v1::SetWorkerSlotsRequest& request,
                                  v1::SetWorkerSlotsResponse* response);
Task<absl::Status> ClearWorkerCache(Services* services, CallContext* call,
                                    const v1::ClearWorkerCacheRequest& request,
                                    v1::ClearWorkerCacheResponse* response);
Task<absl::Status> SweepWorker(Services* services, CallContext* call,
                               const v1::SweepWorkerRequest& request,
                               v1::SweepWorkerResponse* response);
Task<absl::Status> GetStatus(Services* services, CallContext* call,
                             const v1::GetStatusRequest& request,
                             v1::GetStatusResponse* response);

}  // namespace vigil::coordinator

#endif  // VIGIL_COORDINATOR_RPC_ADMIN_HANDLERS_H_
