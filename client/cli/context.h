// `vigil context`: named settings of connections, kept in a file. Main thread
// only. Owns nothing.
#ifndef VIGIL_CLIENT_CLI_CONTEXT_H_
#define VIGIL_CLIENT_CLI_CONTEXT_H_

#include <string>
#include <vector>

#include "client/cli/environment.h"

namespace vigil::cli {

// Returns the exit status of the process.
int Context(const std::vector<std::string>& arguments,
            const Environment& environment);

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_CONTEXT_H_
