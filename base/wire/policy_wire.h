// Policies between a resolved JobSpec and the plain values of base/policy.h.
// Pure functions, thread-safe.
#ifndef VIGIL_BASE_WIRE_POLICY_WIRE_H_
#define VIGIL_BASE_WIRE_POLICY_WIRE_H_

#include "base/policy.h"
#include "vigil/v1/job.pb.h"
#include "vigil/v1/policy.pb.h"

namespace vigil {

// Clocks that are not set are off.
Timeouts FromProto(const v1::Timeouts& proto);

RetryPolicy FromProto(const v1::RetryPolicy& proto);

// An expected_chunk_time that is not set is off.
ChunkPolicy FromProto(const v1::ChunkPolicy& proto);

// How a worker judges an attempt of this job. Expects a resolved spec, in which
// every clock in force is set.
Supervision SupervisionOf(const v1::JobSpec& spec);

}  // namespace vigil

#endif  // VIGIL_BASE_WIRE_POLICY_WIRE_H_
