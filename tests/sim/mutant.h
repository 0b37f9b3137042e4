// Mutant: a deliberate fault in the simulated shells, to prove that the
// simulation would notice it in real ones. The cores themselves are never
// changed. Thread-safe functions.
#ifndef VIGIL_TESTS_SIM_MUTANT_H_
#define VIGIL_TESTS_SIM_MUTANT_H_

#include <optional>

#include "absl/strings/string_view.h"

namespace vigil::sim {

enum class Mutant {
  kNone,
  // Worker and slots go on although nobody renewed their lease.
  kFenceIgnored,
  // A worker or slot that stood still grants itself that time.
  kLeaseExtendedByStall,
  // The coordinator starts jobs elsewhere as soon as the lease is over by its
  // own clock.
  kMarginForgotten,
  // The coordinator gives a worker's jobs to others when its stream is lost.
  kRequeuedBeforeLease,
  // The end of an older attempt is taken for that of the current one.
  kStaleEndAccepted,
  // What a session that was given up says of an attempt is taken for the
  // current one.
  kOldSessionHeard,
  // Whatever a worker lists when it attaches is kept, and believed from then
  // on.
  kKeptUnchecked,
  // A worker forgets the end of an attempt when that is sent.
  kEndForgotten,
  // A restarted coordinator starts what was in BACKOFF at once.
  kBackoffLost,
  // A restarted coordinator has forgotten the number of the last attempt.
  kAttemptNumberReused,
  // What must wait for the commit is sent at once.
  kSentBeforeCommit,
  // A deadline that moved nearer does not wake the coordinator.
  kDeadlineNotRearmed,
  // A slot says that its tree is empty as soon as the program ended.
  kSlotFreedEarly,
  // The lease is counted from the answer, not from the heartbeat.
  kLeaseFromAnswer,
  // A worker that was restarted goes on with its old session.
  kSessionReused,
  // What a warm program said before it died is not read: an attempt handed
  // ahead and begun is taken back as not begun.
  kLastWordsUnread,
  // A warm program is used again while a process of its last job lives.
  kChildOverlooked,
  // A worker's predecessors are dead as soon as its Attach is read, which may
  // be when it is dead itself and has been succeeded.
  kDeadAtAttach,
  // A restarted coordinator has forgotten that the last item of a batch that
  // started did.
  kItemStartForgotten,
  // A restarted coordinator has forgotten that a batch was being stopped.
  kBatchStopForgotten,
  // An item is not in flight while its job is in BACKOFF.
  kBackoffNotInFlight,
  // The outcome of an item is stored without the batch's row, which follows
  // with the next commit.
  kOutcomeAlone,
  // A worker that drains says that it has left while attempts still run.
  kLeftWithWork,
};

// "fence_ignored"; of kNone, "none".
absl::string_view MutantName(Mutant mutant);
std::optional<Mutant> MutantByName(absl::string_view name);

}  // namespace vigil::sim

#endif  // VIGIL_TESTS_SIM_MUTANT_H_
