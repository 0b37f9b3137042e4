// What a task has beside its own process: processes, threads, memory.
#include <algorithm>
#include <utility>

#include "worker/core/classify.h"
#include "worker/core/core.h"

namespace vigil::worker {
namespace {

// The entry for the same program, call and outcome; a new one if there is room,
// else null.
NestedCall* Entry(std::vector<NestedCall>* calls, const NestedCall& like) {
  for (NestedCall& call : *calls) {
    if (call.program == like.program && call.call == like.call &&
        call.outcome == like.outcome) {
      return &call;
    }
  }
  if (calls->size() >= kNestedCallsMax) return nullptr;
  NestedCall& added = calls->emplace_back(like);
  added.count = 0;
  return &added;
}

bool EndsAttempt(const Nesting& nesting) {
  return nesting.action == OnNestedPool::kFail ||
         nesting.action == OnNestedPool::kRetrySequential;
}

}  // namespace

void Core::NestedCallSeen(int slot, const NestedCall& call, int live,
                          absl::Time now, Effects* fx) {
  SlotRecord* record = Get(slot);
  if (!record->program.has_value()) return;
  CountNestedCall(record, call, live, now, fx);
  if (record->attempt == nullptr || call.call == kThreadCall ||
      call.outcome != NestedCall::Outcome::kRefused) {
    return;
  }
  const Nesting& nesting = record->attempt->start.supervision.nesting;
  if (live > nesting.max_processes) {
    // Counted, not refused: in its grace there would be more and more.
    if (RunsAttempt(record->state)) {
      BeginKill(record, NestedPoolFailure(call, live, nesting), now, fx);
    }
  } else if (EndsAttempt(nesting) && record->state == SlotState::kRunning &&
             !record->attempt->cause.has_value()) {
    BeginStop(record, NestedPoolFailure(call, live, nesting), now, fx);
  }
}

void Core::CountNestedCall(SlotRecord* slot, const NestedCall& call, int live,
                           absl::Time now, Effects* fx) {
  NestedCall* known = Entry(&slot->program->nested_calls, call);
  if (known == nullptr) return;
  // Its counts are the program's, which may have had other attempts.
  const int64_t more = call.count - known->count;
  known->count = call.count;
  if (slot->attempt == nullptr || more <= 0) return;
  RunningAttempt& attempt = *slot->attempt;
  NestedCall* counted = Entry(&attempt.counts.nested_calls, call);
  if (counted == nullptr) return;
  const bool first = counted->count == 0;
  counted->count += more;
  if (!first || !attempt.clocks.has_value()) return;
  AttemptUpdate update = CountsAt(*slot, now);
  update.notice =
      NestedCallNotice(call, live, attempt.start.supervision.nesting);
  fx->push_back(SendUpdate{std::move(update)});
}

void Core::SequentialPoolsSeen(int slot, const std::vector<NestedCall>& pools) {
  SlotRecord* record = Get(slot);
  if (record->attempt == nullptr) return;
  for (const NestedCall& pool : pools) {
    NestedCall* counted = Entry(&record->attempt->counts.nested_calls, pool);
    if (counted == nullptr) return;
    counted->count += pool.count;
    counted->where = pool.where;
  }
}

void Core::MemorySeen(int slot, int64_t rss_bytes, absl::Duration took,
                      absl::Time now, Effects* fx) {
  SlotRecord* record = Get(slot);
  if (!RunsAttempt(record->state)) return;
  RunningAttempt& attempt = *record->attempt;
  attempt.memory_check_time =
      now + std::max(kMemoryCheckInterval, kMemoryCheckRests * took);
  UpdateDeadline(record);
  const Supervision& supervision = attempt.start.supervision;
  if (rss_bytes <= supervision.max_rss_bytes) return;
  Failure failure = MemoryFailure(rss_bytes, supervision.max_rss_bytes);
  if (!supervision.observe) {
    // Without grace: in it a task could go on filling the host's memory.
    BeginKill(record, std::move(failure), now, fx);
    return;
  }
  attempt.memory_check_time = absl::InfiniteFuture();
  AttemptUpdate update = CountsAt(*record, now);
  update.observed = std::move(failure);
  fx->push_back(SendUpdate{std::move(update)});
  UpdateDeadline(record);
}

}  // namespace vigil::worker
