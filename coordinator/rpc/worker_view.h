// Workers as the API shows them. Loop thread only.
#ifndef VIGIL_COORDINATOR_RPC_WORKER_VIEW_H_
#define VIGIL_COORDINATOR_RPC_WORKER_VIEW_H_

#include "absl/time/time.h"
#include "coordinator/core/worker_record.h"
#include "vigil/v1/worker.pb.h"

namespace vigil::coordinator {

v1::Worker ToProto(const WorkerRecord& worker, absl::Time now);

}  // namespace vigil::coordinator

#endif  // VIGIL_COORDINATOR_RPC_WORKER_VIEW_H_
