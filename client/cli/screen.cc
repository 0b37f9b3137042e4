#include "client/cli/screen.h"

#include <errno.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "client/cli/files.h"

namespace vigil::cli {
namespace {

// The other page, without cursor, and without what is too long going on in
// the next line; and back.
constexpr absl::string_view kTake = "\033[?1049h\033[?25l\033[?7l";
constexpr absl::string_view kGiveBack = "\033[?7h\033[?25h\033[?1049l";

constexpr absl::string_view kClear = "\033[2J";
constexpr absl::string_view kHome = "\033[H";
constexpr absl::string_view kClearBelow = "\033[J";

}  // namespace

Screen::Screen() {
  // In the background, to change the terminal would stop the process.
  termios settings;
  if (tcgetpgrp(STDIN_FILENO) == getpgrp() &&
      tcgetattr(STDIN_FILENO, &settings) == 0) {
    saved_ = settings;
    settings.c_lflag &= static_cast<tcflag_t>(~(ICANON | ECHO));
    // A terminal that is held would hold the loop, and with it every way out.
    settings.c_iflag &= static_cast<tcflag_t>(~IXON);
    settings.c_cc[VSUSP] = _POSIX_VDISABLE;
    settings.c_cc[VMIN] = 1;
    settings.c_cc[VTIME] = 0;
    tcsetattr(STDIN_FILENO, TCSANOW, &settings);
  }
  // A terminal that is gone is told by Draw.
  WriteUnlessSignalled(STDOUT_FILENO, kTake).IgnoreError();
}

Screen::~Screen() {
  WriteUnlessSignalled(STDOUT_FILENO, kGiveBack).IgnoreError();
  if (saved_.has_value()) tcsetattr(STDIN_FILENO, TCSAFLUSH, &*saved_);
}

std::string Screen::ReadKeys() {
  char keys[64];
  const ssize_t got = read(STDIN_FILENO, keys, sizeof(keys));
  if (got > 0) return std::string(keys, static_cast<size_t>(got));
  return got < 0 && (errno == EINTR || errno == EAGAIN) ? "" : "q";
}

absl::Status Screen::Draw(const std::vector<std::string>& lines,
                          TerminalSize size) {
  std::string text;
  if (size.columns != drawn_size_.columns || size.rows != drawn_size_.rows) {
    text = std::string(kClear);
  }
  drawn_size_ = size;
  absl::StrAppend(&text, kHome);
  // Cleared before it is written: behind a full line the cursor stands on its
  // last character.
  for (size_t i = 0; i < lines.size(); ++i) {
    absl::StrAppend(&text, i > 0 ? "\r\n" : "", kClearLine, lines[i]);
  }
  if (lines.size() < static_cast<size_t>(size.rows)) {
    absl::StrAppend(&text, "\r\n", kClearBelow);
  }
  return WriteUnlessSignalled(STDOUT_FILENO, text);
}

}  // namespace vigil::cli
