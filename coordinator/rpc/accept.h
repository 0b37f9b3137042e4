// Acceptance of a submission, shared by SubmitJob, SubmitJobs and RunJob. Loop
// thread only.
#ifndef VIGIL_COORDINATOR_RPC_ACCEPT_H_
#define VIGIL_COORDINATOR_RPC_ACCEPT_H_

#include <string>

#include "absl/status/statusor.h"
#include "base/ids.h"
#include "coordinator/rpc/call_context.h"
#include "coordinator/rpc/task.h"
#include "vigil/v1/job.pb.h"
#include "vigil/v1/job_service.pb.h"

namespace vigil::coordinator {

struct Accepted {
  v1::Job job;
  // request_id had made this job before.
  bool existed = false;
};

// Refuses, and counts, `jobs` jobs that a task submits.
// FAILED_PRECONDITION: the call comes from a task.
absl::Status RefuseNestedDispatch(Services* services, const CallContext& call,
                                  int jobs);

// Accepts one job; await Durable before answering. Statuses as
// JobService.SubmitJob.
Task<absl::StatusOr<Accepted>> AcceptJob(Services* services, CallContext* call,
                                         const v1::SubmitJobRequest& request,
                                         bool cancel_on_disconnect);

// The task type of a spec, null for a command that this caller may send.
// NOT_FOUND, PERMISSION_DENIED: as JobService.SubmitJob.
absl::StatusOr<const v1::TaskType*> FindTaskType(Services* services,
                                                 const CallContext& call,
                                                 const v1::JobSpec& spec);

// INVALID_ARGUMENT: too long.
absl::Status CheckRequestId(const std::string& request_id);

// The namespace that a request means. INVALID_ARGUMENT: no valid name.
absl::StatusOr<std::string> NamespaceOf(const std::string& requested);

// The error for a job that is not, or not in this namespace.
absl::Status NoSuchJob(const std::string& job_id, const std::string& name);

}  // namespace vigil::coordinator

#endif  // VIGIL_COORDINATOR_RPC_ACCEPT_H_
