// The verb `vigil doctor`: checks whether Vigil works here, in coordinators of
// its own or on one that runs. Main thread only; borrows the environment.
#ifndef VIGIL_CLIENT_CLI_DOCTOR_H_
#define VIGIL_CLIENT_CLI_DOCTOR_H_

#include <string>
#include <vector>

#include "client/cli/environment.h"

namespace vigil::cli {

// Returns the exit status: 0, or kExitSomeFailed if a check failed.
int Doctor(const std::vector<std::string>& arguments,
           const Environment& environment);

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_DOCTOR_H_
