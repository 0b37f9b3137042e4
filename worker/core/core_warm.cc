// Warm programs: their frames, what they do between attempts, and when they are
// replaced.
#include <algorithm>
#include <utility>

#include "worker/core/classify.h"
#include "worker/core/core.h"

namespace vigil::worker {

std::string Core::ProblemWith(int slot, FrameKind kind,
                              const std::optional<AttemptId>& attempt) const {
  const SlotRecord& record = *slots_[slot];
  if (!record.program.has_value() || !record.program->warm()) {
    return "comes from a task that is not warm";
  }
  if (kind == FrameKind::kHello) {
    return record.program->loaded ? "says hello again" : "";
  }
  if (!record.program->loaded) return "comes before hello";
  if (kind == FrameKind::kResetDone) {
    return record.state == SlotState::kResetting
               ? ""
               : "answers a reset that was not asked for";
  }
  const RunningAttempt* head = record.attempt.get();
  const bool of_head =
      head != nullptr && attempt.has_value() && head->start.id == *attempt;
  if (kind == FrameKind::kStarted && !of_head) {
    // Two in a row happen only where a program ended in the meantime.
    const bool next = head != nullptr && head->outcome.has_value() &&
                      attempt.has_value() && !record.ahead.empty() &&
                      record.ahead.front()->start.id == *attempt;
    return next ? "" : "begins an attempt that is not its next";
  }
  if (!of_head) return "is for an attempt that this task does not run";
  if (kind == FrameKind::kStarted) {
    return head->started ? "begins its attempt again" : "";
  }
  if (!head->started) return "comes before started";
  return head->outcome.has_value() ? "comes after the result" : "";
}

void Core::FrameRead(int slot, FrameKind kind, int64_t bytes, absl::Time now,
                     Effects* fx) {
  SlotRecord* record = Get(slot);
  if (kind == FrameKind::kResetDone) {
    BecomeWarm(record, now, fx);
    return;
  }
  if (kind == FrameKind::kStarted && record->attempt->outcome.has_value()) {
    record->finished.push_back(std::move(record->attempt));
    RunningAttempt& done = *record->finished.back();
    BeginAhead(record, now);
    // What is known of the end of the program is the next one's.
    record->attempt->exit = std::exchange(done.exit, std::nullopt);
    record->attempt->evidence = done.evidence;
    record->attempt->stop_time = done.stop_time;
  }
  if (kind == FrameKind::kHello) {
    record->program->loaded = true;
    types_.Changed();
    // Read only when its slot is gone, which never said that it started.
    if (!record->attempt->clocks.has_value()) return;
    if (record->state == SlotState::kRunning) {
      fx->push_back(SendStart{slot, record->attempt->start.id});
    }
  }
  RunningAttempt& attempt = *record->attempt;
  attempt.clocks->Activity(now);
  if (kind == FrameKind::kStarted) {
    BeginAttempt(record, now, fx);
    return;
  }
  if (kind == FrameKind::kToken) {
    ++attempt.counts.tokens;
    attempt.counts.stdout_bytes += bytes;
  } else if (kind == FrameKind::kHeartbeat) {
    ++attempt.counts.heartbeats;
  }
  attempt.report_time =
      std::min(attempt.report_time, attempt.last_report + kReportInterval);
  UpdateDeadline(record);
}

void Core::BeginAttempt(SlotRecord* slot, absl::Time now, Effects* fx) {
  RunningAttempt& attempt = *slot->attempt;
  attempt.started = true;
  attempt.started_time = now;
  attempt.clocks->Started(now);
  attempt.time_to_active = now - attempt.clocks->start();
  if (slot->state == SlotState::kRunning) {
    if (attempt.cause.has_value()) {
      BeginStop(slot, *attempt.cause, now, fx);
      return;
    }
    attempt.counts.phase = Phase::kActive;
    attempt.report_time = now + kFirstReportDelay;
    attempt.last_report = attempt.report_time - kReportInterval;
  }
  UpdateDeadline(slot);
}

void Core::Reported(int slot, Outcome outcome, absl::Time now, Effects* fx) {
  SlotRecord* record = Get(slot);
  RunningAttempt& attempt = *record->attempt;
  attempt.outcome = std::move(outcome);
  types_.Ran(attempt.start.type, now - attempt.started_time);
  if (!RunsAttempt(record->state)) {
    return;  // its tree is being emptied
  }
  SetState(record, SlotState::kInspecting, absl::InfiniteFuture());
  // With attempts ahead, the next may have begun: what lives may be its own.
  fx->push_back(InspectTask{slot, record->ahead.empty()});
}

void Core::Inspected(int slot, int others, int64_t rss_bytes, absl::Time now,
                     Effects* fx) {
  SlotRecord* record = Get(slot);
  if (record->state != SlotState::kInspecting) return;
  record->program->rss_bytes = rss_bytes;
  if (others > 0) {
    record->attempt->counts.phase = Phase::kStopping;
    TakeEvidence(record, now);
    SetState(record, SlotState::kKilling, now + kTreeDeathMax);
    fx->push_back(KillTree{slot});
    return;
  }
  ++record->program->jobs;
  EndAttempt(std::move(record->attempt), *record->program, {}, now, fx);
  Continue(record, now, fx);
}

void Core::Continue(SlotRecord* slot, absl::Time now, Effects* fx) {
  if (!slot->ahead.empty()) {
    BeginAhead(slot, now);
    // Behind the end of the channel nothing more will be said of it.
    SetState(slot, SlotState::kRunning,
             slot->program->retired ? now + kChannelClosedMax
                                    : absl::InfiniteFuture());
    if (slot->attempt->fenced) {
      BeginKill(slot, *slot->attempt->cause, now, fx);
    } else if (slot->program->told_to_end) {
      KillProgram(slot, now, fx);
    }
    StartWaiting(now, fx);
  } else if (IsWornOut(*slot)) {
    EndProgram(slot, now, fx);
  } else if (slot->program->type->reset) {
    SetState(slot, SlotState::kResetting, now + kResetMax);
    fx->push_back(SendReset{slot->index});
  } else {
    BecomeWarm(slot, now, fx);
  }
}

void Core::BeginAhead(SlotRecord* slot, absl::Time now) {
  slot->attempt = std::move(slot->ahead.front());
  slot->ahead.pop_front();
  slot->attempt->handed_ahead = true;
  StartClocks(slot, now);
}

void Core::BecomeWarm(SlotRecord* slot, absl::Time now, Effects* fx) {
  if (IsWornOut(*slot)) {
    EndProgram(slot, now, fx);
    return;
  }
  slot->program->idle_since = now;
  SetState(slot, SlotState::kWarm, now + slot->program->type->idle_timeout);
  StartWaiting(now, fx);
}

void Core::EndProgram(SlotRecord* slot, absl::Time now, Effects* fx) {
  SetState(slot, SlotState::kEnding, now + slot->program->type->shutdown_grace);
  fx->push_back(EndTask{slot->index});
}

void Core::KillProgram(SlotRecord* slot, absl::Time now, Effects* fx) {
  SetState(slot, SlotState::kKilling, now + kTreeDeathMax);
  fx->push_back(KillTree{slot->index});
}

void Core::EndIdlePrograms(absl::Time now, Effects* fx) {
  for (const auto& slot : slots_) {
    if (slot->state == SlotState::kWarm && IsWornOut(*slot)) {
      EndProgram(slot.get(), now, fx);
    }
  }
}

void Core::ProtocolBroken(int slot, const std::string& how, absl::Time now,
                          Effects* fx) {
  SlotRecord* record = Get(slot);
  if (!record->program.has_value()) return;
  record->program->broken = true;
  switch (record->state) {
    case SlotState::kRunning:
    case SlotState::kDumping:
    case SlotState::kSoftStop:
      BeginKill(record,
                record->attempt->handed_ahead && !record->attempt->started
                    ? HandedToBroken()
                    : Failure{Reason::kProtocolError, how, ""},
                now, fx);
      return;
    case SlotState::kWarm:
    case SlotState::kResetting:
    case SlotState::kEnding:
      KillProgram(record, now, fx);
      return;
    case SlotState::kStarting:
    case SlotState::kIdle:
    case SlotState::kSpawning:
    case SlotState::kInspecting:
    case SlotState::kKilling:
    case SlotState::kCollecting:
    case SlotState::kLeaving:
    case SlotState::kGone:
    case SlotState::kStuck:
      return;
  }
}

void Core::ChannelClosed(int slot, absl::Time now, Effects*) {
  SlotRecord* record = Get(slot);
  if (!record->program.has_value()) return;
  record->program->retired = true;
  const absl::Time deadline = now + kChannelClosedMax;
  if (record->state == SlotState::kRunning) {
    SetState(record, SlotState::kRunning, deadline);
  } else if (record->state == SlotState::kWarm ||
             record->state == SlotState::kResetting) {
    SetState(record, SlotState::kEnding, deadline);
  }
}

void Core::SetTypes(std::vector<OfferedType> types, absl::Time now,
                    Effects* fx) {
  types_.Set(std::move(types));
  EndIdlePrograms(now, fx);
  std::erase_if(waiting_, [&](const WaitingAttempt& waiting) {
    if (types_.Offers(waiting.start.type)) return false;
    EndOutdated(waiting, fx);
    return true;
  });
  StartWaiting(now, fx);
}

bool Core::ClearCache(const std::string& type, absl::Time now, Effects* fx) {
  const auto is_of_type = [&type](const AttemptStart& start) {
    return start.type != nullptr && start.type->name == type;
  };
  for (const WaitingAttempt& waiting : waiting_) {
    if (is_of_type(waiting.start)) return false;
  }
  for (const auto& slot : slots_) {
    if (slot->attempt != nullptr && is_of_type(slot->attempt->start)) {
      return false;
    }
  }
  for (const auto& slot : slots_) {
    if (slot->program.has_value() && slot->program->type != nullptr &&
        slot->program->type->name == type) {
      slot->program->retired = true;
    }
  }
  EndIdlePrograms(now, fx);
  const TaskTypeRulesPtr rules = types_.Find(type);
  if (rules != nullptr && rules->warm_up.has_value()) {
    types_.SetCache(rules, CacheState::kMissing);
  }
  return true;
}

std::vector<TaskTypeStatus> Core::TypeStatuses() const {
  absl::btree_map<std::string, int> warm;
  for (const auto& slot : slots_) {
    if (slot->program.has_value() && slot->program->warm() &&
        slot->program->loaded) {
      ++warm[slot->program->type->name];
    }
  }
  std::vector<TaskTypeStatus> statuses;
  for (const std::string& name : types_.names()) {
    TaskTypeStatus& status = statuses.emplace_back();
    status.name = name;
    status.degraded = types_.degraded(name);
    status.in_flight = types_.Depth(types_.Find(name));
    if (const auto it = warm.find(name); it != warm.end()) {
      status.warm_processes = it->second;
    }
  }
  return statuses;
}

}  // namespace vigil::worker
