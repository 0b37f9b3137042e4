#include "client/cli/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include "client/cli/limits.h"

namespace vigil::cli {

int ColumnsOfStderr() {
  winsize size = {};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) {
    return kTerminalColumnsDefault - 1;
  }
  return size.ws_col - 1;
}

}  // namespace vigil::cli
