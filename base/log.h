// Log: one plain line to stderr, with its time, for what an operator wants to
// know of a process: starts, losses, errors; nothing per job. Thread-safe:
// each line is one write. Owns nothing.
#ifndef VIGIL_BASE_LOG_H_
#define VIGIL_BASE_LOG_H_

#include "absl/strings/string_view.h"

namespace vigil {

enum class LogSeverity {
  kInfo,
  // Something an operator may want to act on; the process goes on by itself.
  kWarning,
  // Something was lost, or the process ends.
  kError,
};

// Writes "2026-01-31 12:00:00.000 E message". Bytes that would break the line
// are escaped; a line that stderr does not take is lost.
void Log(LogSeverity severity, absl::string_view message);

}  // namespace vigil

#endif  // VIGIL_BASE_LOG_H_
