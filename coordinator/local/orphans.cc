#include "coordinator/local/orphans.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>

namespace vigil::coordinator {
namespace {

// An orphan becomes the child of some thread of the subreaper, mostly the
// first.
void KillChildren() {
  std::error_code error;
  for (const auto& task :
       std::filesystem::directory_iterator("/proc/self/task", error)) {
    std::ifstream children(task.path() / "children");
    pid_t pid = 0;
    while (children >> pid) kill(pid, SIGKILL);
  }
}

}  // namespace

int KillAndReapAllChildren() {
  int reaped = 0;
  for (;;) {
    KillChildren();
    // A child that was killed may hand its own children up when it is reaped:
    // then they are killed too.
    const pid_t pid = waitpid(-1, nullptr, 0);
    if (pid > 0) ++reaped;
    if (pid < 0 && errno == ECHILD) return reaped;
  }
}

}  // namespace vigil::coordinator
