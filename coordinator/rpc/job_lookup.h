// Finding a job wherever it is: live in the core, or ended in the store. Loop
// thread only.
#ifndef VIGIL_COORDINATOR_RPC_JOB_LOOKUP_H_
#define VIGIL_COORDINATOR_RPC_JOB_LOOKUP_H_

#include <string>

#include "absl/status/statusor.h"
#include "coordinator/rpc/call_context.h"
#include "coordinator/rpc/task.h"
#include "vigil/v1/job.pb.h"

namespace vigil::coordinator {

struct FoundJob {
  v1::Job job;
  // Not in a final state that is durable: the core still has it.
  bool live = false;
};

// The job as it is durably. NOT_FOUND: no such job in this namespace.
// INVALID_ARGUMENT: no valid namespace or id.
Task<absl::StatusOr<FoundJob>> LookUpJob(Services* services,
                                         const std::string& requested_namespace,
                                         const std::string& job_id);

// The program of a job: JobSpec.command, arguments and input.
Task<absl::StatusOr<v1::JobSpec>> LookUpProgram(Services* services,
                                                const std::string& job_id);

}  // namespace vigil::coordinator

#endif  // VIGIL_COORDINATOR_RPC_JOB_LOOKUP_H_
