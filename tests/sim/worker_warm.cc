// Task types, their caches and their warm programs, as the worker's loop treats
// them.
#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "tests/sim/worker_node.h"

namespace vigil::sim {

using worker::FrameKind;
using worker::SpawnPurpose;

void WorkerNode::OfferTypes() {
  std::vector<worker::OfferedType> offered;
  for (const auto& [name, rules] : types_) {
    const auto cache = caches_.find(name);
    offered.push_back(
        {rules, cache != caches_.end() && cache->second == rules});
  }
  core_->SetTypes(std::move(offered), clock_.now(), &effects_);
}

worker::TaskTypeRulesPtr WorkerNode::RulesOf(const JobSpec& spec) const {
  const auto it = types_.find(spec.task_type);
  return it == types_.end() ? nullptr : it->second;
}

std::set<std::string> WorkerNode::TypeNames() const {
  std::set<std::string> names = options_.commands;
  for (const auto& [name, rules] : types_) names.insert(name);
  return names;
}

std::map<std::string, int> WorkerNode::MaxSlots() const {
  std::map<std::string, int> max_slots;
  for (const auto& [name, rules] : types_) {
    if (rules->max_slots > 0) max_slots[name] = rules->max_slots;
  }
  return max_slots;
}

void WorkerNode::TellTypes() {
  if (!link_.attached() || told_revision_ == core_->types_revision()) return;
  told_revision_ = core_->types_revision();
  for (const TaskTypeStatus& status : core_->TypeStatuses()) {
    TaskTypeStatus& told = told_[status.name];
    told.name = status.name;
    if (told == status) continue;
    if (!status.degraded.empty()) parts_.coverage->Count("type degraded");
    if (status.in_flight > 1) parts_.coverage->Count("type takes jobs ahead");
    told = status;
    link_.Send(status);
  }
}

void WorkerNode::TellAhead() {
  if (!link_.attached()) return;
  const int ahead = std::max(options_.ahead_min, core_->Ahead(clock_.now()));
  if (ahead == told_ahead_) return;
  if (ahead > options_.ahead_min) parts_.coverage->Count("work taken ahead");
  told_ahead_ = ahead;
  link_.Send(AheadMessage{ahead});
}

void WorkerNode::TellUsable() {
  const std::optional<worker::LoweredSlots>& lowered =
      core_->usable().lowered();
  if (!link_.attached() || lowered == told_usable_) return;
  told_usable_ = lowered;
  link_.Send(UsableSlotsMessage{core_->usable().count(),
                                lowered.has_value() ? lowered->cause : ""});
}

void WorkerNode::CheckUsable() const {
  if (!usable_.has_value()) return;
  int begun = 0;
  for (int i = 0; i < static_cast<int>(places_.size()); ++i) {
    const AttemptId* attempt = core_->attempt_in(i);
    if (attempt == nullptr) continue;
    const auto given = given_.find(*attempt);
    if (given != given_.end() && given->second > usable_fell_) ++begun;
  }
  parts_.judge->Check(begun <= *usable_, JobId(),
                      "more attempts begin than slots are usable");
}

void WorkerNode::Do(const worker::UsableSlotsChanged& effect) {
  parts_.trace->Add(parts_.queue->now(),
                    absl::StrCat(id().value(), " uses ", effect.slots,
                                 " slots: ", effect.cause));
  if (effect.cause.empty()) {
    parts_.coverage->Count("all slots usable again");
    usable_.reset();
    return;
  }
  if (!usable_.has_value() || effect.slots < *usable_) {
    parts_.coverage->Count("usable slots halved");
    usable_fell_ = ++given_count_;
  }
  usable_ = effect.slots;
}

void WorkerNode::ChangeType() {
  if (core_ == nullptr || stopped_ || types_.empty()) return;
  auto changed = types_.begin();
  std::advance(changed, parts_.random->Index(types_.size()));
  parts_.coverage->Count("operator: change type");
  parts_.trace->Add(parts_.queue->now(),
                    absl::StrCat(id().value(), " changes ", changed->first));
  changed->second = std::make_shared<const worker::TaskTypeRules>(
      ChangedRules(*changed->second, parts_.random));
  Enqueue([this] {
    OfferTypes();
    link_.Send(Announcement{TypeNames(), MaxSlots()});
  });
}

void WorkerNode::ClearCache() {
  if (core_ == nullptr || stopped_ || types_.empty()) return;
  auto type = types_.begin();
  std::advance(type, parts_.random->Index(types_.size()));
  Enqueue([this, name = type->first] {
    if (!core_->ClearCache(name, clock_.now(), &effects_)) return;
    parts_.coverage->Count("operator: clear cache");
    caches_.erase(name);
  });
}

void WorkerNode::CheckSpawn(const worker::SpawnTask& effect) const {
  const JobId& job = effect.attempt.job_id;
  const worker::TaskTypeRulesPtr type = RulesOf(parts_.judge->Spec(job));
  if (type == nullptr) return;
  int of_type = 1;
  for (int i = 0; i < static_cast<int>(places_.size()); ++i) {
    const Place& place = places_[i];
    if (i == effect.slot || place.tree == nullptr || place.type == nullptr ||
        place.type->name != type->name) {
      continue;
    }
    ++of_type;
    parts_.judge->Check(effect.purpose != SpawnPurpose::kWarmUp ||
                            place.purpose != SpawnPurpose::kWarmUp ||
                            place.type != type,
                        job, "its type is warmed up twice at once");
  }
  parts_.judge->Check(type->max_slots == 0 || of_type <= type->max_slots, job,
                      "its type has more slots than max_slots");
  if (effect.purpose == SpawnPurpose::kWarmUp) {
    parts_.coverage->Count("warm-up");
    return;
  }
  if (!type->warm_up.has_value() || type->warm_up->optional) return;
  const auto cache = caches_.find(type->name);
  parts_.judge->Check(cache != caches_.end() && cache->second == type, job,
                      "starts before the warm-up that its type requires");
}

std::shared_ptr<TaskTree> WorkerNode::MakeTree(
    const worker::SpawnTask& effect, std::shared_ptr<WarmProgram>* program) {
  Random* random = parts_.random;
  const JobSpec& spec = parts_.judge->Spec(effect.attempt.job_id);
  if (effect.purpose == SpawnPurpose::kWarmUp) {
    return std::make_shared<TaskTree>(parts_.queue, random, effect.attempt,
                                      RandomWarmUp(random), Supervision());
  }
  if (!spec.warm()) {
    return std::make_shared<TaskTree>(parts_.queue, random, effect.attempt,
                                      spec.ScriptFor(effect.attempt.number),
                                      spec.supervision);
  }
  *program = std::make_shared<WarmProgram>(
      parts_.queue, random, RandomProcess(random),
      RandomProgram(*spec.type, random),
      [judge = parts_.judge](const AttemptId& attempt) {
        return judge->Spec(attempt.job_id).ScriptFor(attempt.number);
      });
  return *program;
}

void WorkerNode::TakeFrames(int slot) {
  Place& place = At(slot);
  WarmProgram::Frame frame;
  // A result is dealt with before what follows it.
  while (place.program != nullptr && !place.broken &&
         core_->slot_state(slot) != worker::SlotState::kInspecting &&
         place.program->NextFrame(&frame)) {
    TakeFrame(slot, std::move(frame));
  }
}

void WorkerNode::TakeFrame(int slot, WarmProgram::Frame frame) {
  const absl::Time now = clock_.now();
  const std::string problem =
      core_->ProblemWith(slot, frame.kind, frame.attempt);
  if (!problem.empty()) {
    parts_.coverage->Count(absl::StrCat("frame ", problem));
    At(slot).broken = true;
    core_->ProtocolBroken(slot, absl::StrCat("a frame ", problem), now,
                          &effects_);
    return;
  }
  core_->FrameRead(slot, frame.kind, frame.bytes, now, &effects_);
  switch (frame.kind) {
    case FrameKind::kProgress: {
      Progress progress;
      progress.done = frame.done;
      progress.total = frame.total;
      core_->ProgressRead(slot, progress, now, &effects_);
      return;
    }
    case FrameKind::kCheckpoint:
      link_.Send(AttemptCheckpoint{
          *frame.attempt, std::make_shared<const std::string>("state")});
      return;
    case FrameKind::kResult:
    case FrameKind::kError:
      core_->Reported(slot, std::move(frame.outcome), now, &effects_);
      return;
    case FrameKind::kHello:
    case FrameKind::kStarted:
    case FrameKind::kToken:
    case FrameKind::kHeartbeat:
    case FrameKind::kResetDone:
      return;
  }
}

void WorkerNode::TakeClose(int slot) {
  Place& place = At(slot);
  if (place.program == nullptr || place.broken || place.closed ||
      !place.program->channel_closed() ||
      core_->slot_state(slot) == worker::SlotState::kInspecting) {
    return;
  }
  place.closed = true;
  core_->ChannelClosed(slot, clock_.now(), &effects_);
}

void WorkerNode::Do(const worker::SendStart& effect) {
  Place& place = At(effect.slot);
  const JobId& job = effect.attempt.job_id;
  parts_.trace->Add(
      parts_.queue->now(),
      absl::StrCat(id().value(), " slot ", effect.slot, " takes ", job.value(),
                   " attempt ", effect.attempt.number));
  ++place.starts;
  given_.try_emplace(effect.attempt, ++given_count_);
  parts_.judge->Check(
      place.type->max_jobs == 0 || place.starts <= place.type->max_jobs, job,
      "its program gets more than max_jobs");
  const AttemptId* head = core_->attempt_in(effect.slot);
  if (head != nullptr && *head == effect.attempt) {
    if (place.starts > 1) parts_.coverage->Count("warm program used again");
    parts_.judge->Check(place.tree->others() == 0, job,
                        "is handed to a program whose last job left a process");
  } else {
    parts_.coverage->Count("attempt handed ahead");
  }
  if (!place.broken && !place.closed) place.program->SendStart(effect.attempt);
}

void WorkerNode::Do(const worker::SendReset& effect) {
  parts_.coverage->Count("warm program reset");
  At(effect.slot).program->SendReset();
}

void WorkerNode::Do(const worker::EndTask& effect) {
  parts_.coverage->Count("warm program ended");
  At(effect.slot).program->EndChannel();
}

void WorkerNode::Do(const worker::InspectTask& effect) {
  Place& place = At(effect.slot);
  ReadPipes(effect.slot);
  int others = effect.look_for_others ? place.tree->others() : 0;
  if (others > 0) parts_.coverage->Count("job left a process");
  if (parts_.mutant == Mutant::kChildOverlooked) others = 0;
  core_->Inspected(effect.slot, others, place.program->rss_bytes(),
                   clock_.now(), &effects_);
  TakeFrames(effect.slot);
  // What comes behind the result is read in the next turn.
  Enqueue([this, slot = effect.slot, program = place.program] {
    if (At(slot).program == program) Read(slot);
  });
}

void WorkerNode::Do(const worker::FinishCache& effect) {
  Random& random = *parts_.random;
  const absl::Duration delay =
      random.Chance(0.8)
          ? random.Between(absl::Microseconds(10), absl::Milliseconds(5))
          : random.Between(absl::ZeroDuration(), absl::Seconds(8));
  const bool fails = effect.succeeded && random.Chance(0.03);
  // One after the other, on one thread.
  background_done_ = std::max(background_done_, parts_.queue->now()) + delay;
  parts_.queue->At(background_done_, [this, effect, fails, life = life_] {
    if (life != life_ || core_ == nullptr) return;
    if (effect.succeeded && !fails) {
      parts_.coverage->Count("cache published");
      caches_[effect.type->name] = effect.type;
    }
    Enqueue([this, slot = effect.slot, fails] {
      core_->CacheReady(slot, fails ? "no space" : "", clock_.now(), &effects_);
    });
  });
}

}  // namespace vigil::sim
