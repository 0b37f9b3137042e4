// Finding a job wherever it is: live in the core, or ended in the store. Loop
// thread only.
#ifndef VIGIL_COORDINATOR_RPC_JOB_LOOKUP_H_
#define VIGIL_COORDINATOR_RPC_JOB_LOOKUP_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "coordinator/rpc/call_context.h"
#include "coordinator/rpc/task.h"
#include "vigil/v1/job.pb.h"

namespace vigil::coordinator {

struct FoundJob {
  v1::Job job;
  // It has not ended: the core still has it.
  bool live = false;
  // Bytes of what an ended job left as its result; absent: nothing.
  std::optional<int64_t> result_bytes;
};

// The job as it is durably. NOT_FOUND: no such job in this namespace.
// INVALID_ARGUMENT: no valid namespace or id.
Task<absl::StatusOr<FoundJob>> LookUpJob(Services* services,
                                         const std::string& requested_namespace,
                                         const std::string& job_id);

// Adds what an ended job left as its result or partial result, if anything.
Task<absl::Status> LookUpResult(Services* services, FoundJob* found);

// The program of a job: JobSpec.command, arguments and input.
Task<absl::StatusOr<v1::JobSpec>> LookUpProgram(Services* services,
                                                const std::string& job_id);

}  // namespace vigil::coordinator

#endif  // VIGIL_COORDINATOR_RPC_JOB_LOOKUP_H_
