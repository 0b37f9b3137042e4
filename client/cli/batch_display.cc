#include "client/cli/batch_display.h"

#include <unistd.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "client/cli/files.h"
#include "client/cli/limits.h"
#include "client/cli/terminal.h"

namespace vigil::cli {
namespace {

void ToStderr(absl::string_view text) {
  // Progress that cannot be shown is no reason to fail.
  WriteUnlessSignalled(STDERR_FILENO, text).IgnoreError();
}

}  // namespace

BatchDisplay::BatchDisplay(const Environment& environment, absl::Time now)
    : is_terminal_(environment.stderr_is_terminal),
      style_(environment.StyleOfStderr()),
      next_(is_terminal_ ? now : now + kLineInterval) {
  rate_.Record(now, 0);
}

void BatchDisplay::Show(BatchProgress progress, absl::Time now) {
  if (now < next_) return;
  next_ = now + (is_terminal_ ? kBarInterval : kLineInterval);
  rate_.Record(now, progress.done);
  progress.per_second = rate_.PerSecond();
  if (!is_terminal_) {
    std::string line = absl::StrCat("vigil: ", RenderLine(progress), "\n");
    if (line == last_line_ && now - last_line_time_ < kSameLineInterval) return;
    ToStderr(line);
    last_line_ = std::move(line);
    last_line_time_ = now;
    return;
  }
  ToStderr(
      absl::StrCat(kClearLine, RenderBar(progress, ColumnsOfStderr(), style_)));
  drawn_ = true;
}

void BatchDisplay::Write(absl::string_view text) {
  Clear();
  ToStderr(text);
}

void BatchDisplay::Clear() {
  if (drawn_) ToStderr(kClearLine);
  drawn_ = false;
  if (is_terminal_) next_ = absl::InfinitePast();
}

}  // namespace vigil::cli
