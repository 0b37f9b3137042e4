// How work has ended lately, as `vigil top` shows it. A pure function;
// thread-safe.
#ifndef VIGIL_CLIENT_CLI_TELEMETRY_FORMAT_H_
#define VIGIL_CLIENT_CLI_TELEMETRY_FORMAT_H_

#include <string>

#include "client/cli/format.h"
#include "vigil/v1/telemetry.pb.h"

namespace vigil::cli {

// Health with its causes, counts, and the most frequent messages: a few lines,
// each with its newline. Empty when nothing has ended lately.
std::string FormatTelemetry(const v1::Telemetry& telemetry, const Style& style);

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_TELEMETRY_FORMAT_H_
