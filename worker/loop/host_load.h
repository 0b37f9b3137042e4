// ReadHostLoad: how busy the machine is, for people. Blocks only for /proc;
// thread-safe. Owns nothing.
#ifndef VIGIL_WORKER_LOOP_HOST_LOAD_H_
#define VIGIL_WORKER_LOOP_HOST_LOAD_H_

#include <cstdint>

namespace vigil::worker {

// Zero where the system does not say.
struct HostLoad {
  // Of the last minute.
  double load_average = 0;
  int64_t memory_available_bytes = 0;
};

HostLoad ReadHostLoad();

}  // namespace vigil::worker

#endif  // VIGIL_WORKER_LOOP_HOST_LOAD_H_
