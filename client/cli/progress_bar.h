// The progress of a batch as one line: a bar for a terminal, plain text
// elsewhere. Pure functions, thread-safe.
#ifndef VIGIL_CLIENT_CLI_PROGRESS_BAR_H_
#define VIGIL_CLIENT_CLI_PROGRESS_BAR_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "client/cli/format.h"

namespace vigil::cli {

struct BatchProgress {
  // Items that came to an end, however.
  int64_t done = 0;
  // Of those, the ones that failed and were not expected to.
  int64_t failed = 0;
  int64_t running = 0;
  // What is said of those: where it is not known which of them run and which
  // wait, they are "in flight".
  std::string running_word = "running";
  // Of those that succeeded: after a retry, by a fallback, partially.
  int64_t retried = 0;
  int64_t degraded = 0;
  int64_t truncated = 0;
  // Items read so far, and all there are, if that is known.
  int64_t read = 0;
  std::optional<int64_t> total;
  double per_second = 0;
  // What the oldest job waits for while none runs; empty: nothing.
  std::string waits;
};

// How long the rest takes at the present rate; nullopt when that cannot be
// said.
std::optional<absl::Duration> TimeLeft(const BatchProgress& progress);

// `[======>      ]  50% 812/1643  2 running  17 failed  26.5/s  31s left`, at
// most `columns` wide; the bar takes the room that is left, or goes. Counts of
// retried, degraded and truncated items stand behind the failed ones when there
// are some.
std::string RenderBar(const BatchProgress& progress, int columns,
                      const Style& style);

// `812 of 1643 done, 2 running, 17 failed, 26.5/s, 31s left`.
std::string RenderLine(const BatchProgress& progress);

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_PROGRESS_BAR_H_
