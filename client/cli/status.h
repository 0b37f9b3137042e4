// `vigil status`: what runs and what waits on a coordinator. Main thread only.
// Owns nothing beyond its call.
#ifndef VIGIL_CLIENT_CLI_STATUS_H_
#define VIGIL_CLIENT_CLI_STATUS_H_

#include <string>
#include <vector>

#include "client/cli/environment.h"

namespace vigil::cli {

// Returns the exit status of the process: 0, or 125.
int Status(const std::vector<std::string>& arguments,
           const Environment& environment);

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_STATUS_H_
