// Telemetry as the API shows it. A pure function; thread-safe.
#ifndef VIGIL_COORDINATOR_TELEMETRY_TELEMETRY_VIEW_H_
#define VIGIL_COORDINATOR_TELEMETRY_TELEMETRY_VIEW_H_

#include "coordinator/telemetry/telemetry.h"
#include "vigil/v1/telemetry.pb.h"

namespace vigil::coordinator {

// As of the last Advance.
v1::Telemetry ToProto(const Telemetry& telemetry);

}  // namespace vigil::coordinator

#endif  // VIGIL_COORDINATOR_TELEMETRY_TELEMETRY_VIEW_H_
