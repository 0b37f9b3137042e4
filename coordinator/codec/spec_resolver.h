// SpecResolver: checks what a client asks for, and writes into it every clock
// and policy that will be in force: the request's own value, else the task
// type's, else the server's. Nothing overrides a request, and nothing is
// clamped: what is out of bounds is refused, naming field and bound.
// Thread-compatible.
#ifndef VIGIL_COORDINATOR_CODEC_SPEC_RESOLVER_H_
#define VIGIL_COORDINATOR_CODEC_SPEC_RESOLVER_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/policy.h"
#include "coordinator/codec/spec_checks.h"
#include "vigil/v1/catalog.pb.h"
#include "vigil/v1/job.pb.h"

namespace vigil::coordinator {

struct ServerDefaults {
  Timeouts timeouts;
  // start_to_close_timeout of a job that is SILENT.
  absl::Duration silent_start_to_close = absl::Seconds(300);
  // No request may ask for a longer clock.
  absl::Duration timeout_max = absl::Hours(24);
  RetryPolicy retry;
  // Of a job whose progress counts chunks.
  ChunkPolicy chunks;
};

class SpecResolver {
 public:
  explicit SpecResolver(const ServerDefaults& defaults) : defaults_(defaults) {}

  // Resolves `spec`. `type` is its task type as last announced; null for a
  // command. INVALID_ARGUMENT and FAILED_PRECONDITION (arguments for a type
  // that takes none) name the field.
  absl::StatusOr<v1::JobSpec> Resolve(const v1::JobSpec& spec,
                                      const v1::TaskType* type) const;

 private:
  absl::Status ResolveTimeouts(const v1::Timeouts* type, bool silent,
                               v1::Timeouts* timeouts) const;
  absl::Status ResolveRetry(const v1::RetryPolicy* type,
                            v1::RetryPolicy* retry) const;
  // `spec` has a chunk_policy, or its type has.
  absl::Status ResolveChunks(const v1::TaskType* type, v1::JobSpec* spec) const;

  const ServerDefaults defaults_;
};

}  // namespace vigil::coordinator

#endif  // VIGIL_COORDINATOR_CODEC_SPEC_RESOLVER_H_
