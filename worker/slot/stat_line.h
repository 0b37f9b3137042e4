// StatLine: what /proc/PID/stat says of a process, as far as Vigil wants to
// know it. Pure, thread-safe. A value; owns nothing else.
#ifndef VIGIL_WORKER_SLOT_STAT_LINE_H_
#define VIGIL_WORKER_SLOT_STAT_LINE_H_

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace vigil::slot {

struct StatLine {
  pid_t pid = 0;
  // May hold anything, parentheses and line breaks too.
  std::string name;
  char state = '?';
  // 0: none, or one outside of the pid namespace.
  pid_t parent = 0;
  // A thread of the kernel's own.
  bool kernel = false;
  // It is on its way out: it runs no code of its own any more.
  bool exiting = false;
  int threads = 0;
  // In clock ticks since boot.
  uint64_t start_ticks = 0;
  // CPU time in clock ticks: its own, and of the children that it waited for.
  int64_t cpu_ticks = 0;
  int64_t waited_cpu_ticks = 0;
  // Resident memory in pages; 0 if the line does not say.
  int64_t rss_pages = 0;

  // It has ended and was not reaped. A process whose first thread alone has
  // ended is a zombie by `state` and lives.
  bool dead() const { return state == 'X' || (state == 'Z' && threads <= 1); }
};

// nullopt: `text` is no such line.
std::optional<StatLine> ParseStatLine(absl::string_view text);

// `time`, since boot, in the clock ticks that /proc counts in, rounded down;
// and back. Neither takes a lock once it was called before.
uint64_t TicksAt(absl::Duration time);
absl::Duration TimeOfTicks(int64_t ticks);

}  // namespace vigil::slot

#endif  // VIGIL_WORKER_SLOT_STAT_LINE_H_
