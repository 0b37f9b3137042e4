// FindLeftovers: which processes earlier lives of a worker left behind, judged
// from two lists of all processes and the slots' records. Pure, thread-safe.
// Owns nothing.
#ifndef VIGIL_WORKER_SWEEP_LEFTOVERS_H_
#define VIGIL_WORKER_SWEEP_LEFTOVERS_H_

#include <sys/types.h>

#include <map>
#include <vector>

#include "absl/strings/string_view.h"
#include "worker/slot/record.h"
#include "worker/sweep/process_table.h"

namespace vigil::sweep {

// How a process was recognised.
enum class FoundBy {
  kSlotRecord,
  kTaskRecord,
  kMark,
  // Of one that was recognised otherwise.
  kDescent,
};

// In words, as in vigil.v1.SweptProcess.
absl::string_view FoundByText(FoundBy found_by);

using Recognised = std::map<slot::ProcessKey, FoundBy>;

struct Leftover {
  Process process;
  FoundBy found_by;
};

struct Findings {
  // Descendants before their ancestors.
  std::vector<Leftover> leftovers;
  // Something that may be a leftover came, went or moved meanwhile: look again.
  bool unsettled = false;
  // Living processes that are not the worker's own and whose environment may
  // not be read.
  std::vector<Process> unreadable;
};

// `first` and `second` were listed one after the other by the worker with pid
// `self`. Leftovers are those in `recognised`, those with the mark, and the
// descendants of either, but never the worker and its descendants. Who is whose
// descendant is believed where both lists agree on the whole way up: at the
// instant between them all of it was true. A process that was no descendant of
// the worker then never becomes one.
Findings FindLeftovers(const std::vector<Process>& first,
                       const std::vector<Process>& second, pid_t self,
                       const Recognised& recognised);

}  // namespace vigil::sweep

#endif  // VIGIL_WORKER_SWEEP_LEFTOVERS_H_
