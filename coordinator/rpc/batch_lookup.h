// Making batches and finding them wherever they are: live in the core, or ended
// in the store. Loop thread only.
#ifndef VIGIL_COORDINATOR_RPC_BATCH_LOOKUP_H_
#define VIGIL_COORDINATOR_RPC_BATCH_LOOKUP_H_

#include <string>

#include "absl/status/statusor.h"
#include "coordinator/rpc/call_context.h"
#include "coordinator/rpc/task.h"
#include "vigil/v1/batch.pb.h"
#include "vigil/v1/batch_service.pb.h"

namespace vigil::coordinator {

struct FoundBatch {
  v1::Batch batch;
  // It has not ended: the core still has it.
  bool live = false;
};

// The batch as it is durably. NOT_FOUND: no such batch in this namespace.
// INVALID_ARGUMENT: no valid namespace or id.
Task<absl::StatusOr<FoundBatch>> LookUpBatch(
    Services* services, const std::string& requested_namespace,
    const std::string& batch_id);

struct AcceptedBatch {
  v1::Batch batch;
  // request_id had made this batch before.
  bool existed = false;
};

// Makes a batch, or finds the one that this request_id made; it is durable
// then. `streamed`: by RunBatch. Statuses as BatchService.RunBatch.
Task<absl::StatusOr<AcceptedBatch>> AcceptBatch(Services* services,
                                                CallContext* call,
                                                const v1::OpenBatch& open,
                                                bool streamed);

}  // namespace vigil::coordinator

#endif  // VIGIL_COORDINATOR_RPC_BATCH_LOOKUP_H_
