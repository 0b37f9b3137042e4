// Screen: takes a terminal for a program that draws all of it, and gives it
// back as it was. Main thread only. Owns the state of the terminal on stdout
// and, where that is one too, of stdin, until it goes away.
#ifndef VIGIL_CLIENT_CLI_SCREEN_H_
#define VIGIL_CLIENT_CLI_SCREEN_H_

#include <termios.h>

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "client/cli/terminal.h"

namespace vigil::cli {

class Screen {
 public:
  // Turns to the terminal's other page, hides the cursor, and has keys come as
  // they are pressed; Ctrl+C still is a signal, Ctrl+Z is not.
  Screen();
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;
  ~Screen();

  // What has a key to read; -1: stdin is no terminal, or not ours.
  int keys_fd() const { return saved_.has_value() ? 0 : -1; }

  // The keys that were pressed; "q" where there will never be another one.
  std::string ReadKeys();

  // Draws these lines, which fit into `size`, in place of those before.
  //
  // - Whatever the system says when the terminal is gone.
  absl::Status Draw(const std::vector<std::string>& lines, TerminalSize size);

 private:
  // Of stdin, as it was.
  std::optional<termios> saved_;
  TerminalSize drawn_size_ = {0, 0};
};

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_SCREEN_H_
