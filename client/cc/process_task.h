// ProcessTask: the task of Vigil that this process runs in, as its environment
// says. Thread-safe unless another thread changes the environment meanwhile.
#ifndef VIGIL_CLIENT_CC_PROCESS_TASK_H_
#define VIGIL_CLIENT_CC_PROCESS_TASK_H_

#include <string>

namespace vigil::client {

// Returns the token to send along with calls (see base/task_token.h), or
// nothing outside of tasks.
//
// It is the one place below main files that reads the environment: a service
// that runs in a task need not know of it, and a client that had to be told
// would not be told.
std::string ProcessTask();

}  // namespace vigil::client

#endif  // VIGIL_CLIENT_CC_PROCESS_TASK_H_
