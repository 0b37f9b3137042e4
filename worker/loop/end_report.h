// CompleteEnd: puts into the end of an attempt what its output and CPU time
// show, so that a person need not look further. A pure function, thread-safe.
#ifndef VIGIL_WORKER_LOOP_END_REPORT_H_
#define VIGIL_WORKER_LOOP_END_REPORT_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/attempt.h"

namespace vigil::worker {

struct EndFacts {
  // The last bytes of both streams when the stop was decided, and of stderr at
  // the end.
  std::string last_output;
  std::string stderr_tail;
  // CPU time used since the last activity when the stop was decided.
  std::optional<absl::Duration> cpu_time_in_silence;
  // The processes when the stop was decided; else those left behind.
  TreeFacts tree = {};
  std::string stack_dump = {};
};

// Fills in the evidence, if there is any. Appends the last line of output to
// the message of a clock's failure and the last line of stderr to that of a
// program that failed; advises on buffering where a silent program was busy.
void CompleteEnd(const EndFacts& facts, AttemptEnd* end);

// The last line of `text` that is not blank, escaped and quoted, its last
// kQuoteBytesMax bytes; empty if there is none.
std::string QuoteLastLine(absl::string_view text);

}  // namespace vigil::worker

#endif  // VIGIL_WORKER_LOOP_END_REPORT_H_
