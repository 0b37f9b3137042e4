// The end of programs and of the attempts that they ran.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "worker/core/classify.h"
#include "worker/core/core.h"

namespace vigil::worker {
namespace {

// Whether a program is, or may be, running in the slot.
bool MayRun(SlotState state) {
  switch (state) {
    case SlotState::kRunning:
    case SlotState::kDumping:
    case SlotState::kSoftStop:
    case SlotState::kInspecting:
    case SlotState::kResetting:
    case SlotState::kWarm:
    case SlotState::kEnding:
    case SlotState::kKilling:
      return true;
    case SlotState::kStarting:
    case SlotState::kIdle:
    case SlotState::kSpawning:
    case SlotState::kCollecting:
    case SlotState::kLeaving:
    case SlotState::kGone:
    case SlotState::kStuck:
      return false;
  }
  return false;
}

// Of a warm program that ended by itself without an outcome.
Failure WarmExitFailure(Verdict verdict, bool started) {
  Failure failure = verdict.failure.value_or(
      Failure{Reason::kProtocolError, "the program exited with status 0", ""});
  failure.message +=
      started ? " before it gave a result" : " before it began the job";
  return failure;
}

// Asked to stop for the sake of its chunks, it ended the last of them instead:
// nothing is missing.
bool FinishedInItsGrace(const RunningAttempt& attempt, const Program& program) {
  if (!attempt.cause.has_value() ||
      attempt.cause->reason != Reason::kSlowChunks ||
      !attempt.clocks.has_value() || attempt.clocks->chunks() == nullptr ||
      !attempt.clocks->chunks()->complete()) {
    return false;
  }
  if (program.warm()) {
    return attempt.outcome.has_value() && !attempt.outcome->failure.has_value();
  }
  return attempt.exit.has_value() && attempt.exit->status == 0;
}

// Whether the attempt was stopped for its worker's sake alone, before anything
// of it could begin: like one that waited, it costs nothing.
bool IsDrainedUnbegun(const RunningAttempt& attempt, const Program& program,
                      const AttemptEnd& end) {
  const bool unbegun = program.purpose == SpawnPurpose::kWarmUp ||
                       (program.warm() && !attempt.started);
  const bool unconfirmed =
      end.evidence.has_value() && end.evidence->death_unconfirmed;
  // What was not read may say that it began.
  return unbegun && !unconfirmed && !program.broken &&
         end.failure.has_value() && end.failure->reason == Reason::kDrained;
}

}  // namespace

void Core::Exited(int slot, Exit exit, absl::Time now, Effects*) {
  SlotRecord* record = Get(slot);
  if (!MayRun(record->state)) return;
  if (record->attempt != nullptr) {
    if (record->attempt->exit.has_value()) return;
    record->attempt->exit = std::move(exit);
    record->attempt->counts.phase = Phase::kStopping;
  }
  // The slot empties the tree by itself once the program is gone.
  SetState(record, SlotState::kKilling, now + kTreeDeathMax);
}

void Core::TreeEmpty(int slot, const TreeReport& report, absl::Time now,
                     Effects* fx) {
  SlotRecord* record = Get(slot);
  if (record->state == SlotState::kStuck && !report.unconfirmed) {
    // The kernel let go at last. Its place was taken by another.
    SetState(record, SlotState::kLeaving, now + kSlotSilenceMax);
    fx->push_back(RetireSlot{slot});
    return;
  }
  if (!MayRun(record->state)) return;
  record->unconfirmed = report.unconfirmed;
  if (record->attempt != nullptr) {
    RunningAttempt& attempt = *record->attempt;
    if (report.lease_expired && !attempt.cause.has_value() &&
        !attempt.outcome.has_value()) {
      attempt.cause = Failure{Reason::kWorkerLost,
                              "lost its lease: its slot was not told in time "
                              "that the coordinator still answers",
                              ""};
    }
    if (attempt.cause.has_value() || report.leftovers_killed > 0 ||
        report.unconfirmed) {
      TakeEvidence(record, now);
    }
    if (attempt.evidence.has_value()) {
      Evidence& evidence = *attempt.evidence;
      evidence.leftover_processes_killed = report.leftovers_killed;
      evidence.killed = evidence.killed || report.killed;
      evidence.death_unconfirmed = report.unconfirmed;
      evidence.time_to_confirmed_death = now - attempt.stop_time;
    }
    if (!attempt.exit.has_value()) attempt.exit.emplace();
    attempt.exit->user_time = report.user_time;
    attempt.exit->system_time = report.system_time;
    attempt.exit->max_rss_bytes = report.max_rss_bytes;
  }
  const bool killed = record->attempt != nullptr && !report.killed &&
                      !record->attempt->cause.has_value() &&
                      MayBeOomKill(*record->attempt->exit);
  SetState(record, SlotState::kCollecting, absl::InfiniteFuture());
  fx->push_back(CollectOutput{slot, killed});
}

void Core::OutputCollected(int slot, const EndFindings& findings,
                           absl::Time now, Effects* fx) {
  SlotRecord* record = Get(slot);
  if (record->state != SlotState::kCollecting) return;
  if (record->program->purpose == SpawnPurpose::kWarmUp) {
    EndWarmUp(record, findings, fx);
    return;
  }
  if (record->attempt != nullptr && !record->attempt->cause.has_value() &&
      !record->attempt->outcome.has_value() && !record->attempt->fenced) {
    RunningAttempt& attempt = *record->attempt;
    if (attempt.handed_ahead && !attempt.started) {
      record->ahead.push_front(std::move(record->attempt));
    } else if (record->program->told_to_end ||
               (!record->finished.empty() &&
                record->finished.front()->cause.has_value())) {
      // It began while its program was being ended for one before it.
      attempt.cause = Failure{Reason::kWorkerLost,
                              "ended its task for an attempt before it", ""};
    }
  }
  for (auto& attempt : record->finished) {
    EndAttempt(std::move(attempt), *record->program, {}, now, fx);
  }
  record->finished.clear();
  if (record->attempt != nullptr) {
    EndAttempt(std::move(record->attempt), *record->program, findings, now, fx);
  }
  Vacate(record, now, fx);
}

void Core::EndWarmUp(SlotRecord* slot, const EndFindings& findings,
                     Effects* fx) {
  RunningAttempt& attempt = *slot->attempt;
  if (!attempt.cause.has_value()) {
    Verdict verdict =
        ClassifyExit(attempt.exit.value_or(Exit{}), attempt.start.exit_reasons,
                     findings.text_reason, findings.oom);
    attempt.outcome =
        Outcome{std::move(verdict.failure), verdict.retryable, std::nullopt};
  }
  const TaskTypeRulesPtr& type = slot->program->type;
  // That of an old definition must not take the place of a newer one's.
  const bool succeeded = attempt.outcome.has_value() &&
                         !attempt.outcome->failure.has_value() &&
                         types_.Offers(type);
  fx->push_back(FinishCache{slot->index, type, succeeded});
}

void Core::CacheReady(int slot, const std::string& error, absl::Time now,
                      Effects* fx) {
  SlotRecord* record = Get(slot);
  if (record->state != SlotState::kCollecting) return;
  std::unique_ptr<RunningAttempt> attempt = std::move(record->attempt);
  const TaskTypeRulesPtr type = record->program->type;
  // A clock of the warm-up speaks of the warm-up; a cancel or a loss, of the
  // attempt alone.
  const std::optional<Failure>& cause = attempt->cause;
  const bool by_warm_up = !cause.has_value() ||
                          cause->reason == Reason::kStartupTimeout ||
                          cause->reason == Reason::kStartToCloseTimeout ||
                          cause->reason == Reason::kNestedPool ||
                          cause->reason == Reason::kOutOfMemory;
  std::optional<Failure> failure =
      attempt->outcome.has_value() ? attempt->outcome->failure : cause;
  if (!failure.has_value() && (!error.empty() || record->unconfirmed)) {
    failure =
        Failure{Reason::kInternal,
                error.empty() ? "its tree cannot be proved dead" : error, ""};
  }
  if (failure.has_value() && by_warm_up) {
    failure->message =
        absl::StrCat("the warm-up of \"", type->name, "\": ", failure->message);
  }
  const bool degraded = failure.has_value() && by_warm_up &&
                        type->warm_up->optional && !record->unconfirmed;
  if (degraded) {
    types_.SetCache(type, CacheState::kDegraded, failure->message);
  } else {
    types_.SetCache(
        type, failure.has_value() ? CacheState::kMissing : CacheState::kReady);
  }
  if (by_warm_up && (degraded || !failure.has_value())) {
    attempt->counts.phase = Phase::kStarting;
    WaitFirst({std::move(attempt->start), attempt->close_deadline, true,
               std::move(attempt->counts)},
              now);
  } else {
    // No process of its own was ever started.
    attempt->clocks.reset();
    attempt->process_failed = !cause.has_value();
    if (by_warm_up) attempt->cause = std::move(failure);
    EndAttempt(std::move(attempt), *record->program, {}, now, fx);
  }
  Vacate(record, now, fx);
}

void Core::EndAttempt(std::unique_ptr<RunningAttempt> attempt,
                      const Program& program, const EndFindings& findings,
                      absl::Time now, Effects* fx) {
  AttemptEnd end;
  end.attempt = attempt->start.id;
  end.last = attempt->counts;
  if (attempt->clocks.has_value()) {
    // Not zero, which says that it never started: the shortest begin and end
    // in one turn.
    end.last.age =
        std::max(now - attempt->clocks->start(), absl::Nanoseconds(1));
    end.last.silence = now - attempt->clocks->last_activity();
    end.last.longest_silence = attempt->clocks->LongestSilence(now);
  }
  end.last.phase = Phase::kEnded;
  end.time_to_active = attempt->time_to_active;
  if (attempt->evidence.has_value() && !attempt->exit.has_value()) {
    // It handed in what it had, and its program lives on.
    attempt->evidence->time_to_confirmed_death = now - attempt->stop_time;
  }
  if (FinishedInItsGrace(*attempt, program)) attempt->cause.reset();
  const bool by_program = !attempt->cause.has_value() ||
                          attempt->cause->reason == Reason::kProtocolError;
  if (attempt->cause.has_value()) {
    end.failure = std::move(attempt->cause);
  } else if (attempt->outcome.has_value()) {
    end.failure = std::move(attempt->outcome->failure);
    end.retryable = attempt->outcome->retryable;
    end.next_retry_delay = attempt->outcome->next_retry_delay;
  } else {
    Verdict verdict = ClassifyExit(attempt->exit.value_or(Exit{}),
                                   attempt->start.exit_reasons,
                                   findings.text_reason, findings.oom);
    end.retryable = verdict.retryable;
    end.failure = program.warm()
                      ? WarmExitFailure(std::move(verdict), attempt->started)
                      : std::move(verdict.failure);
  }
  if (end.failure.has_value()) {
    const Reason reported = end.failure->reason;
    end.failure =
        BlameNesting(*std::move(end.failure), attempt->counts.nested_calls,
                     attempt->start.supervision.nesting);
    // A wish to be tried again was for another reason.
    if (end.failure->reason != reported) end.retryable = false;
  }
  end.evidence = std::move(attempt->evidence);
  NoteExhaustion(*attempt, end.failure, now, fx);
  end.never_started = IsDrainedUnbegun(*attempt, program, end);
  end.process_failed = attempt->process_failed ||
                       (program.warm() && !attempt->started && by_program);
  end.exit = std::move(attempt->exit);
  ended_[end.attempt] = end;
  fx->push_back(SendEnd{std::move(end)});
}

void Core::NoteExhaustion(const RunningAttempt& attempt,
                          const std::optional<Failure>& failure, absl::Time now,
                          Effects* fx) {
  // At its own limit (max_threads) it would fail on an idle host as well.
  if (!failure.has_value() || failure->reason != Reason::kResourceExhausted ||
      failure->exhaustion == Exhaustion::kTask) {
    return;
  }
  ChangeUsable(
      [&](UsableSlots* usable) {
        usable->Exhausted(attempt.start.id, attempt.place_time, *failure, now);
      },
      fx);
}

void Core::WaitFirst(WaitingAttempt waiting, absl::Time now) {
  waiting.since = now;
  waiting_.push_front(std::move(waiting));
  // Fewer slots may be usable than when it was given its place.
  hand_back_time_ = std::min(hand_back_time_, now + kWaitForSlotMax);
}

void Core::TakeBackAhead(SlotRecord* slot, absl::Time now, Effects* fx) {
  while (!slot->ahead.empty()) {
    std::unique_ptr<RunningAttempt> attempt = std::move(slot->ahead.back());
    slot->ahead.pop_back();
    if (slot->unconfirmed || slot->program->broken) {
      // What may still live may still begin it; what was not read may say that
      // it began.
      AttemptEnd end;
      end.attempt = attempt->start.id;
      end.last = attempt->counts;
      end.last.phase = Phase::kEnded;
      end.failure = HandedToBroken();
      if (slot->unconfirmed) {
        end.failure->message = "handed it to a task that cannot be proved dead";
        end.evidence.emplace();
        end.evidence->death_unconfirmed = true;
      }
      ended_[end.attempt] = end;
      fx->push_back(SendEnd{std::move(end)});
    } else if (attempt->cause.has_value()) {
      EndUnstarted(attempt->start.id, *std::move(attempt->cause), fx);
    } else {
      WaitFirst({std::move(attempt->start), attempt->close_deadline}, now);
    }
  }
}

void Core::Vacate(SlotRecord* slot, absl::Time now, Effects* fx) {
  TakeBackAhead(slot, now, fx);
  if (slot->program.has_value()) {
    if (slot->program->loaded) types_.Changed();
    if (!slot->program->warm() &&
        slot->program->purpose == SpawnPurpose::kRun) {
      work_ahead_.Ran(now - slot->program->since);
    }
  }
  slot->program.reset();
  if (slot->unconfirmed) {
    SetState(slot, SlotState::kStuck, absl::InfiniteFuture());
    SetSlots(slots_wanted_, now, fx);  // a new slot takes its place
  } else if (slot->process_lost) {
    StartProcess(slot, now, fx);
  } else if (slot->process_killed) {
    SetState(slot, SlotState::kLeaving, now + kTreeDeathMax);
  } else {
    BecomeIdle(slot, now, fx);
  }
  // Another slot may be free for what waited for this one.
  StartWaiting(now, fx);
}

}  // namespace vigil::worker
