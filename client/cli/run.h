// `vigil run`: runs one job, streams it, and exits as its program did. Main
// thread only. Owns the private coordinator that it may start.
#ifndef VIGIL_CLIENT_CLI_RUN_H_
#define VIGIL_CLIENT_CLI_RUN_H_

#include <string>
#include <vector>

#include "client/cli/environment.h"

namespace vigil::cli {

// Returns the exit status of the process; see exit_code.h.
int Run(const std::vector<std::string>& arguments,
        const Environment& environment);

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_RUN_H_
