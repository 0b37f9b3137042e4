#include "client/cli/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include "client/cli/limits.h"

namespace vigil::cli {

int ColumnsOf(int fd) {
  winsize size = {};
  if (ioctl(fd, TIOCGWINSZ, &size) != 0) return 0;
  return size.ws_col == 0 ? kTerminalColumnsDefault : size.ws_col;
}

int ColumnsOfStderr() {
  const int columns = ColumnsOf(STDERR_FILENO);
  return (columns == 0 ? kTerminalColumnsDefault : columns) - 1;
}

TerminalSize SizeOfStdout() {
  winsize size = {};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 ||
      size.ws_row == 0) {
    return {kTerminalColumnsDefault, kTerminalRowsDefault};
  }
  return {size.ws_col, size.ws_row};
}

}  // namespace vigil::cli
