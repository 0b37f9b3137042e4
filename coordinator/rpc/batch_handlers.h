// The methods of BatchService but RunBatch, as coroutines; their errors are
// those that proto/vigil/v1/batch_service.proto lists. Loop thread only.
#ifndef VIGIL_COORDINATOR_RPC_BATCH_HANDLERS_H_
#define VIGIL_COORDINATOR_RPC_BATCH_HANDLERS_H_

#include "absl/status/status.h"
#include "coordinator/rpc/call_context.h"
#include "coordinator/rpc/calls.h"
#include "coordinator/rpc/task.h"
#include "vigil/v1/batch_service.pb.h"

namespace vigil::coordinator {

Task<absl::Status> CreateBatch(Services* services, CallContext* call,
                               const v1::CreateBatchRequest& request,
                               v1::CreateBatchResponse* response);
Task<absl::Status> AddItems(Services* services, CallContext* call,
                            const v1::AddItemsRequest& request,
                            v1::AddItemsResponse* response);
Task<absl::Status> CloseBatch(Services* services, CallContext* call,
                              const v1::CloseBatchRequest& request,
                              v1::CloseBatchResponse* response);
Task<absl::Status> GetBatch(Services* services, CallContext* call,
                            const v1::GetBatchRequest& request,
                            v1::GetBatchResponse* response);
Task<absl::Status> ListBatches(Services* services, CallContext* call,
                               const v1::ListBatchesRequest& request,
                               v1::ListBatchesResponse* response);
Task<absl::Status> CancelBatch(Services* services, CallContext* call,
                               const v1::CancelBatchRequest& request,
                               v1::CancelBatchResponse* response);
Task<absl::Status> WatchBatch(Services* services, CallContext* call,
                              const v1::WatchBatchRequest& request,
                              ResponseStream<v1::WatchBatchResponse>* stream);

}  // namespace vigil::coordinator

#endif  // VIGIL_COORDINATOR_RPC_BATCH_HANDLERS_H_
