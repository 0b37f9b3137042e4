// The slots: starting them, pinging them, giving them up, handing them work.
#include <signal.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "worker/core/core.h"

namespace vigil::worker {
namespace {

// How long a slot whose process ended waits to be started again, so that a
// broken binary is not started thousands of times a second.
constexpr absl::Duration kSlotRestartDelay = absl::Seconds(1);

bool HasProcess(SlotState state) {
  switch (state) {
    case SlotState::kStarting:
    case SlotState::kIdle:
    case SlotState::kSpawning:
    case SlotState::kRunning:
    case SlotState::kDumping:
    case SlotState::kSoftStop:
    case SlotState::kInspecting:
    case SlotState::kResetting:
    case SlotState::kWarm:
    case SlotState::kEnding:
    case SlotState::kKilling:
    case SlotState::kCollecting:
      return true;
    case SlotState::kLeaving:
    case SlotState::kGone:
    case SlotState::kStuck:
      return false;
  }
  return false;
}

}  // namespace

Core::Core(int slots, absl::Time now, Effects* fx) { SetSlots(slots, now, fx); }

Core::~Core() = default;

SlotRecord* Core::Get(int slot) {
  VIGIL_CHECK(slot >= 0 && slot < static_cast<int>(slots_.size()),
              absl::StrCat("slot ", slot));
  return slots_[slot].get();
}

SlotState Core::slot_state(int slot) const { return slots_[slot]->state; }

const AttemptId* Core::attempt_in(int slot) const {
  const SlotRecord& record = *slots_[slot];
  return record.attempt == nullptr ? nullptr : &record.attempt->start.id;
}

SlotRecord* Core::Find(const AttemptId& attempt) {
  for (const auto& slot : slots_) {
    if (slot->attempt != nullptr && slot->attempt->start.id == attempt) {
      return slot.get();
    }
  }
  return nullptr;
}

RunningAttempt* Core::FindAhead(const AttemptId& attempt) {
  for (const auto& slot : slots_) {
    for (const auto& ahead : slot->ahead) {
      if (ahead->start.id == attempt) return ahead.get();
    }
  }
  return nullptr;
}

bool Core::Alive(const SlotRecord& slot) const {
  return HasProcess(slot.state) && !slot.process_lost && !slot.process_killed;
}

bool Core::IsSurplus(const SlotRecord& slot) const {
  const auto before =
      std::count_if(slots_.begin(), slots_.end(), [&slot](const auto& other) {
        return other->index < slot.index && other->state != SlotState::kStuck;
      });
  return before >= slots_wanted_;
}

int Core::UsableRoom() const {
  // Where all are usable, the slots themselves are the bound.
  if (!usable_.lowered().has_value()) return kSlotsMax;
  const auto busy =
      std::count_if(slots_.begin(), slots_.end(),
                    [](const auto& slot) { return slot->attempt != nullptr; });
  return usable_.count() - static_cast<int>(busy);
}

void Core::SetState(SlotRecord* slot, SlotState state, absl::Time deadline) {
  slot->state = state;
  slot->state_deadline = deadline;
  UpdateDeadline(slot);
}

void Core::UpdateDeadline(SlotRecord* slot) {
  absl::Time due = slot->state_deadline;
  if (Alive(*slot)) {
    due = std::min({due, slot->ping_time, slot->heard + kSlotSilenceMax});
  }
  if (slot->attempt != nullptr) {
    due = std::min(due, slot->attempt->report_time);
    if (slot->state == SlotState::kRunning && !slot->attempt->checking) {
      due = std::min(due, slot->attempt->clocks->NextDeadline());
    }
    if (RunsAttempt(slot->state)) {
      due = std::min(due, slot->attempt->memory_check_time);
    }
  }
  deadlines_.Set(slot, due);
}

void Core::StartProcess(SlotRecord* slot, absl::Time now, Effects* fx) {
  slot->process_killed = false;
  slot->process_lost = false;
  slot->heard = now + kSlotStartMax - kSlotSilenceMax;
  slot->ping_time = absl::InfiniteFuture();
  SetState(slot, SlotState::kStarting, absl::InfiniteFuture());
  fx->push_back(StartSlot{slot->index});
}

void Core::KillProcess(SlotRecord* slot, absl::Time now, Effects* fx) {
  slot->process_killed = true;
  slot->ping_time = absl::InfiniteFuture();
  if (slot->state == SlotState::kCollecting) {
    UpdateDeadline(slot);  // its program is dead, and waits for its cache
  } else {
    SetState(slot, SlotState::kLeaving, now + kTreeDeathMax);
  }
  fx->push_back(KillSlot{slot->index});
}

void Core::GiveUpSlot(SlotRecord* slot, absl::Time now, Effects* fx) {
  slot->unconfirmed = true;
  slot->process_lost = true;
  if (!slot->program.has_value()) {
    Vacate(slot, now, fx);
    return;
  }
  if (slot->attempt != nullptr) {
    RunningAttempt& attempt = *slot->attempt;
    if (!attempt.cause.has_value()) {
      attempt.cause = Failure{Reason::kWorkerLost,
                              "lost the slot that ran it, and what it left "
                              "behind cannot be killed",
                              ""};
    }
    TakeEvidence(slot, now);
    if (!attempt.evidence.has_value()) attempt.evidence.emplace();
    attempt.evidence->death_unconfirmed = true;
  }
  SetState(slot, SlotState::kCollecting, absl::InfiniteFuture());
  fx->push_back(CollectOutput{slot->index});
}

void Core::SetSlots(int slots, absl::Time now, Effects* fx) {
  slots_wanted_ = std::clamp(slots, 0, kSlotsMax);
  ChangeUsable([this](UsableSlots* usable) { usable->SetSlots(slots_wanted_); },
               fx);
  int sound = 0;
  for (const auto& slot : slots_) {
    if (slot->state == SlotState::kStuck) continue;
    ++sound;
    if (sound <= slots_wanted_ && slot->state == SlotState::kGone) {
      StartProcess(slot.get(), now, fx);
    } else if (sound > slots_wanted_ && slot->state == SlotState::kIdle) {
      BecomeIdle(slot.get(), now, fx);
    }
  }
  for (; sound < slots_wanted_; ++sound) {
    auto slot = std::make_unique<SlotRecord>();
    slot->index = static_cast<int>(slots_.size());
    slots_.push_back(std::move(slot));
    StartProcess(slots_.back().get(), now, fx);
  }
  EndIdlePrograms(now, fx);
  if (slots_wanted_ > 0) return;
  // Nothing will ever take what waits: hand it back.
  while (!waiting_.empty()) {
    EndUnstarted(waiting_.front().start.id,
                 Failure{Reason::kWorkerLost, "has no slots any more", ""}, fx);
    waiting_.pop_front();
  }
}

void Core::BecomeIdle(SlotRecord* slot, absl::Time now, Effects* fx) {
  SetState(slot, SlotState::kIdle, absl::InfiniteFuture());
  // What was assigned before the number was lowered still gets its slot:
  // nothing else would start it, and no clock of it runs yet.
  StartWaiting(now, fx);
  if (slot->state != SlotState::kIdle || !IsSurplus(*slot)) return;
  slot->ping_time = absl::InfiniteFuture();
  SetState(slot, SlotState::kLeaving, now + kSlotSilenceMax);
  fx->push_back(RetireSlot{slot->index});
}

void Core::SlotReady(int slot, absl::Time now, Effects* fx) {
  SlotRecord* record = Get(slot);
  if (record->state != SlotState::kStarting) return;
  record->heard = now;
  record->ping_time = now + kSlotPingInterval;
  BecomeIdle(record, now, fx);
}

void Core::SlotHeard(int slot, absl::Time now) {
  SlotRecord* record = Get(slot);
  record->heard = std::max(record->heard, now);
  UpdateDeadline(record);
}

void Core::SlotLost(int slot, absl::Time now, Effects* fx) {
  SlotRecord* record = Get(slot);
  if (record->state == SlotState::kStuck) return;
  record->process_lost = true;
  record->ping_time = absl::InfiniteFuture();
  if (record->state == SlotState::kCollecting) {
    UpdateDeadline(record);
    return;
  }
  if (!record->program.has_value()) {
    SetState(record, SlotState::kGone, now + kSlotRestartDelay);
    return;
  }
  if (record->attempt != nullptr) {
    RunningAttempt& attempt = *record->attempt;
    // A SIGKILL at the end of the lease is the slot's own.
    const bool by_itself = attempt.exit.has_value() &&
                           !(attempt.fenced && attempt.exit->signal == SIGKILL);
    if (!attempt.cause.has_value() && !by_itself &&
        !attempt.outcome.has_value()) {
      attempt.cause = Failure{Reason::kWorkerLost,
                              "lost the slot that ran it (the slot's process "
                              "ended); its tree was reaped",
                              ""};
    }
    TakeEvidence(record, now);
  }
  SetState(record, SlotState::kCollecting, absl::InfiniteFuture());
  fx->push_back(CollectOutput{slot});
}

void Core::ApplyDue(SlotRecord* slot, absl::Time now, Effects* fx) {
  if (Alive(*slot) && slot->heard + kSlotSilenceMax <= now) {
    KillProcess(slot, now, fx);
    return;
  }
  if (slot->ping_time <= now) {
    slot->ping_time = now + kSlotPingInterval;
    fx->push_back(PingSlot{slot->index});
  }
  if (slot->state_deadline <= now) {
    if (slot->state == SlotState::kGone) {
      slot->state_deadline = absl::InfiniteFuture();
      if (!IsSurplus(*slot)) StartProcess(slot, now, fx);
    } else if (slot->state == SlotState::kDumping) {
      BeginStop(slot, *slot->attempt->cause, now, fx);
    } else if (slot->state == SlotState::kSoftStop) {
      BeginKill(slot, *slot->attempt->cause, now, fx);
    } else if (slot->state == SlotState::kSpawning ||
               slot->state == SlotState::kKilling) {
      KillProcess(slot, now, fx);
    } else if (slot->state == SlotState::kRunning) {
      BeginKill(slot,
                Failure{Reason::kProtocolError,
                        "closed its channel before it gave a result, and did "
                        "not exit",
                        ""},
                now, fx);
    } else if (slot->state == SlotState::kWarm) {
      EndProgram(slot, now, fx);
    } else if (slot->state == SlotState::kEnding ||
               slot->state == SlotState::kResetting) {
      KillProgram(slot, now, fx);
    } else if (slot->state == SlotState::kLeaving) {
      if (slot->process_killed) {
        GiveUpSlot(slot, now, fx);
      } else {
        KillProcess(slot, now, fx);
      }
    }
  }
  if (RunsAttempt(slot->state) && slot->attempt->memory_check_time <= now) {
    slot->attempt->memory_check_time = absl::InfiniteFuture();
    fx->push_back(CheckMemory{slot->index});
  }
  if (slot->state == SlotState::kRunning) ApplyClocks(slot, now, false, fx);
  if (slot->attempt != nullptr && slot->attempt->report_time <= now) {
    Report(slot, now, fx);
  }
  UpdateDeadline(slot);
}

void Core::Tick(absl::Time now, Effects* fx) {
  if (lease_ <= now && !lease_ended_) {
    lease_ended_ = true;
    FenceAll("lost its lease: the coordinator did not answer in time", now, fx);
  }
  EndOverdueWaiting(now, fx);
  if (usable_.NextDeadline() <= now) {
    ChangeUsable([now](UsableSlots* usable) { usable->Tick(now); }, fx);
    StartWaiting(now, fx);
  }
  if (hand_back_time_ <= now) HandBackWaiting(now, fx);
  while (SlotRecord* slot = deadlines_.PopDue(now)) ApplyDue(slot, now, fx);
}

void Core::EndOverdueWaiting(absl::Time now, Effects* fx) {
  std::erase_if(waiting_, [&](const WaitingAttempt& waiting) {
    if (waiting.close_deadline > now) return false;
    EndUnstarted(waiting.start.id,
                 Failure{Reason::kScheduleToCloseTimeout,
                         "the job's whole time was over before a slot was "
                         "ready for this attempt (schedule_to_close_timeout)",
                         ""},
                 fx);
    return true;
  });
}

absl::Time Core::NextDeadline() const {
  const absl::Time lease = lease_ended_ ? absl::InfiniteFuture() : lease_;
  absl::Time next = std::min({lease, deadlines_.NextDeadline(), hand_back_time_,
                              usable_.NextDeadline()});
  for (const WaitingAttempt& waiting : waiting_) {
    next = std::min(next, waiting.close_deadline);
  }
  return next;
}

void Core::GrantStall(absl::Duration stall) {
  for (const auto& slot : slots_) {
    slot->heard += stall;
    if (slot->attempt != nullptr && slot->attempt->clocks.has_value()) {
      slot->attempt->clocks->GrantStall(stall);
    }
    UpdateDeadline(slot.get());
  }
}

bool Core::Quiet() const {
  return waiting_.empty() &&
         std::all_of(slots_.begin(), slots_.end(),
                     [](const auto& slot) { return slot->attempt == nullptr; });
}

std::vector<AttemptId> Core::Running() const {
  std::vector<AttemptId> running;
  for (const WaitingAttempt& waiting : waiting_) {
    running.push_back(waiting.start.id);
  }
  for (const auto& slot : slots_) {
    if (slot->attempt != nullptr) running.push_back(slot->attempt->start.id);
    for (const auto& ahead : slot->ahead) running.push_back(ahead->start.id);
    for (const auto& ended : slot->finished) running.push_back(ended->start.id);
  }
  return running;
}

void Core::CheckInvariants() const {
  VIGIL_CHECK(usable_.count() <= slots_wanted_, "usable slots");
  VIGIL_CHECK(usable_.count() >= std::min(1, slots_wanted_), "usable slots");
  for (const auto& slot : slots_) {
    const std::string name = absl::StrCat("slot ", slot->index);
    // What is in it at all.
    switch (slot->state) {
      case SlotState::kStarting:
      case SlotState::kIdle:
      case SlotState::kGone:
      case SlotState::kStuck:
        VIGIL_CHECK(!slot->program.has_value(), name);
        VIGIL_CHECK(slot->attempt == nullptr, name);
        break;
      case SlotState::kSpawning:
      case SlotState::kRunning:
      case SlotState::kDumping:
      case SlotState::kSoftStop:
      case SlotState::kInspecting:
        VIGIL_CHECK(slot->program.has_value(), name);
        VIGIL_CHECK(slot->attempt != nullptr, name);
        break;
      case SlotState::kResetting:
      case SlotState::kWarm:
      case SlotState::kEnding:
        VIGIL_CHECK(slot->program.has_value() && slot->program->warm(), name);
        VIGIL_CHECK(slot->attempt == nullptr && slot->ahead.empty(), name);
        break;
      case SlotState::kKilling:
      case SlotState::kCollecting:
        VIGIL_CHECK(slot->program.has_value(), name);
        break;
      case SlotState::kLeaving:
        break;
    }
    // What moves it on.
    switch (slot->state) {
      case SlotState::kRunning:
        VIGIL_CHECK(slot->attempt->clocks.has_value(), name);
        VIGIL_CHECK(slot->deadline() != absl::InfiniteFuture(), name);
        break;
      case SlotState::kDumping:
      case SlotState::kSoftStop:
        VIGIL_CHECK(slot->attempt->cause.has_value(), name);
        [[fallthrough]];
      case SlotState::kResetting:
      case SlotState::kWarm:
      case SlotState::kEnding:
      case SlotState::kKilling:
      case SlotState::kLeaving:
        VIGIL_CHECK(slot->state_deadline != absl::InfiniteFuture(), name);
        break;
      case SlotState::kStarting:
      case SlotState::kIdle:
      case SlotState::kSpawning:
      case SlotState::kInspecting:
      case SlotState::kCollecting:
      case SlotState::kGone:
      case SlotState::kStuck:
        break;
    }
    VIGIL_CHECK(slot->ahead.empty() || slot->attempt != nullptr, name);
    VIGIL_CHECK(slot->ahead.empty() || slot->program->warm(), name);
    if (slot->attempt != nullptr) {
      VIGIL_CHECK(!ended_.contains(slot->attempt->start.id), name);
    }
  }
}

std::vector<int> Core::StuckSlots() const {
  std::vector<int> stuck;
  for (const auto& slot : slots_) {
    if (slot->state == SlotState::kStuck) stuck.push_back(slot->index);
  }
  return stuck;
}

}  // namespace vigil::worker
