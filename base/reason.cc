#include "base/reason.h"

#include "absl/strings/str_cat.h"

namespace vigil {
namespace {

struct Row {
  Reason reason;
  std::string_view name;
  bool retried;
  std::string_view advice;
};

constexpr Row kRows[] = {
    {Reason::kStartupTimeout, "STARTUP_TIMEOUT", false,
     "If it loads for that long, raise --startup; if it does not write while "
     "it works, use --silent."},
    {Reason::kInactivityTimeout, "INACTIVITY_TIMEOUT", false,
     "If it was still working, let it write more often, raise --inactivity, "
     "or use --silent; if its output is buffered, use --pty."},
    {Reason::kProgressTimeout, "PROGRESS_TIMEOUT", false,
     "It wrote but did not advance: look at its last output, or raise "
     "--progress."},
    {Reason::kStartToCloseTimeout, "START_TO_CLOSE_TIMEOUT", false,
     "It was not silent, only long: raise --start_to_close or split the work."},
    {Reason::kScheduleToStartTimeout, "SCHEDULE_TO_START_TIMEOUT", false,
     "No slot came free in time: add slots or workers, or submit later."},
    {Reason::kScheduleToCloseTimeout, "SCHEDULE_TO_CLOSE_TIMEOUT", false,
     "Waiting and retries took the time: look at its attempts, or raise "
     "--schedule_to_close."},
    {Reason::kSlowChunks, "SLOW_CHUNKS", false,
     "Raise --chunk_timeout or --expected_chunk_time, or make its chunks "
     "smaller; what was done is kept."},
    {Reason::kCancelled, "CANCELLED", false,
     "Submit it again if it is wanted."},
    {Reason::kDrained, "DRAINED", true,
     "Its worker was told to leave, and it took longer than the drain's grace: "
     "raise --drain_grace, or let it leave checkpoints."},
    {Reason::kWorkerLost, "WORKER_LOST", true,
     "The worker died or was cut off: look at its log and host."},
    {Reason::kOutOfMemory, "OUT_OF_MEMORY", false,
     "Give it more memory, or a smaller input."},
    {Reason::kResourceExhausted, "RESOURCE_EXHAUSTED", true,
     "Threads, processes, memory or descriptors ran out: lower the slots of "
     "the worker, or the task's own parallelism."},
    {Reason::kNestedPool, "NESTED_POOL", false,
     "Allow it more with --max_processes=N, or have Python's pools run in its "
     "own process: --on_nested_pool=sequential."},
    {Reason::kNestedDispatch, "NESTED_DISPATCH", false,
     "A task cannot submit jobs: submit them from the client instead."},
    {Reason::kInvalidInput, "INVALID_INPUT", false,
     "The input is malformed: correct it; a retry cannot help."},
    {Reason::kInvalidResult, "INVALID_RESULT", false,
     "The result is not what the task type declares: correct the program."},
    {Reason::kTaskError, "TASK_ERROR", false,
     "The program says it failed: read its stderr."},
    {Reason::kNonzeroExit, "NONZERO_EXIT", false,
     "Read its stderr; map the status with exit_reasons if it has a meaning."},
    {Reason::kSignalled, "SIGNALLED", false,
     "A signal that Vigil did not send ended it: look for a crash, or for "
     "somebody's kill."},
    {Reason::kSpawnFailed, "SPAWN_FAILED", false,
     "Check the program's path and permissions on the worker."},
    {Reason::kProtocolError, "PROTOCOL_ERROR", false,
     "The task broke the frame protocol: correct the program."},
    {Reason::kOutputLimit, "OUTPUT_LIMIT", false,
     "It wrote more than its cap allows: write less, or to a file."},
    {Reason::kServerUnavailable, "SERVER_UNAVAILABLE", true,
     "Look at the log of the server that it requires."},
    {Reason::kInternal, "INTERNAL", false,
     "Vigil itself failed: please report it with the coordinator's log."},
};

const Row* Find(Reason reason) {
  for (const Row& row : kRows) {
    if (row.reason == reason) return &row;
  }
  return nullptr;
}

}  // namespace

std::string ReasonName(Reason reason) {
  const Row* row = Find(reason);
  if (row != nullptr) return std::string(row->name);
  return absl::StrCat("REASON_", static_cast<int>(reason));
}

std::string_view AdviceFor(Reason reason) {
  const Row* row = Find(reason);
  return row == nullptr ? std::string_view() : row->advice;
}

bool RetriedByDefault(Reason reason) {
  const Row* row = Find(reason);
  return row != nullptr && row->retried;
}

}  // namespace vigil
