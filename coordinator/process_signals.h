// What the coordinator's process is told from outside: to stop, and to read its
// files again. Signals are waited for, not delivered, on threads that live as
// long as the process. Thread-safe; owns nothing.
#ifndef VIGIL_COORDINATOR_PROCESS_SIGNALS_H_
#define VIGIL_COORDINATOR_PROCESS_SIGNALS_H_

#include <functional>

#include "coordinator/rpc/server.h"

namespace vigil::coordinator {

// Blocks the signals that HandleSignals waits for, in this thread and those
// that it starts from now on, and ignores SIGPIPE. To be called before any is
// started.
void BlockSignals();

// Waits for SIGTERM or SIGINT, which drains `server`; a second one ends the
// process at once. `reload` is called on the loop for each SIGHUP before that.
// `server` lives as long as the process.
void HandleSignals(RpcServer* server, std::function<void()> reload);

// Stops `server`, which lives as long as the process, when stdin ends.
void StopAtEndOfStdin(RpcServer* server);

}  // namespace vigil::coordinator

#endif  // VIGIL_COORDINATOR_PROCESS_SIGNALS_H_
