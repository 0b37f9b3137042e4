// Caps and times of the worker, each with its unit and reason.
#ifndef VIGIL_WORKER_CORE_LIMITS_H_
#define VIGIL_WORKER_CORE_LIMITS_H_

#include <cstdint>

#include "absl/time/time.h"

namespace vigil::worker {

// Slots of one worker; each costs a process of about 4 MiB.
inline constexpr int kSlotsMax = 1024;

// A slot answers every ping within microseconds; one that is silent for longer
// is stopped or broken, and cannot be trusted to kill. Paused machines are not
// counted (see GrantStall).
inline constexpr absl::Duration kSlotSilenceMax = absl::Seconds(5);

// How often a slot is pinged: four chances before it is given up.
inline constexpr absl::Duration kSlotPingInterval = absl::Seconds(1);

// From SIGKILL of a tree to the report that it is empty. The slot gives up
// after 10 s and says so; this catches a slot that does not.
inline constexpr absl::Duration kTreeDeathMax = absl::Seconds(15);

// As kTreeDeathMax, once the lease is over: the slot is killed in its turn, so
// that a stopped one does not keep its task alive beyond the margin (3 s) after
// which the coordinator starts the job elsewhere.
inline constexpr absl::Duration kFencedDeathMax = absl::Seconds(1);

// How often the counts of a running attempt are reported when they change:
// often enough for a person who watches.
inline constexpr absl::Duration kReportInterval = absl::Seconds(1);

// From `reset` to its answer; clearing a cache takes milliseconds, and a warm
// process that hangs in it must not keep a slot.
inline constexpr absl::Duration kResetMax = absl::Seconds(60);

// From the end of a warm task's channel to that of its process: one that exits
// needs microseconds, and its exit says more than the channel.
inline constexpr absl::Duration kChannelClosedMax = absl::Seconds(1);

// How long an attempt runs before it is first reported, so that the shortest
// jobs cost one message each; nobody sees the difference.
inline constexpr absl::Duration kFirstReportDelay = absl::Milliseconds(10);

// Work that a slot should have before it, where what it runs is short, or where
// a warm process may have several jobs in flight: a dozen times what it takes
// to get the next one from the coordinator (1-2 ms).
inline constexpr absl::Duration kWorkAhead = absl::Milliseconds(20);

// Attempts that a worker takes for each of its slots beyond the one that runs
// there, and over all slots; a program needs a millisecond at least.
inline constexpr int kAheadPerSlotMax = 16;
inline constexpr int kAheadMax = 1024;

// How long an attempt waits at the worker for a slot while all of them run
// others: five times what it should have to. After that it is handed back, to
// go where a slot is free.
inline constexpr absl::Duration kWaitForSlotMax = absl::Milliseconds(100);

// How long no attempt may end for want of threads, processes, memory or files
// before the worker uses one slot more: what another program took for a moment
// is back by then, and eight slots are in use again within as many minutes.
inline constexpr absl::Duration kQuietForSlot = absl::Minutes(1);

// Of the message of an attempt in the cause of fewer usable slots, in bytes:
// one line of a list.
inline constexpr size_t kUsableCauseBytesMax = 200;

// Share of a new run time in the mean: a change of load shows after some ten
// jobs.
inline constexpr double kRunTimeWeight = 0.125;

// How often the memory of a task with a limit is looked at: a program that
// fills memory at 2 GB/s is 200 MB above it then.
inline constexpr absl::Duration kMemoryCheckInterval = absl::Milliseconds(100);

// The loop rests from a task's memory for that many times what the last look
// took: the kernel needs seconds to tell who shares hundreds of gigabytes.
inline constexpr int kMemoryCheckRests = 20;

// From a stack-dump signal to the stop that follows it: Python's faulthandler
// needs milliseconds for hundreds of threads.
inline constexpr absl::Duration kStackDumpMax = absl::Milliseconds(500);

// Programs and calls that an attempt is told to have made above its limits; the
// rest are not listed.
inline constexpr size_t kNestedCallsMax = 16;

// From the start of a slot's process to its first word.
inline constexpr absl::Duration kSlotStartMax = absl::Seconds(10);

// Output that was read and is not acknowledged by the coordinator, per attempt:
// above it the worker stops reading, and the silence clocks rest.
inline constexpr int64_t kUnacknowledgedOutputBytesMax = 1 << 20;

}  // namespace vigil::worker

#endif  // VIGIL_WORKER_CORE_LIMITS_H_
