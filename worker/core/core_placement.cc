// Placement: which slot an attempt that waits goes to.
#include <algorithm>
#include <utility>

#include "base/check.h"
#include "worker/core/core.h"

namespace vigil::worker {
namespace {

// Whether the slot will be idle, or take an attempt, without a new decision.
bool IsOnItsWay(const SlotRecord& slot) {
  switch (slot.state) {
    case SlotState::kStarting:
    case SlotState::kEnding:
    case SlotState::kGone:
      return true;
    case SlotState::kKilling:
    case SlotState::kCollecting:
      return slot.attempt == nullptr;
    case SlotState::kIdle:
    case SlotState::kSpawning:
    case SlotState::kRunning:
    case SlotState::kDumping:
    case SlotState::kSoftStop:
    case SlotState::kInspecting:
    case SlotState::kResetting:
    case SlotState::kWarm:
    case SlotState::kLeaving:
    case SlotState::kStuck:
      return false;
  }
  return false;
}

bool IsOfType(const SlotRecord& slot, const TaskTypeRules& type) {
  return slot.program.has_value() && slot.program->type != nullptr &&
         slot.program->type->name == type.name;
}

}  // namespace

bool Core::IsWornOut(const SlotRecord& slot) const {
  const Program& program = *slot.program;
  const TaskTypeRules& type = *program.type;
  return program.retired || IsSurplus(slot) || !types_.Offers(program.type) ||
         (type.max_jobs > 0 && program.jobs >= type.max_jobs) ||
         (type.recycle_rss_bytes > 0 &&
          program.rss_bytes > type.recycle_rss_bytes);
}

bool Core::TakesAhead(const SlotRecord& slot) const {
  if (slot.state != SlotState::kRunning || !slot.program->warm() ||
      !slot.program->loaded || slot.program->type->reset || IsWornOut(slot)) {
    return false;
  }
  const int64_t held = 1 + static_cast<int64_t>(slot.ahead.size());
  const TaskTypeRules& type = *slot.program->type;
  return held < types_.Depth(slot.program->type) &&
         (type.max_jobs == 0 || slot.program->jobs + held < type.max_jobs);
}

Core::Place Core::FindPlace(const AttemptStart& start, bool queue) const {
  const TaskTypeRulesPtr& type = start.type;
  const bool warm = type != nullptr && type->warm;
  SlotRecord* idle = nullptr;
  SlotRecord* warmest = nullptr;
  SlotRecord* shortest = nullptr;
  int of_type = 0;
  const int room = UsableRoom();
  for (const auto& slot : slots_) {
    if (slot->state == SlotState::kIdle && idle == nullptr) idle = slot.get();
    if (type == nullptr || !IsOfType(*slot, *type)) continue;
    ++of_type;
    if (!warm || slot->program->type != type) continue;
    if (slot->state == SlotState::kWarm &&
        (warmest == nullptr ||
         slot->program->idle_since > warmest->program->idle_since)) {
      warmest = slot.get();
    }
    if (TakesAhead(*slot) &&
        (shortest == nullptr || slot->ahead.size() < shortest->ahead.size())) {
      shortest = slot.get();
    }
  }
  // What runs in slots above the usable number goes on, and nothing follows it.
  if (room <= 0) warmest = idle = nullptr;
  if (room < 0) shortest = nullptr;
  if (warmest != nullptr) return {Place::Kind::kHandOver, warmest};
  const CacheState cache = types_.cache(type);
  if (cache == CacheState::kFilling) return {Place::Kind::kWarming, nullptr};
  const bool full =
      type != nullptr && type->max_slots > 0 && of_type >= type->max_slots;
  if (idle != nullptr && !full) {
    return {cache == CacheState::kMissing ? Place::Kind::kWarmUp
                                          : Place::Kind::kSpawn,
            idle};
  }
  if (shortest != nullptr && queue) return {Place::Kind::kAhead, shortest};
  return {full ? Place::Kind::kHeld : Place::Kind::kNone, nullptr};
}

SlotRecord* Core::FindEvictable(const TaskTypeRulesPtr& type) const {
  SlotRecord* oldest = nullptr;
  for (const auto& slot : slots_) {
    if (slot->state != SlotState::kWarm || slot->program->type == type) {
      continue;
    }
    if (oldest == nullptr ||
        slot->program->idle_since < oldest->program->idle_since) {
      oldest = slot.get();
    }
  }
  return oldest;
}

void Core::StartWaiting(absl::Time now, Effects* fx) {
  if (waiting_.empty()) return;
  int coming = static_cast<int>(
      std::count_if(slots_.begin(), slots_.end(), [this](const auto& slot) {
        // One that is not wanted any more is not started again.
        return IsOnItsWay(*slot) &&
               (slot->state != SlotState::kGone || !IsSurplus(*slot));
      }));
  std::deque<WaitingAttempt> kept;
  // An attempt that finds no slot is not overtaken by later ones that queue on
  // busy programs: these would never leave it one.
  bool queue = true;
  while (!waiting_.empty() && MayPlace()) {
    WaitingAttempt waiting = std::move(waiting_.front());
    waiting_.pop_front();
    if (!types_.Offers(waiting.start.type)) {
      EndOutdated(waiting, fx);
      continue;
    }
    const Place place = FindPlace(waiting.start, queue);
    switch (place.kind) {
      case Place::Kind::kSpawn:
      case Place::Kind::kWarmUp:
      case Place::Kind::kHandOver:
      case Place::Kind::kAhead:
        Put(std::move(waiting), place, now, fx);
        continue;
      case Place::Kind::kNone:
        queue = false;
        // An empty slot would be of no use to it.
        if (UsableRoom() <= 0) break;
        if (--coming >= 0) break;
        if (SlotRecord* slot = FindEvictable(waiting.start.type)) {
          EndProgram(slot, now, fx);
        }
        break;
      case Place::Kind::kWarming:
        if (!waiting.warming) {
          waiting.warming = true;
          AttemptUpdate update;
          update.attempt = waiting.start.id;
          update.phase = Phase::kWarming;
          update.slot = -1;
          fx->push_back(SendUpdate{std::move(update)});
        }
        break;
      case Place::Kind::kHeld:
        break;
    }
    kept.push_back(std::move(waiting));
  }
  while (!kept.empty()) {
    waiting_.push_front(std::move(kept.back()));
    kept.pop_back();
  }
}

bool Core::MayPlace() const {
  return std::any_of(slots_.begin(), slots_.end(), [this](const auto& slot) {
    return slot->state == SlotState::kIdle || slot->state == SlotState::kWarm ||
           (slot->program.has_value() &&
            slot->program->purpose == SpawnPurpose::kWarmUp) ||
           TakesAhead(*slot);
  });
}

void Core::EndOutdated(const WaitingAttempt& waiting, Effects* fx) {
  // What its type needs now is not what it was assigned with.
  EndUnstarted(waiting.start.id,
               Failure{Reason::kWorkerLost,
                       "has another definition of its task type now", ""},
               fx);
}

void Core::HandBackWaiting(absl::Time now, Effects* fx) {
  hand_back_time_ =
      waiting_.empty() ? absl::InfiniteFuture() : now + kWaitForSlotMax;
  // For as many as there are slots without an attempt, one comes.
  int coming = 0;
  ForEachWanted([&](const SlotRecord& slot) {
    if (slot.attempt == nullptr) ++coming;
  });
  coming = std::min(coming, std::max(0, UsableRoom()));
  // For as many as there are slots, a warm-up is worth waiting for.
  int warming = usable_.count();
  std::erase_if(waiting_, [&](const WaitingAttempt& waiting) {
    if (types_.cache(waiting.start.type) == CacheState::kFilling &&
        --warming >= 0) {
      return false;
    }
    if (--coming >= 0 || waiting.since + kWaitForSlotMax > now) return false;
    work_ahead_.Waited();
    EndUnstarted(
        waiting.start.id,
        Failure{Reason::kWorkerLost,
                "had it wait for a slot, and what its slots run is long", ""},
        fx);
    return true;
  });
}

int Core::Ahead(absl::Time now) const {
  int quick = 0;
  int dying = 0;
  ForEachWanted([&](const SlotRecord& slot) {
    const RunningAttempt* attempt = slot.attempt.get();
    // The report of its attempt wakes the loop then.
    const bool is_long = attempt != nullptr && attempt->clocks.has_value() &&
                         now - attempt->clocks->start() >= kFirstReportDelay;
    if (!is_long) ++quick;
    // Its next attempt can come while the tree dies. One that takes its time is
    // not waited for.
    if (slot.state == SlotState::kKilling &&
        now < slot.state_deadline - kTreeDeathMax + kWaitForSlotMax) {
      ++dying;
    }
  });
  quick = std::min(quick, usable_.count());
  dying = std::min(dying, usable_.count());
  return std::min(work_ahead_.For(quick) + dying, kAheadMax);
}

void Core::Put(WaitingAttempt waiting, const Place& place, absl::Time now,
               Effects* fx) {
  SlotRecord* slot = place.slot;
  auto attempt = std::make_unique<RunningAttempt>();
  attempt->start = std::move(waiting.start);
  attempt->supervision = attempt->start.supervision;
  attempt->close_deadline = waiting.close_deadline;
  attempt->place_time = now;
  attempt->counts = std::move(waiting.counts);
  attempt->counts.attempt = attempt->start.id;
  attempt->counts.slot = slot->index;
  attempt->counts.phase = Phase::kStarting;
  const AttemptId id = attempt->start.id;
  switch (place.kind) {
    case Place::Kind::kSpawn:
    case Place::Kind::kWarmUp: {
      const bool warm_up = place.kind == Place::Kind::kWarmUp;
      const TaskTypeRulesPtr& type = attempt->start.type;
      slot->program.emplace();
      slot->program->type = type;
      slot->program->since = now;
      if (warm_up) {
        slot->program->purpose = SpawnPurpose::kWarmUp;
        types_.SetCache(type, CacheState::kFilling);
        attempt->counts.phase = Phase::kWarming;
        Supervision supervision;
        supervision.timeouts.startup = type->warm_up->timeout;
        supervision.timeouts.inactivity = type->inactivity;
        supervision.timeouts.start_to_close = type->warm_up->start_to_close;
        supervision.timeouts.shutdown_grace = type->shutdown_grace;
        supervision.waits_for_ready = true;
        attempt->supervision = supervision;
      }
      slot->attempt = std::move(attempt);
      SetState(slot, SlotState::kSpawning, absl::InfiniteFuture());
      fx->push_back(
          SpawnTask{slot->index, id, slot->program->purpose,
                    !slot->program->warm() && work_ahead_.For(1) > 0});
      return;
    }
    case Place::Kind::kHandOver:
      slot->attempt = std::move(attempt);
      StartClocks(slot, now);
      SetState(slot, SlotState::kRunning, absl::InfiniteFuture());
      fx->push_back(SendStart{slot->index, id});
      return;
    case Place::Kind::kAhead:
      slot->ahead.push_back(std::move(attempt));
      fx->push_back(SendStart{slot->index, id});
      return;
    case Place::Kind::kNone:
    case Place::Kind::kHeld:
    case Place::Kind::kWarming:
      break;
  }
  VIGIL_CHECK(false, "no place to put an attempt");
}

}  // namespace vigil::worker
