// Effects: what the worker's core wants done. The caller performs them in
// order, at once. Values, thread-compatible.
#ifndef VIGIL_WORKER_CORE_EFFECTS_H_
#define VIGIL_WORKER_CORE_EFFECTS_H_

#include <string>
#include <variant>
#include <vector>

#include "base/attempt.h"
#include "base/ids.h"
#include "base/reason.h"
#include "worker/core/task_type_rules.h"

namespace vigil::worker {

enum class SpawnPurpose { kRun, kWarmUp };

// Starts the process of a slot; answered by SlotReady or SlotLost.
struct StartSlot {
  int slot;
};
// Ends the process of an idle slot; answered by SlotLost.
struct RetireSlot {
  int slot;
};
// Asks a slot for a sign of life; answered by SlotHeard.
struct PingSlot {
  int slot;
};
// SIGKILLs a slot that does not answer, and everything under it; answered by
// SlotLost once all of it is reaped.
struct KillSlot {
  int slot;
};
// Starts the program of an attempt, or the warm-up that it waits for; answered
// by Spawned or SpawnFailed.
struct SpawnTask {
  int slot;
  AttemptId attempt;
  SpawnPurpose purpose;
  // It is likely to be over in a moment, as those before it were.
  bool brief = false;
};
// Hands an attempt to the warm process in the slot: a `start` frame.
struct SendStart {
  int slot;
  AttemptId attempt;
};
// Sends a `reset` frame.
struct SendReset {
  int slot;
};
// A job has its result: reads what is there of the task's output, looks which
// other processes live in the tree and how large the task is, then answers with
// Inspected, all in this turn.
struct InspectTask {
  int slot;
  // Otherwise `others` is 0.
  bool look_for_others;
};
// Tells a warm process without a job that no more will come.
struct EndTask {
  int slot;
};
// The warm-up of a type ended: makes its cache visible, or removes what there
// is of it; answered by CacheReady, in a later turn.
struct FinishCache {
  int slot;
  TaskTypeRulesPtr type;
  bool succeeded;
};
// Reads the task's output until there is none, reports it, then answers with
// OutputChecked, all in this turn.
struct CheckOutput {
  int slot;
};
// Takes evidence, then sends the task process a signal at which it writes what
// it is doing to stderr, and keeps what it writes from now on.
struct DumpStack {
  int slot;
  int signum;
};
// Adds up the memory of the task's tree, then answers with MemorySeen, all in
// this turn.
struct CheckMemory {
  int slot;
};
// Takes evidence, then asks the task to end: by a `stop` frame if it is warm
// and has begun the attempt, else by SIGTERM to its process group.
struct SoftStop {
  int slot;
  Reason cause;
  bool by_frame;
};
// Takes evidence unless it was taken; SIGKILLs the whole tree; answered by
// TreeEmpty.
struct KillTree {
  int slot;
};
// The tree is empty: reads what is left of its output, then answers with
// OutputCollected, all in this turn.
struct CollectOutput {
  int slot;
  // SIGKILL ended the program or a process of it, and nobody here sent it: the
  // kernel may have, for want of memory.
  bool killed = false;
};
struct SendUpdate {
  AttemptUpdate update;
};
// The attempt is over. Kept by the core until it is acknowledged.
struct SendEnd {
  AttemptEnd end;
};
// The worker uses another number of its slots now, or for another reason; see
// Core::usable(). Without a cause, all of them.
struct UsableSlotsChanged {
  int slots;
  std::string cause;
};

using Effect =
    std::variant<StartSlot, RetireSlot, PingSlot, KillSlot, SpawnTask,
                 SendStart, SendReset, InspectTask, EndTask, FinishCache,
                 CheckOutput, DumpStack, CheckMemory, SoftStop, KillTree,
                 CollectOutput, SendUpdate, SendEnd, UsableSlotsChanged>;
using Effects = std::vector<Effect>;

}  // namespace vigil::worker

#endif  // VIGIL_WORKER_CORE_EFFECTS_H_
