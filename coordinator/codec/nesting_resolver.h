// What a job may have beside its own process: the request's own value, else the
// task type's, else the default of job.proto. Pure functions, thread-safe; they
// own nothing.
#ifndef VIGIL_COORDINATOR_CODEC_NESTING_RESOLVER_H_
#define VIGIL_COORDINATOR_CODEC_NESTING_RESOLVER_H_

#include "absl/status/status.h"
#include "vigil/v1/catalog.pb.h"
#include "vigil/v1/job.pb.h"

namespace vigil::coordinator {

// Refuses what a job cannot set for a warm task, whose one process serves many
// jobs. INVALID_ARGUMENT names the field.
absl::Status CheckWarmNesting(const v1::JobSpec& spec,
                              const v1::TaskType& type);

// Writes into `spec`, which CheckNesting took and whose retry is resolved, the
// on_nested_pool (never UNSPECIFIED), max_processes, max_threads, max_rss_bytes
// and stack_dump_signal in force. `type` is null for a command.
// INVALID_ARGUMENT: RETRY_SEQUENTIAL without a second attempt.
absl::Status ResolveNesting(const v1::TaskType* type, v1::JobSpec* spec);

}  // namespace vigil::coordinator

#endif  // VIGIL_COORDINATOR_CODEC_NESTING_RESOLVER_H_
