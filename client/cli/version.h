// `vigil version`: what this program is, and what the coordinator is. Main
// thread only. Owns nothing.
#ifndef VIGIL_CLIENT_CLI_VERSION_H_
#define VIGIL_CLIENT_CLI_VERSION_H_

#include <string>
#include <vector>

#include "client/cli/environment.h"

namespace vigil::cli {

// Returns the exit status of the process.
int Version(const std::vector<std::string>& arguments,
            const Environment& environment);

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_VERSION_H_
