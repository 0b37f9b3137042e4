// Every cap and interval of a slot, with unit, default and reason. Constants,
// so thread-safe. Nothing here owns anything.
#ifndef VIGIL_WORKER_SLOT_LIMITS_H_
#define VIGIL_WORKER_SLOT_LIMITS_H_

#include <cstddef>
#include <cstdint>

#include "absl/time/time.h"

namespace vigil::slot {

// How long a tree is SIGKILLed before it is reported as unconfirmed. Thousands
// of processes die in well under a second; what lives longer sits in the kernel
// (a dead disk, a dead NFS server) and nobody knows for how long.
constexpr absl::Duration kTreeKillMax = absl::Seconds(10);

// How often a tree that does not die is killed again. Deaths wake the slot by
// SIGCHLD at once; this only catches a process that arrived without one.
constexpr absl::Duration kKillRetryInterval = absl::Milliseconds(100);

// Largest packet either way. Bulk travels in a memfd.
constexpr size_t kMessageMaxBytes = 4096;

// Largest serialized SpawnCommand that travels in the packet itself, and events
// that are put into one: leaves room for what is around them.
constexpr size_t kCommandInlineBytesMax = kMessageMaxBytes - 64;
constexpr size_t kEventsBytesMax = kMessageMaxBytes - 64;
// Tag and length of an event in its packet.
constexpr size_t kEventOverheadBytes = 4;

// How long the word that a task runs waits for its end, where that is likely to
// come at once: the worker is woken once, not three times. To load a program
// takes half of that, so there is no output before it that would have to wait.
constexpr absl::Duration kSpawnedHeldMax = absl::Milliseconds(3);

// Largest text in a SpawnFailed, so that it fits into a packet.
constexpr size_t kWhatMaxBytes = 1024;

// Largest serialized SpawnCommand: arguments of a task type and of its job (1
// MiB each), environment (256 KiB), and room for what Vigil adds.
constexpr size_t kCommandMaxBytes = 4 * 1024 * 1024;

// Descriptors that travel with a Spawn: stdin, stdout, stderr; the channel of a
// warm task; a command that is large.
constexpr int kSpawnFdsMin = 3;
constexpr int kSpawnFdsMax = 5;

// The descriptor under which a warm task finds its channel (VIGIL_FD).
constexpr int kChannelFd = 3;

// Requests read in one turn of the slot's loop, so that a flood cannot keep it
// from its lease.
constexpr int kRequestsPerTurnMax = 64;

// Stack of a new process before execve, in bytes: it makes a dozen system
// calls. The C library uses 32 KiB for the same purpose.
constexpr size_t kChildStackBytes = 64 * 1024;

// Window of a task's terminal, in characters: what programs assume when they
// cannot ask.
constexpr int kPtyRows = 24;
constexpr int kPtyColumns = 80;

// The descriptor under which a slot finds its end of the socket pair.
constexpr int kSlotFd = 3;

// Processes that one census of a tree looks at; a tree that is larger is far
// above any max_processes (10000).
constexpr size_t kCensusProcessesMax = 20000;

// How often the processes of a task are counted that does not ask before it
// starts one: a pool that lives for less is nothing to worry about, and 40
// looks of 0.1 ms are less than half a percent of a processor. Longer by as
// much again for each kCensusSlowProcesses that there are.
constexpr absl::Duration kCensusInterval = absl::Milliseconds(25);
constexpr int kCensusSlowProcesses = 100;

// Children that ended and were not waited for do not count as processes, but
// each takes a number of the system's few (32768 by default): at most this
// many.
constexpr int kZombiesMax = 1000;

// How long a process that was let through may take to appear: the call needs
// microseconds once its thread runs.
constexpr absl::Duration kPendingAgeMax = absl::Milliseconds(20);
// How often the tree is looked at again while somebody waits for that.
constexpr absl::Duration kCensusRetryInterval = absl::Milliseconds(1);
// Such processes remembered; more than that many threads that fork within 20 ms
// are looked at each time.
constexpr size_t kPendingMax = 1024;

// Calls of one kind by one program that are told to the worker one by one; then
// each time their number has doubled, and once more at the end.
constexpr int64_t kNestedCallsToldMax = 64;
// Different ones of a task; the rest are counted as one, by "others".
constexpr size_t kNestedCallKindsMax = 16;
// Processes left behind by a task that are named.
constexpr size_t kLeftoversToldMax = 16;

// Notifications answered in one turn of the slot's loop, so that a flood of
// them cannot keep it from its lease.
constexpr int kNotificationsPerTurnMax = 64;
// And the time for that: a census of thousands of threads takes milliseconds.
constexpr absl::Duration kAnswersMax = absl::Milliseconds(10);
// Notifications taken and not answered yet: a tree has no more processes that
// could ask.
constexpr size_t kNotificationsTakenMax = kCensusProcessesMax;
// Longest name of a program that is told, in bytes: the kernel keeps 15.
constexpr size_t kProgramNameMaxBytes = 64;

// The descriptor under which a slot finds its record, if it has one.
constexpr int kRecordFd = 4;

// What a record holds before the task's own line: the worker's line about the
// slot, filled up with spaces. Its fields need 122 bytes.
constexpr size_t kRecordHeaderBytes = 128;

// A task's line in a record: three numbers.
constexpr size_t kTaskLineBytesMax = 64;

// The largest range of clock ticks (10 ms) in which a task on record may have
// started: to start one takes less than a millisecond, on a machine that is
// paused meanwhile as long as that is.
constexpr uint64_t kStartTicksRangeMax = 1000;

// A process's line in /proc: a name of at most 64 bytes and about 50 numbers of
// at most 21.
constexpr size_t kStatLineBytesMax = 2048;

// Where a program is looked up when the task's environment has no PATH.
constexpr char kDefaultPath[] = "/usr/local/bin:/usr/bin:/bin";

}  // namespace vigil::slot

#endif  // VIGIL_WORKER_SLOT_LIMITS_H_
