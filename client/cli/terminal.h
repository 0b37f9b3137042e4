// Terminal: what is needed to draw a line of a terminal again and again.
// Thread-safe; the descriptor is borrowed.
#ifndef VIGIL_CLIENT_CLI_TERMINAL_H_
#define VIGIL_CLIENT_CLI_TERMINAL_H_

namespace vigil::cli {

// Written to a terminal: empties the line that the cursor is on.
inline constexpr char kClearLine[] = "\r\033[K";

// How many columns the terminal has that is open as `fd`; 0: it is none.
int ColumnsOf(int fd);

// How many columns a line on stderr may use. The last one stays free: some
// terminals wrap when it is written.
int ColumnsOfStderr();

// How large the terminal is that stdout is, in columns and rows.
struct TerminalSize {
  int columns;
  int rows;
};
TerminalSize SizeOfStdout();

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_TERMINAL_H_
