// ReadHostLoad: how busy the machine is, and what is under stress there. Blocks
// only for /proc; thread-safe. Owns nothing.
#ifndef VIGIL_WORKER_LOOP_HOST_LOAD_H_
#define VIGIL_WORKER_LOOP_HOST_LOAD_H_

#include <string>
#include <vector>

#include "base/host.h"

namespace vigil::worker {

// `proc_dir` is where proc(5) is mounted. Takes about three milliseconds for
// each thousand processes, up to kHostProcessesMax.
HostLoad ReadHostLoad(const std::string& proc_dir = "/proc");

// Whether less than kMemoryAvailableShareMin of the memory is available.
bool IsShortOfMemory(const HostLoad& load);

// What of `load` is under stress, in words; see limits.h for the bounds.
// Nothing is said of what is not known.
std::vector<std::string> StressOf(const HostLoad& load);

}  // namespace vigil::worker

#endif  // VIGIL_WORKER_LOOP_HOST_LOAD_H_
