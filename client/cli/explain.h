// `vigil explain`: what a job waits for, or why and how it ended. Main thread
// only. Owns nothing beyond its calls.
#ifndef VIGIL_CLIENT_CLI_EXPLAIN_H_
#define VIGIL_CLIENT_CLI_EXPLAIN_H_

#include <string>
#include <vector>

#include "client/cli/environment.h"

namespace vigil::cli {

// Returns the exit status of the process: 0, or 125.
int Explain(const std::vector<std::string>& arguments,
            const Environment& environment);

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_EXPLAIN_H_
