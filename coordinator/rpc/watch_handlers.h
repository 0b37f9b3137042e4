// RunJob and WatchJob: a job's changes and output as a stream. Errors as
// proto/vigil/v1/job_service.proto lists them. Loop thread only.
#ifndef VIGIL_COORDINATOR_RPC_WATCH_HANDLERS_H_
#define VIGIL_COORDINATOR_RPC_WATCH_HANDLERS_H_

#include "absl/status/status.h"
#include "coordinator/rpc/calls.h"
#include "coordinator/rpc/task.h"
#include "vigil/v1/job_service.pb.h"

namespace vigil::coordinator {

Task<absl::Status> RunJob(Services* services, CallContext* call,
                          const v1::RunJobRequest& request,
                          ResponseStream<v1::RunJobResponse>* stream);
Task<absl::Status> WatchJob(Services* services, CallContext* call,
                            const v1::WatchJobRequest& request,
                            ResponseStream<v1::WatchJobResponse>* stream);

}  // namespace vigil::coordinator

#endif  // VIGIL_COORDINATOR_RPC_WATCH_HANDLERS_H_
