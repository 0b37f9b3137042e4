#include "client/cc/process_task.h"

#include <cstdlib>

#include "base/task_token.h"

namespace vigil::client {

std::string ProcessTask() {
  const char* token = std::getenv(kTaskTokenVariable);
  return token == nullptr ? std::string() : CleanTaskToken(token);
}

}  // namespace vigil::client
