// The exit statuses of the verbs. That of `vigil run` is the program's own
// where it has one, and otherwise mostly those of timeout(1) and the shells.
// Pure functions, thread-safe.
#ifndef VIGIL_CLIENT_CLI_EXIT_CODE_H_
#define VIGIL_CLIENT_CLI_EXIT_CODE_H_

#include "vigil/v1/job.pb.h"

namespace vigil::cli {

// A warm task, which stays, reported an error: no exit status tells of it.
inline constexpr int kExitTaskError = 1;
// What the words name is not there, as systemctl has it: scripts tell it from a
// coordinator that cannot be reached.
inline constexpr int kExitNoSuchThing = 4;
// Some jobs of a batch failed, as xargs has it; or some checks of the doctor.
inline constexpr int kExitSomeFailed = 123;
// One of the job's clocks ended it.
inline constexpr int kExitTimeout = 124;
// Vigil itself failed, or was not understood.
inline constexpr int kExitVigil = 125;
// The program was found and could not be started.
inline constexpr int kExitNotExecutable = 126;
// The program was not found.
inline constexpr int kExitNotFound = 127;
// Plus the signal that ended the program or, 130, the CLI by Ctrl+C.
inline constexpr int kExitSignal = 128;

// The status for a job in a final state. A cancelled job gives 130.
int ExitCodeFor(const v1::Job& job);

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_EXIT_CODE_H_
