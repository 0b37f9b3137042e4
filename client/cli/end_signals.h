// End signals: those by which somebody asks the program to end, and waits that
// one of them ends where EventQueue::Wait is out of reach: a file is read
// before there is a call, stdout takes no more. Thread-safe; a wait that
// EventQueue is not to take the signal from is on its thread. Nothing is owned.
#ifndef VIGIL_CLIENT_CLI_END_SIGNALS_H_
#define VIGIL_CLIENT_CLI_END_SIGNALS_H_

#include <signal.h>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace vigil::cli {

inline constexpr int kEndSignals[] = {SIGINT, SIGTERM, SIGHUP};

// The one that came while they were blocked and that nobody took; 0: none.
int PendingEndSignal();

// Waits until `fd` is readable or at its end.
//
// - CANCELLED: an end signal is pending, which it stays: EventQueue::Wait gives
//   it. Whether the descriptor is ready is looked at first.
// - Others: what the system says.
absl::Status AwaitReadable(int fd);

// The same until `fd` takes something, or never will.
absl::Status AwaitWritable(int fd);

// Waits for so long.
//
// - As AwaitReadable.
absl::Status Pause(absl::Duration duration);

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_END_SIGNALS_H_
