// `vigil worker`: what a person does to workers; so far `clear-cache`. Main
// thread only. Owns nothing beyond its calls.
#ifndef VIGIL_CLIENT_CLI_WORKER_H_
#define VIGIL_CLIENT_CLI_WORKER_H_

#include <string>
#include <vector>

#include "client/cli/environment.h"

namespace vigil::cli {

// Returns the exit status of the process: 0 if every worker did it.
int Worker(const std::vector<std::string>& arguments,
           const Environment& environment);

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_WORKER_H_
