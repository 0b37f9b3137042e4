// `vigil completion`: prints what makes a shell complete the command line of
// vigil. Main thread only. Owns nothing.
#ifndef VIGIL_CLIENT_CLI_COMPLETION_H_
#define VIGIL_CLIENT_CLI_COMPLETION_H_

#include <string>
#include <vector>

#include "client/cli/environment.h"

namespace vigil::cli {

// Returns the exit status of the process.
int Completion(const std::vector<std::string>& arguments,
               const Environment& environment);

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_COMPLETION_H_
