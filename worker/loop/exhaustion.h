// Whose shortage a failure for want of something was: the task's own, or its
// host's. Blocks only for /proc; thread-safe. Owns nothing.
#ifndef VIGIL_WORKER_LOOP_EXHAUSTION_H_
#define VIGIL_WORKER_LOOP_EXHAUSTION_H_

#include <string>

#include "base/reason.h"

namespace vigil::worker {

// What the host is short of now, as a sentence; empty: it has room. Reads below
// `proc_directory`, as mounted at /proc.
std::string HostShortage(const std::string& proc_directory);

// Says of a RESOURCE_EXHAUSTED or OUT_OF_MEMORY failure whose shortage it was,
// unless it says so already; others stay as they are.
void AddExhaustion(Failure* failure);

}  // namespace vigil::worker

#endif  // VIGIL_WORKER_LOOP_EXHAUSTION_H_
