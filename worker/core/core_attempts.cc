// The attempts: assignment, activity, clocks, the kill ladder.
#include <errno.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "worker/core/classify.h"
#include "worker/core/core.h"

namespace vigil::worker {

void Core::Assign(AttemptStart start, absl::Time now, Effects* fx) {
  if (Find(start.id) != nullptr || FindAhead(start.id) != nullptr ||
      ended_.contains(start.id)) {
    return;
  }
  for (const WaitingAttempt& waiting : waiting_) {
    if (waiting.start.id == start.id) return;
  }
  if (slots_wanted_ == 0 || lease_ <= now) {
    EndUnstarted(start.id,
                 Failure{Reason::kWorkerLost, "could not take it any more", ""},
                 fx);
    return;
  }
  const absl::Time close_deadline = now + start.time_left;
  waiting_.push_back(WaitingAttempt{std::move(start), close_deadline});
  waiting_.back().since = now;
  StartWaiting(now, fx);
  if (!waiting_.empty()) {
    hand_back_time_ = std::min(hand_back_time_, now + kWaitForSlotMax);
  }
}

void Core::EndUnstarted(AttemptId id, Failure failure, Effects* fx) {
  AttemptEnd end;
  end.attempt = id;
  end.last.attempt = id;
  end.last.phase = Phase::kEnded;
  end.never_started = true;
  end.failure = std::move(failure);
  ended_[id] = end;
  fx->push_back(SendEnd{std::move(end)});
}

void Core::Stop(const AttemptId& attempt, Reason reason, absl::Time now,
                Effects* fx) {
  const Failure cause{reason,
                      reason == Reason::kCancelled
                          ? "cancelled while it ran"
                          : "its worker was told to leave",
                      ""};
  for (auto it = waiting_.begin(); it != waiting_.end(); ++it) {
    if (it->start.id != attempt) continue;
    waiting_.erase(it);
    EndUnstarted(attempt, cause, fx);
    return;
  }
  if (RunningAttempt* ahead = FindAhead(attempt)) {
    // Its task has it already: it is asked to stop as soon as it begins.
    if (!ahead->cause.has_value()) ahead->cause = cause;
    return;
  }
  SlotRecord* slot = Find(attempt);
  if (slot == nullptr) return;
  // The end of a warm-up is not that of the attempt which waits for it.
  const bool warms_up = slot->program->purpose == SpawnPurpose::kWarmUp;
  if (slot->attempt->cause.has_value() && !warms_up) return;
  if (slot->state == SlotState::kRunning) {
    BeginStop(slot, cause, now, fx);
  } else if (slot->state == SlotState::kSpawning || warms_up ||
             (slot->attempt->handed_ahead && !slot->attempt->started)) {
    // Applied when it is spawned, or would wait again.
    slot->attempt->cause = cause;
  }
}

void Core::Fence(const AttemptId& attempt, absl::Time now, Effects* fx) {
  const Failure cause{Reason::kWorkerLost,
                      "ran an attempt that was given up meanwhile", ""};
  for (auto it = waiting_.begin(); it != waiting_.end(); ++it) {
    if (it->start.id != attempt) continue;
    waiting_.erase(it);
    EndUnstarted(attempt, cause, fx);
    return;
  }
  if (RunningAttempt* ahead = FindAhead(attempt)) {
    if (!ahead->cause.has_value()) ahead->cause = cause;
    ahead->fenced = true;
  }
  if (SlotRecord* slot = Find(attempt)) BeginKill(slot, cause, now, fx);
}

void Core::FenceAll(const std::string& why, absl::Time now, Effects* fx) {
  const Failure cause{Reason::kWorkerLost, why, ""};
  while (!waiting_.empty()) {
    EndUnstarted(waiting_.front().start.id, cause, fx);
    waiting_.pop_front();
  }
  for (const auto& slot : slots_) {
    if (slot->attempt == nullptr) continue;
    for (const auto& ahead : slot->ahead) {
      if (!ahead->cause.has_value()) ahead->cause = cause;
      ahead->fenced = true;
    }
    BeginKill(slot.get(), cause, now, fx);
    if (slot->state == SlotState::kSpawning ||
        slot->state == SlotState::kKilling) {
      SetState(slot.get(), slot->state,
               std::min(slot->state_deadline, now + kFencedDeathMax));
    }
  }
}

void Core::ExtendLease(absl::Time until) {
  if (until <= lease_) return;
  lease_ = until;
  lease_ended_ = false;
}

void Core::EndAcknowledged(const AttemptId& attempt) { ended_.erase(attempt); }

void Core::StartClocks(SlotRecord* slot, absl::Time now) {
  RunningAttempt& attempt = *slot->attempt;
  attempt.clocks.emplace(attempt.supervision, now, attempt.close_deadline);
  if (slot->program->warm()) attempt.clocks->AwaitStarted();
  if (attempt.start.supervision.max_rss_bytes > 0) {
    attempt.memory_check_time = now + kMemoryCheckInterval;
  }
}

void Core::Spawned(int slot, absl::Time now, Effects* fx) {
  SlotRecord* record = Get(slot);
  if (record->state != SlotState::kSpawning) return;
  RunningAttempt& attempt = *record->attempt;
  StartClocks(record, now);
  SetState(record, SlotState::kRunning, absl::InfiniteFuture());
  if (attempt.cause.has_value()) {
    if (attempt.fenced) {
      BeginKill(record, *attempt.cause, now, fx);
    } else {
      BeginStop(record, *attempt.cause, now, fx);
    }
    return;
  }
  if (record->program->purpose == SpawnPurpose::kWarmUp) {
    Report(record, now, fx);
    return;
  }
  // The shortest ones cost one message each.
  attempt.report_time = now + kFirstReportDelay;
  attempt.last_report = attempt.report_time - kReportInterval;
  UpdateDeadline(record);
}

void Core::SpawnFailed(int slot, int error, const std::string& what,
                       absl::Time now, Effects* fx) {
  SlotRecord* record = Get(slot);
  if (record->state != SlotState::kSpawning) return;
  RunningAttempt& attempt = *record->attempt;
  // The slot refuses to start anything once its lease is over.
  if (error == ETIME && !attempt.cause.has_value()) {
    attempt.cause =
        Failure{Reason::kWorkerLost,
                "lost its lease before the program was started", ""};
  }
  Verdict verdict = ClassifySpawnFailure(error, what);
  if (record->program->purpose == SpawnPurpose::kWarmUp) {
    attempt.outcome =
        Outcome{std::move(verdict.failure), verdict.retryable, std::nullopt};
    SetState(record, SlotState::kCollecting, absl::InfiniteFuture());
    CacheReady(slot, "", now, fx);
    return;
  }
  AttemptEnd end;
  end.attempt = attempt.start.id;
  end.last = attempt.counts;
  end.last.phase = Phase::kEnded;
  end.failure = attempt.cause.has_value() ? attempt.cause : verdict.failure;
  end.retryable = !attempt.cause.has_value() && verdict.retryable;
  end.spawn_errno = error;
  NoteExhaustion(attempt, end.failure, now, fx);
  record->attempt.reset();
  record->program.reset();
  ended_[end.attempt] = end;
  fx->push_back(SendEnd{std::move(end)});
  BecomeIdle(record, now, fx);
}

void Core::BecomeActive(SlotRecord* slot, absl::Time now, Effects* fx) {
  RunningAttempt& attempt = *slot->attempt;
  if (attempt.clocks->active()) return;
  attempt.clocks->Active(now);
  attempt.time_to_active = now - attempt.clocks->start();
  if (slot->state != SlotState::kRunning) return;
  attempt.counts.phase = Phase::kActive;
  if (attempt.start.supervision.waits_for_ready) {
    attempt.counts.progress.reset();
  }
  const absl::Time first = attempt.clocks->start() + kFirstReportDelay;
  if (first <= now) {
    Report(slot, now, fx);
  } else {
    attempt.report_time = std::min(attempt.report_time, first);
  }
}

void Core::Output(int slot, bool is_stderr, int64_t bytes, absl::Time now,
                  Effects* fx) {
  SlotRecord* record = Get(slot);
  if (record->attempt == nullptr || !record->attempt->clocks.has_value()) {
    return;
  }
  RunningAttempt& attempt = *record->attempt;
  const Supervision& supervision = attempt.supervision;
  // What a warm task hands on are its tokens; what it prints are remarks.
  const bool remark = record->program->warm() ||
                      record->program->purpose == SpawnPurpose::kWarmUp;
  if (!remark) ++attempt.counts.tokens;
  (is_stderr || remark ? attempt.counts.stderr_bytes
                       : attempt.counts.stdout_bytes) += bytes;
  if (is_stderr ? supervision.stderr_is_activity
                : supervision.stdout_is_activity) {
    attempt.clocks->Activity(now);
  }
  attempt.report_time =
      std::min(attempt.report_time, attempt.last_report + kReportInterval);
  if (!is_stderr && !remark && !supervision.waits_for_ready) {
    BecomeActive(record, now, fx);
  }
  UpdateDeadline(record);
}

void Core::Ready(int slot, absl::Time now, Effects* fx) {
  SlotRecord* record = Get(slot);
  if (record->attempt == nullptr || !record->attempt->clocks.has_value()) {
    return;
  }
  BecomeActive(record, now, fx);
  UpdateDeadline(record);
}

void Core::ProgressRead(int slot, Progress progress, absl::Time now,
                        Effects* fx) {
  SlotRecord* record = Get(slot);
  if (record->attempt == nullptr || !record->attempt->clocks.has_value()) {
    return;
  }
  RunningAttempt& attempt = *record->attempt;
  if (!attempt.clocks->Progress(progress.done, progress.total, now)) return;
  attempt.counts.progress = std::move(progress);
  attempt.report_time =
      std::min(attempt.report_time, attempt.last_report + kReportInterval);
  if (attempt.report_time <= now) Report(record, now, fx);
  UpdateDeadline(record);
}

void Core::ReadingPaused(int slot, absl::Time now) {
  SlotRecord* record = Get(slot);
  if (record->attempt == nullptr || !record->attempt->clocks.has_value()) {
    return;
  }
  record->attempt->clocks->Pause(now);
  UpdateDeadline(record);
}

void Core::ReadingResumed(int slot, absl::Time now) {
  SlotRecord* record = Get(slot);
  if (record->attempt == nullptr || !record->attempt->clocks.has_value()) {
    return;
  }
  record->attempt->clocks->Resume(now);
  UpdateDeadline(record);
}

void Core::OutputChecked(int slot, absl::Time now, Effects* fx) {
  SlotRecord* record = Get(slot);
  if (record->state != SlotState::kRunning) return;
  record->attempt->checking = false;
  ApplyClocks(record, now, true, fx);
  UpdateDeadline(record);
}

void Core::ApplyClocks(SlotRecord* slot, absl::Time now, bool checked,
                       Effects* fx) {
  RunningAttempt& attempt = *slot->attempt;
  const std::optional<ClockKind> fired = attempt.clocks->Fired(now);
  if (!fired.has_value()) return;
  if (IsSilenceClock(*fired) && !checked) {
    if (!attempt.checking) fx->push_back(CheckOutput{slot->index});
    attempt.checking = true;
    return;
  }
  const Supervision& supervision = attempt.supervision;
  Failure failure =
      ClockFailure(*fired, supervision, *attempt.clocks, attempt.counts, now);
  if (!supervision.observe) {
    BeginDump(slot, std::move(failure), now, fx);
    return;
  }
  attempt.clocks->Silence(*fired);
  AttemptUpdate update = CountsAt(*slot, now);
  update.observed = std::move(failure);
  fx->push_back(SendUpdate{std::move(update)});
}

AttemptUpdate Core::CountsAt(const SlotRecord& slot, absl::Time now) const {
  const RunningAttempt& attempt = *slot.attempt;
  AttemptUpdate update = attempt.counts;
  if (!attempt.clocks.has_value()) return update;
  update.age = now - attempt.clocks->start();
  update.silence = now - attempt.clocks->last_activity();
  update.longest_silence = attempt.clocks->LongestSilence(now);
  return update;
}

void Core::Report(SlotRecord* slot, absl::Time now, Effects* fx) {
  slot->attempt->last_report = now;
  slot->attempt->report_time = absl::InfiniteFuture();
  fx->push_back(SendUpdate{CountsAt(*slot, now)});
}

void Core::TakeEvidence(SlotRecord* slot, absl::Time now) {
  RunningAttempt& attempt = *slot->attempt;
  if (attempt.evidence.has_value() || !attempt.clocks.has_value()) return;
  attempt.evidence.emplace();
  attempt.evidence->age = now - attempt.clocks->start();
  attempt.evidence->silence = now - attempt.clocks->last_activity();
  if (attempt.stop_time == absl::InfinitePast()) attempt.stop_time = now;
}

void Core::BeginDump(SlotRecord* slot, Failure cause, absl::Time now,
                     Effects* fx) {
  RunningAttempt& attempt = *slot->attempt;
  const int signum = attempt.supervision.stack_dump_signal;
  if (signum == 0 || slot->program->purpose == SpawnPurpose::kWarmUp) {
    BeginStop(slot, std::move(cause), now, fx);
    return;
  }
  attempt.cause = std::move(cause);
  attempt.counts.phase = Phase::kStopping;
  TakeEvidence(slot, now);
  SetState(slot, SlotState::kDumping, now + kStackDumpMax);
  fx->push_back(DumpStack{slot->index, signum});
  Report(slot, now, fx);
}

void Core::BeginStop(SlotRecord* slot, Failure cause, absl::Time now,
                     Effects* fx) {
  RunningAttempt& attempt = *slot->attempt;
  const absl::Duration grace = attempt.supervision.timeouts.shutdown_grace;
  if (grace <= absl::ZeroDuration()) {
    BeginKill(slot, std::move(cause), now, fx);
    return;
  }
  if (!attempt.cause.has_value()) attempt.cause = std::move(cause);
  // Without a frame that stops this attempt alone, the whole program is told.
  if (!attempt.started) {
    slot->program->retired = true;
    slot->program->told_to_end = true;
  }
  attempt.counts.phase = Phase::kStopping;
  TakeEvidence(slot, now);
  SetState(slot, SlotState::kSoftStop, now + grace);
  fx->push_back(SoftStop{slot->index, attempt.cause->reason, attempt.started});
  Report(slot, now, fx);
}

void Core::BeginKill(SlotRecord* slot, Failure cause, absl::Time now,
                     Effects* fx) {
  RunningAttempt& attempt = *slot->attempt;
  // A program that ended by itself ended for its own reason; a warm-up is not
  // the attempt that waits for it.
  if (slot->program->purpose == SpawnPurpose::kWarmUp ||
      (!attempt.cause.has_value() && !attempt.exit.has_value() &&
       !attempt.outcome.has_value())) {
    attempt.cause = std::move(cause);
  }
  attempt.fenced = true;
  if (!RunsAttempt(slot->state)) {
    return;  // not started yet, or already being emptied
  }
  attempt.counts.phase = Phase::kStopping;
  TakeEvidence(slot, now);
  attempt.evidence->killed = true;
  SetState(slot, SlotState::kKilling, now + kTreeDeathMax);
  fx->push_back(KillTree{slot->index});
  Report(slot, now, fx);
}

}  // namespace vigil::worker
