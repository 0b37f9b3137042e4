// What a slot says, as the worker's core wants to know it. Pure functions,
// thread-safe.
#ifndef VIGIL_WORKER_LOOP_SLOT_WORDS_H_
#define VIGIL_WORKER_LOOP_SLOT_WORDS_H_

#include "base/attempt.h"
#include "worker/core/core.h"
#include "worker/slot/slot_event.h"

namespace vigil::worker {

inline Exit ExitOf(const slot::Exited& exited) {
  Exit exit;
  exit.status = exited.status;
  exit.signal = exited.signum;
  return exit;
}

inline NestedCall NestedCallOf(const slot::NestedCallSeen& seen) {
  return {seen.program, seen.call,
          seen.refused ? NestedCall::Outcome::kRefused
                       : NestedCall::Outcome::kAllowed,
          seen.count, ""};
}

inline TreeReport TreeReportOf(const slot::TreeEmpty& empty) {
  TreeReport report;
  report.leftovers_killed = empty.leftovers_killed;
  report.killed = empty.killed;
  report.lease_expired = empty.lease_expired;
  report.unconfirmed = empty.unconfirmed;
  report.user_time = empty.user_time;
  report.system_time = empty.system_time;
  report.max_rss_bytes = empty.max_rss_bytes;
  return report;
}

}  // namespace vigil::worker

#endif  // VIGIL_WORKER_LOOP_SLOT_WORDS_H_
