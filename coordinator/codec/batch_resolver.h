// BatchResolver: checks what a client asks for with a batch and with each of
// its items, as SpecResolver does for a job. Pure functions, thread-safe.
#ifndef VIGIL_COORDINATOR_CODEC_BATCH_RESOLVER_H_
#define VIGIL_COORDINATOR_CODEC_BATCH_RESOLVER_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "coordinator/codec/spec_resolver.h"
#include "vigil/v1/batch.pb.h"
#include "vigil/v1/catalog.pb.h"
#include "vigil/v1/job.pb.h"

namespace vigil::coordinator {

// Resolves `spec`, its job included. `type` is the task type of its job as last
// announced; null for a command. What only items may give, argv and input, may
// be missing. Statuses as SpecResolver::Resolve.
absl::StatusOr<v1::BatchSpec> ResolveBatch(const v1::BatchSpec& spec,
                                           const v1::TaskType* type,
                                           const SpecResolver& resolver);

// The program of one item: what `program`, the batch's own, says where `item`
// says nothing. `type` as above; `needs_input`: the fallback is the input.
// INVALID_ARGUMENT, FAILED_PRECONDITION: no job can be made of it.
absl::StatusOr<v1::JobSpec> ProgramOf(const v1::JobSpec& program,
                                      const v1::TaskType* type,
                                      bool needs_input, v1::BatchItem item);

}  // namespace vigil::coordinator

#endif  // VIGIL_COORDINATOR_CODEC_BATCH_RESOLVER_H_
