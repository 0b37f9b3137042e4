// `vigil top`: shows what a coordinator does, again and again. Main thread
// only. Owns the terminal while it draws on one.
#ifndef VIGIL_CLIENT_CLI_TOP_H_
#define VIGIL_CLIENT_CLI_TOP_H_

#include <string>
#include <vector>

#include "client/cli/environment.h"

namespace vigil::cli {

// Returns the exit status of the process.
int Top(const std::vector<std::string>& arguments,
        const Environment& environment);

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_TOP_H_
