// `vigil watch`: follows a job or a batch that somebody started to its end.
// Main thread only. Owns nothing.
#ifndef VIGIL_CLIENT_CLI_WATCH_H_
#define VIGIL_CLIENT_CLI_WATCH_H_

#include <string>
#include <vector>

#include "client/cli/environment.h"

namespace vigil::cli {

// Returns the exit status of the process.
int Watch(const std::vector<std::string>& arguments,
          const Environment& environment);

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_WATCH_H_
