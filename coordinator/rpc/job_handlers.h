// The unary methods of JobService as coroutines; their errors are those that
// proto/vigil/v1/job_service.proto lists. Loop thread only.
#ifndef VIGIL_COORDINATOR_RPC_JOB_HANDLERS_H_
#define VIGIL_COORDINATOR_RPC_JOB_HANDLERS_H_

#include "absl/status/status.h"
#include "coordinator/rpc/call_context.h"
#include "coordinator/rpc/task.h"
#include "vigil/v1/job_service.pb.h"

namespace vigil::coordinator {

Task<absl::Status> SubmitJob(Services* services, CallContext* call,
                             const v1::SubmitJobRequest& request,
                             v1::SubmitJobResponse* response);
Task<absl::Status> SubmitJobs(Services* services, CallContext* call,
                              const v1::SubmitJobsRequest& request,
                              v1::SubmitJobsResponse* response);
Task<absl::Status> GetJob(Services* services, CallContext* call,
                          const v1::GetJobRequest& request,
                          v1::GetJobResponse* response);
Task<absl::Status> ListJobs(Services* services, CallContext* call,
                            const v1::ListJobsRequest& request,
                            v1::ListJobsResponse* response);
Task<absl::Status> CancelJob(Services* services, CallContext* call,
                             const v1::CancelJobRequest& request,
                             v1::CancelJobResponse* response);
Task<absl::Status> ReadOutput(Services* services, CallContext* call,
                              const v1::ReadOutputRequest& request,
                              v1::ReadOutputResponse* response);

}  // namespace vigil::coordinator

#endif  // VIGIL_COORDINATOR_RPC_JOB_HANDLERS_H_
