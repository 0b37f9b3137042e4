// The caps and defaults of the CLI, each with unit and reason. Constants,
// thread-safe; nothing is owned.
#ifndef VIGIL_CLIENT_CLI_LIMITS_H_
#define VIGIL_CLIENT_CLI_LIMITS_H_

#include <cstddef>

#include "absl/time/time.h"

namespace vigil::cli {

// Bytes of stdin that a job can be given: the bound of JobSpec.input.
inline constexpr size_t kInputBytesMax = 3 << 20;

// Bytes of one item of a batch: no more fits into a job's arguments.
inline constexpr size_t kItemBytesMax = 1 << 20;

// Largest --max_in_flight, as batch.proto states.
inline constexpr int kBatchInFlightMax = 100000;

// Items read ahead of their submission, and bytes of them: usually all, so that
// progress knows how many there are, and never much memory.
inline constexpr size_t kItemsAheadMax = 100000;
inline constexpr size_t kItemsAheadBytesMax = 16 << 20;

// Items given to the batch that the coordinator has not accepted yet: two
// messages' worth, so that one is always ready; and bytes of them, more than
// one large item has.
inline constexpr size_t kItemsHeldMax = 1000;
inline constexpr size_t kItemsHeldBytesMax = 4 << 20;

// How often a batch asks what runs and what the others wait for.
inline constexpr absl::Duration kStatusInterval = absl::Seconds(1);

// Saves of outputs of a batch under way at a time, and ended jobs that wait for
// theirs before no more items are given to the batch: as many as items are
// held.
inline constexpr int kSavesMax = 64;
inline constexpr size_t kSavesWaitingMax = 1000;

// Failed items named at the end of a batch; the others are counted.
inline constexpr size_t kFailuresListedMax = 20;

// How often a progress bar is drawn, or what a job does, and a plain line
// written.
inline constexpr absl::Duration kBarInterval = absl::Milliseconds(200);
inline constexpr absl::Duration kLineInterval = absl::Seconds(5);

// How often a plain line is written that says the same as the one before.
inline constexpr absl::Duration kSameLineInterval = absl::Minutes(1);

// How long a job starts, or waits for a warm-up, before that is shown: most
// begin sooner, and a line that comes and goes is only in the way.
inline constexpr absl::Duration kPhaseShownAfter = absl::Seconds(1);

// Over how long the rate of a batch is averaged: short enough to follow a
// change, long enough to be calm.
inline constexpr absl::Duration kRateWindow = absl::Seconds(15);

// How often a change of the contexts looks whether another one, which takes
// milliseconds, has ended.
inline constexpr absl::Duration kLockPollInterval = absl::Milliseconds(10);

// How long a private coordinator may take to serve. It takes 0.1 s; a machine
// in trouble is given time before it is given up.
inline constexpr absl::Duration kPrivateStartTimeout = absl::Seconds(20);

// How long a private coordinator may take to end its tasks and itself before
// it is killed: beyond the default shutdown_grace of 5 s.
inline constexpr absl::Duration kPrivateStopTimeout = absl::Seconds(10);
// The same for somebody who asked twice to leave at once.
inline constexpr absl::Duration kPrivateStopAtOnceTimeout = absl::Seconds(2);

// Directories of private coordinators without a lock that are younger than
// this are being made; older ones were left by a crash.
inline constexpr absl::Duration kPrivateMakingMax = absl::Hours(1);

// Bytes of the private coordinator's log that are shown when it fails.
inline constexpr size_t kLogTailBytes = 2048;

// Lines of a stack dump that are shown, the first and the last: an interpreter
// writes the thread that was interrupted at one of its ends, and a page or two
// can be read.
inline constexpr size_t kStackDumpLinesMax = 80;

// Levels of a process tree that are indented further: deeper ones stay within
// a terminal's width.
inline constexpr int kTreeDepthShownMax = 8;

// Processes of a tree that its worker looked at, as job.proto states.
inline constexpr int kProcessesLookedAtMax = 256;

// How long each check of `vigil doctor` may take: they take a second at most,
// and one that hangs is to be told of, not waited for.
inline constexpr absl::Duration kDoctorTimeoutDefault = absl::Seconds(15);

// Slots of the coordinator that a check of `vigil doctor` starts for itself:
// the fewest with which jobs can run side by side.
inline constexpr int kDoctorSlots = 2;

// How long its worker may take to attach; it takes 0.1 s.
inline constexpr absl::Duration kDoctorAttachTimeout = absl::Seconds(5);

// Jobs that the doctor runs at one time: as many as there are slots, unless
// there are so many that starting them would take longer than they run.
inline constexpr int kDoctorJobsAtOnceMax = 32;

// How long those jobs run, and the slow item of a batch: far longer than
// starting them takes.
inline constexpr absl::Duration kDoctorJobTime = absl::Seconds(1);

// Items of the doctor's batch: so many that the failures that it provokes stay
// below the 5 % for each reason from which telemetry.proto has a warning.
inline constexpr int kDoctorBatchItems = 50;

// The clocks that the doctor has fire: short, and longer than a busy machine
// takes to start a shell.
inline constexpr absl::Duration kDoctorClock = absl::Milliseconds(500);

// How late such a clock may fire: it takes a millisecond, and on a machine
// where it takes this long everything does.
inline constexpr absl::Duration kDoctorLateMax = absl::Seconds(2);

// How long before the slow item of a batch the others' results come at least:
// results that are held back come together.
inline constexpr absl::Duration kDoctorLeadMin = absl::Milliseconds(100);

// How long the doctor looks for the processes of its job before it takes them
// to be on another host, and how often: one has no environment to know it by
// for a moment while it starts its program.
inline constexpr absl::Duration kDoctorLookTimeout = absl::Milliseconds(200);
inline constexpr absl::Duration kDoctorLookInterval = absl::Milliseconds(5);

// start_to_close and inactivity of the doctor's jobs: what is left of one that
// nobody could cancel ends by itself.
inline constexpr absl::Duration kDoctorJobTimeout = absl::Seconds(30);

// How long a worker may be silent before its slots do not count: three of its
// heartbeats of 3 s, and some.
inline constexpr absl::Duration kDoctorSilentWorker = absl::Seconds(10);

// How long the doctor waits for a coordinator that went away during a check,
// and for the jobs that a check left to end.
inline constexpr absl::Duration kDoctorReconnect = absl::Seconds(2);
inline constexpr absl::Duration kDoctorCleanUpTimeout = absl::Seconds(2);

// How often `vigil top` asks; it costs the coordinator a tenth of a
// millisecond. More often than the least of it nobody can read.
inline constexpr absl::Duration kTopIntervalDefault = absl::Seconds(2);
inline constexpr absl::Duration kTopIntervalMin = absl::Milliseconds(100);

// Largest --count: a block each second for a month.
inline constexpr int kTopCountMax = 2'678'400;

// How often it draws what it has, so that ages grow while nothing is heard.
inline constexpr absl::Duration kTopDrawInterval = absl::Seconds(1);

// How long an answer may take, and after which silence that is told.
inline constexpr absl::Duration kTopCallTimeout = absl::Seconds(10);
inline constexpr absl::Duration kTopSilenceMax = absl::Seconds(2);

// How long the coordinator is waited for while somebody types, and how many ids
// are offered: a screen of them can be read, and is there at once.
inline constexpr absl::Duration kCompletionTimeout = absl::Milliseconds(300);
inline constexpr int kCompletionIdsMax = 50;

// How often, at most, it is told that the coordinator of a batch is lost.
inline constexpr absl::Duration kNoteInterval = absl::Seconds(5);

// How long `vigil version` waits for a coordinator: nobody waits longer for a
// second line.
inline constexpr absl::Duration kVersionTimeout = absl::Seconds(2);

// Width of a terminal that does not say its own, in columns.
inline constexpr int kTerminalColumnsDefault = 80;

// How long a generated command waits for its answer unless told otherwise: 30
// s, which a worker may take for ClearWorkerCache and SweepWorker, and some for
// the way.
inline constexpr absl::Duration kCommandTimeout = absl::Seconds(35);

// Rows of a list that are printed unless told otherwise, as many as fit on a
// few screens, and those of one page, as the protos state.
inline constexpr int kRowsDefault = 100;
inline constexpr int kPageRowsMax = 1000;

// Bytes of a request, or of one value in it, as text: no request above 4 MiB is
// sent, and base64 and JSON make up to twice as much of it.
inline constexpr size_t kRequestTextBytesMax = 8 << 20;

// Bytes of one request message: no coordinator reads more than 4 MiB, of which
// 64 KiB are left for what a message has around its content.
inline constexpr size_t kRequestBytesMax = (4 << 20) - (64 << 10);

// Columns of help where the terminal does not say how many it has, and the most
// that it uses of a wide one: longer lines are hard to read.
inline constexpr size_t kHelpColumnsDefault = 80;
inline constexpr size_t kHelpColumnsMax = 100;

// The fewest: below them every word would have a line to itself.
inline constexpr size_t kHelpColumnsMin = 40;

// Rows of a terminal that does not say its own.
inline constexpr int kTerminalRowsDefault = 24;

// Bytes of the file of contexts, and contexts in it: a thousand of the longest
// addresses, more than anybody keeps.
inline constexpr size_t kConfigBytesMax = 1 << 20;
inline constexpr size_t kContextsMax = 1000;

// Bytes of the name of a context or a namespace, as job_service.proto has it
// of the latter.
inline constexpr size_t kNameBytesMax = 64;

// Lines of who was refused, in `vigil top`.
inline constexpr size_t kRefusalsShown = 5;

// Characters that are left of a table's last text on a narrow terminal: enough
// to tell one from the other, and to see that it is cut. What does not fit then
// is cut at the end of the line.
inline constexpr size_t kTextColumnsMin = 8;

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_LIMITS_H_
