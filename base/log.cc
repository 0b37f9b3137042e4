#include "base/log.h"

#include <unistd.h>

#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace vigil {
namespace {

// A message longer than this, in bytes, is cut: one line of a terminal or of a
// journal, not a dump.
constexpr size_t kLineBytesMax = 4096;

char Letter(LogSeverity severity) {
  switch (severity) {
    case LogSeverity::kInfo:
      return 'I';
    case LogSeverity::kWarning:
      return 'W';
    case LogSeverity::kError:
      return 'E';
  }
  return '?';
}

}  // namespace

void Log(LogSeverity severity, absl::string_view message) {
  const char letter[] = {' ', Letter(severity), ' ', '\0'};
  const std::string line = absl::StrCat(
      absl::FormatTime("%Y-%m-%d %H:%M:%E3S", absl::Now(),
                       absl::LocalTimeZone()),
      letter, absl::Utf8SafeCEscape(message.substr(0, kLineBytesMax)), "\n");
  [[maybe_unused]] const ssize_t written =
      write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace vigil
