// The process: turns, faults, the link.
#include "tests/sim/worker_node.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "base/check.h"

namespace vigil::sim {
namespace {

// Every so many turns the core walks all its state.
constexpr int64_t kTurnsPerCheck = 16;

// A core that asks for another turn more often than this, at one instant,
// spins.
constexpr int kTicksPerTurnMax = 100;

// Effects of one turn; more come only from an endless loop.
constexpr size_t kEffectsPerTurnMax = 100'000;

}  // namespace

WorkerNode::WorkerNode(const Parts& parts, Options options)
    : parts_(parts),
      options_(std::move(options)),
      clock_(parts.queue, options_.clock),
      link_({&clock_, parts.random, parts.network, parts.mutant, options_.index,
             this},
            this),
      timer_(parts_.queue, &clock_, [this] { Turn(); }) {
  for (const auto& type : options_.types) {
    types_[type->rules.name] =
        std::make_shared<const worker::TaskTypeRules>(type->rules);
  }
}

WorkerId WorkerNode::id() const {
  return WorkerId(absl::StrCat("worker-", options_.index));
}

void WorkerNode::Start() {
  VIGIL_CHECK(core_ == nullptr, "is up");
  ++life_;
  parts_.trace->Add(parts_.queue->now(),
                    absl::StrCat(id().value(), " starts, life ", life_));
  stopped_ = false;
  fenced_ = false;
  was_fenced_ = false;
  leave_ = Leaving();
  signalled_ = false;
  sent_ends_.clear();
  effects_.clear();
  usable_.reset();
  given_.clear();
  background_done_ = absl::InfinitePast();
  std::erase_if(processes_, [](const auto& process) {
    return process->dead() && !process->sweeping();
  });
  predecessors_dead_ = processes_.empty();
  if (predecessors_dead_) parts_.coverage->Count("predecessors dead");
  core_ =
      std::make_unique<worker::Core>(options_.slots, clock_.now(), &effects_);
  OfferTypes();
  Perform();
  NewSession();
  Wake();
}

void WorkerNode::NewSession() {
  fenced_ = false;
  if (parts_.mutant != Mutant::kSessionReused || sessions_ == 0) {
    ++sessions_;
    attaches_ = 0;
  }
  const SessionId before = session_;
  session_ = SessionId(absl::StrCat(id().value(), "-session-", sessions_));
  if (leave_.draining) parts_.judge->drains().Continues(before, session_);
  link_.Start();
}

void WorkerNode::Crash() {
  if (core_ == nullptr) return;
  parts_.trace->Add(parts_.queue->now(), id().value() + " crashes");
  if (leave_.draining) parts_.coverage->Count("killed while it drains");
  End();
}

void WorkerNode::End() {
  link_.Stop();
  parts_.network->WorkerDown(this);
  for (const auto& process : processes_) {
    // Whoever stops a slot lets it go on when its worker dies.
    process->Continue();
    process->Disown();
  }
  inbox_.clear();
  places_.clear();
  timer_.Disarm();
  core_.reset();
  stopped_ = false;
}

bool WorkerNode::AllDead() const {
  return std::all_of(processes_.begin(), processes_.end(),
                     [](const auto& process) {
                       return process->dead() && !process->sweeping();
                     });
}

void WorkerNode::Stop() {
  if (core_ == nullptr || stopped_) return;
  parts_.trace->Add(parts_.queue->now(), id().value() + " is stopped");
  ContinueSlots();
  stopped_ = true;
  stopped_since_ = clock_.now();
}

void WorkerNode::Continue() {
  if (core_ == nullptr || !stopped_) return;
  parts_.trace->Add(parts_.queue->now(), id().value() + " goes on");
  stopped_ = false;
  const absl::Duration stall = clock_.now() - stopped_since_;
  core_->GrantStall(stall);
  if (parts_.mutant == Mutant::kLeaseExtendedByStall) {
    LeaseExtended(core_->lease() + stall);
  }
  Disturbed();
  Wake();
}

void WorkerNode::Disturbed() {
  for (Place& place : places_) place.quiet_since = parts_.queue->now();
}

void WorkerNode::CrashSlot() {
  if (core_ == nullptr || stopped_ || places_.empty()) return;
  Place& place = places_[parts_.random->Index(places_.size())];
  if (place.node == nullptr || place.node->dead()) return;
  parts_.coverage->Count("fault: slot crash");
  parts_.trace->Add(parts_.queue->now(),
                    absl::StrCat(id().value(), " slot ",
                                 IndexOf(place.node.get()), " crashes"));
  place.node->Kill();
}

void WorkerNode::StopSlot() {
  if (core_ == nullptr || stopped_ || places_.empty()) return;
  Place& place = places_[parts_.random->Index(places_.size())];
  if (place.node == nullptr || place.node->dead()) return;
  parts_.coverage->Count("fault: slot stopped");
  parts_.trace->Add(parts_.queue->now(),
                    absl::StrCat(id().value(), " slot ",
                                 IndexOf(place.node.get()), " is stopped"));
  place.node->Stop();
  Disturbed();
  if (parts_.random->Chance(0.3)) return;
  parts_.queue->After(
      parts_.random->Between(absl::Milliseconds(10), absl::Seconds(8)),
      [this, node = place.node] {
        node->Continue();
        Disturbed();
      });
}

void WorkerNode::ContinueSlots() {
  for (const auto& process : processes_) process->Continue();
  Disturbed();
}

void WorkerNode::Enqueue(std::function<void()> input) {
  if (core_ == nullptr) return;
  inbox_.push_back(std::move(input));
  Wake();
}

void WorkerNode::Wake() {
  if (turn_due_ || stopped_ || core_ == nullptr) return;
  turn_due_ = true;
  parts_.queue->After(
      parts_.random->Between(absl::Microseconds(5), absl::Microseconds(200)),
      [this] {
        turn_due_ = false;
        Turn();
      });
}

void WorkerNode::Turn() {
  if (core_ == nullptr || stopped_) return;
  const absl::Time now = clock_.now();
  while (!inbox_.empty()) {
    const std::function<void()> input = std::move(inbox_.front());
    inbox_.pop_front();
    input();
  }
  int ticks = 0;
  do {
    VIGIL_CHECK(++ticks <= kTicksPerTurnMax, "the worker's core spins");
    core_->Tick(now, &effects_);
    Perform();
    if (fenced_ && core_->Quiet()) NewSession();
    TellTypes();
    TellDraining();
    TellAhead();
    TellUsable();
    link_.Tick();
    CheckUsable();
    CheckDrain();
  } while (!leave_.done && NextDeadline() <= now);
  if (leave_.done) {
    parts_.trace->Add(parts_.queue->now(), id().value() + " ends");
    End();
    parts_.ended(options_.index);
    return;
  }
  if (++turns_ % kTurnsPerCheck == 0) core_->CheckInvariants();
  timer_.Arm(NextDeadline());
}

absl::Time WorkerNode::NextDeadline() const {
  return std::min({core_->NextDeadline(), link_.NextDeadline(),
                   leave_.stop_time, leave_.deadline});
}

void WorkerNode::Perform() {
  // An effect may be answered at once, which adds effects behind it.
  for (size_t i = 0; i < effects_.size(); ++i) {
    VIGIL_CHECK(i < kEffectsPerTurnMax, "the worker's core spins");
    const worker::Effect effect = effects_[i];
    std::visit([this](const auto& each) { Do(each); }, effect);
  }
  effects_.clear();
}

bool WorkerNode::Settled() const {
  if (core_ == nullptr || stopped_ || leave_.draining || !link_.attached() ||
      !core_->Quiet() || !core_->ended().empty() ||
      core_->usable().lowered().has_value()) {
    return false;
  }
  int idle = 0;
  for (int i = 0; i < static_cast<int>(places_.size()); ++i) {
    const worker::SlotState state = core_->slot_state(i);
    if (state == worker::SlotState::kIdle ||
        state == worker::SlotState::kWarm) {
      ++idle;
    }
  }
  return idle == core_->slots();
}

void WorkerNode::CheckNotLate() const {
  if (core_ == nullptr || stopped_) return;
  for (int i = 0; i < static_cast<int>(places_.size()); ++i) {
    const Place& place = places_[i];
    if (core_->slot_state(i) != worker::SlotState::kRunning) continue;
    if (place.tree == nullptr || place.rests || place.node->stopped()) continue;
    if (place.purpose == worker::SpawnPurpose::kWarmUp) continue;
    parts_.judge->StillRunning(*core_->attempt_in(i), place.quiet_since);
  }
}

void WorkerNode::Receive(StreamId stream, ToWorker message) {
  Enqueue([this, stream, message = std::move(message)] {
    link_.Apply(stream, message);
  });
}

coordinator::WorkerHello WorkerNode::Hello() {
  coordinator::WorkerHello hello;
  hello.worker = id();
  hello.session = session_;
  hello.protocol_version = 1;
  hello.attach_number = ++attaches_;
  hello.slots = core_->slots();
  hello.allow_commands = true;
  hello.local = options_.local;
  // As the real worker: a session that was fenced may have left something.
  hello.predecessors_dead = predecessors_dead_ && !was_fenced_;
  hello.task_types = TypeNames();
  hello.max_slots = MaxSlots();
  hello.draining = leave_.told = leave_.draining;
  hello.running = core_->Running();
  for (const auto& [attempt, end] : core_->ended()) {
    if (sent_ends_.contains(attempt)) parts_.coverage->Count("end sent again");
    // As the real worker: its output was not all acknowledged, and comes first.
    if (end.last.stdout_bytes > 0 && parts_.random->Chance(0.5)) {
      parts_.coverage->Count("end listed as running");
      hello.running.push_back(attempt);
    } else {
      hello.ended.push_back(end);
    }
  }
  return hello;
}

void WorkerNode::SendEnd(const AttemptEnd& end) {
  if (!link_.attached()) return;
  sent_ends_.insert(end.attempt);
  link_.Send(end);
  if (parts_.mutant == Mutant::kEndForgotten) EndAcknowledged(end.attempt);
}

void WorkerNode::EndAcknowledged(const AttemptId& attempt) {
  sent_ends_.erase(attempt);
  core_->EndAcknowledged(attempt);
}

void WorkerNode::LeaseExtended(absl::Time until) {
  if (parts_.mutant == Mutant::kFenceIgnored) {
    until = clock_.now() + absl::Hours(10'000);
  }
  core_->ExtendLease(until);
  for (const Place& place : places_) {
    if (place.node != nullptr) TellLease(place.node.get());
  }
}

void WorkerNode::TellLease(SlotNode* slot) const {
  if (core_->lease() == absl::InfinitePast()) return;
  slot->Request(slot::LeaseRenewed{core_->lease() - kStart});
}

void WorkerNode::Hear(const ToWorker& message) {
  const absl::Time now = clock_.now();
  if (const auto* assignment = std::get_if<Assignment>(&message)) {
    const JobSpec& spec = parts_.judge->Spec(assignment->attempt.job_id);
    worker::AttemptStart start;
    start.id = assignment->attempt;
    start.supervision = spec.supervision;
    if (assignment->sequential) {
      parts_.coverage->Count("attempt runs in sequence");
      start.supervision.nesting.action = OnNestedPool::kSequential;
    }
    start.exit_reasons = spec.exit_reasons;
    start.time_left = assignment->time_left;
    start.type = RulesOf(spec);
    core_->Assign(std::move(start), now, &effects_);
  } else if (const auto* stop = std::get_if<StopMessage>(&message)) {
    core_->Stop(stop->attempt, stop->reason, now, &effects_);
  } else if (const auto* ack = std::get_if<EndAck>(&message)) {
    EndAcknowledged(ack->attempt);
  } else if (const auto* slots = std::get_if<SlotsMessage>(&message)) {
    if (!leave_.draining) core_->SetSlots(slots->slots, now, &effects_);
  } else if (const auto* drain = std::get_if<DrainMessage>(&message)) {
    Drain(drain->grace.value_or(options_.drain_grace));
  }
}

void WorkerNode::AttachedNow(const std::vector<AttemptId>& kill) {
  told_.clear();
  told_ahead_ = 0;
  told_usable_.reset();
  told_revision_ = 0;
  for (const AttemptId& attempt : kill) {
    core_->Fence(attempt, clock_.now(), &effects_);
  }
  std::vector<AttemptEnd> ends;
  for (const auto& [attempt, end] : core_->ended()) ends.push_back(end);
  for (const AttemptEnd& end : ends) SendEnd(end);
}

void WorkerNode::Fenced() {
  parts_.coverage->Count("worker starts a new session");
  core_->FenceAll("its session was given up", clock_.now(), &effects_);
  fenced_ = true;
  was_fenced_ = true;
}

}  // namespace vigil::sim
