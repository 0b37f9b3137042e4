#include "client/cli/exit_code.h"

#include <errno.h>
#include <signal.h>

#include "base/reason.h"

namespace vigil::cli {
namespace {

int ProgramsOwn(const v1::Job& job) {
  if (!job.has_exit()) return kExitTaskError;
  const v1::Exit& exit = job.exit();
  if (exit.has_signal()) return kExitSignal + exit.signal();
  return exit.status() == 0 ? kExitVigil : exit.status();
}

bool ExitedByItself(const v1::Job& job) {
  return job.exit().has_status() && job.exit().status() != 0;
}

int ExitCodeForStart(const v1::Job& job) {
  const bool not_found = !job.attempts().empty() &&
                         job.attempts().rbegin()->spawn_errno() == ENOENT;
  return not_found ? kExitNotFound : kExitNotExecutable;
}

int ExitCodeForFailure(const v1::Job& job) {
  switch (static_cast<Reason>(job.failure().reason())) {
    case Reason::kStartupTimeout:
    case Reason::kInactivityTimeout:
    case Reason::kProgressTimeout:
    case Reason::kStartToCloseTimeout:
    case Reason::kScheduleToStartTimeout:
    case Reason::kScheduleToCloseTimeout:
    case Reason::kSlowChunks:
      return kExitTimeout;
    case Reason::kNestedPool:
    case Reason::kNestedDispatch:
      return ExitedByItself(job) ? ProgramsOwn(job) : kExitTimeout;
    case Reason::kSpawnFailed:
      return ExitCodeForStart(job);
    case Reason::kNonzeroExit:
    case Reason::kSignalled:
    case Reason::kTaskError:
    case Reason::kInvalidInput:
    case Reason::kInvalidResult:
    case Reason::kOutOfMemory:
    case Reason::kResourceExhausted:
      return ProgramsOwn(job);
    case Reason::kUnspecified:
    case Reason::kCancelled:
    case Reason::kDrained:
    case Reason::kWorkerLost:
    case Reason::kProtocolError:
    case Reason::kOutputLimit:
    case Reason::kServerUnavailable:
    case Reason::kInternal:
      return kExitVigil;
  }
  return kExitVigil;  // A reason of a newer coordinator.
}

}  // namespace

int ExitCodeFor(const v1::Job& job) {
  if (job.state() == v1::Job::STATE_SUCCEEDED) return 0;
  if (job.state() == v1::Job::STATE_CANCELLED) return kExitSignal + SIGINT;
  return ExitCodeForFailure(job);
}

}  // namespace vigil::cli
