// `vigil batch`: runs a job for each item of a file or of stdin, as xargs does.
// Main thread only. Owns nothing beyond its calls.
#ifndef VIGIL_CLIENT_CLI_BATCH_H_
#define VIGIL_CLIENT_CLI_BATCH_H_

#include <string>
#include <vector>

#include "client/cli/environment.h"

namespace vigil::cli {

// Returns the exit status of the process: 0 when every job ended as it should,
// 123 when some did not, else as in exit_code.h.
int Batch(const std::vector<std::string>& arguments,
          const Environment& environment);

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_BATCH_H_
