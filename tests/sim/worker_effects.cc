// The slots: what they say, and what the core wants of them.
#include <algorithm>
#include <utility>
#include <variant>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "tests/sim/worker_node.h"
#include "worker/loop/slot_words.h"

namespace vigil::sim {

WorkerNode::Place& WorkerNode::At(int slot) {
  if (static_cast<int>(places_.size()) <= slot) places_.resize(slot + 1);
  return places_[slot];
}

int WorkerNode::IndexOf(const SlotNode* slot) const {
  for (int i = 0; i < static_cast<int>(places_.size()); ++i) {
    if (places_[i].node.get() == slot) return i;
  }
  return -1;
}

void WorkerNode::SlotSaid(SlotNode* slot, const slot::Event& event) {
  Enqueue([this, slot, event] {
    const int index = IndexOf(slot);
    if (index < 0) return;
    core_->SlotHeard(index, clock_.now());
    ApplySlotEvent(index, event);
  });
}

void WorkerNode::SlotGone(SlotNode* slot) {
  std::erase_if(processes_,
                [slot](const auto& process) { return process.get() == slot; });
  Enqueue([this, slot] {
    const int index = IndexOf(slot);
    if (index < 0) return;
    parts_.trace->Add(parts_.queue->now(),
                      absl::StrCat(id().value(), " slot ", index, " is gone"));
    core_->SlotLost(index, clock_.now(), &effects_);
  });
}

void WorkerNode::ApplySlotEvent(int slot, const slot::Event& event) {
  const absl::Time now = clock_.now();
  if (std::holds_alternative<slot::Ready>(event)) {
    core_->SlotReady(slot, now, &effects_);
  } else if (std::holds_alternative<slot::Spawned>(event)) {
    core_->Spawned(slot, now, &effects_);
    Place& place = At(slot);
    place.reads = true;
    if (place.tree == nullptr) return;
    // Posted, as epoll does; also for what was written before.
    place.tree->OnOutput(
        [this, slot, life = life_, tree = std::weak_ptr<TaskTree>(place.tree)] {
          if (life != life_ || core_ == nullptr) return;
          Enqueue([this, slot, tree] {
            if (At(slot).tree == tree.lock()) Read(slot);
          });
        });
    Enqueue([this, slot] { Read(slot); });
  } else if (const auto* failed = std::get_if<slot::SpawnFailed>(&event)) {
    At(slot).tree = nullptr;
    At(slot).program = nullptr;
    core_->SpawnFailed(slot, failed->error, failed->what, now, &effects_);
  } else if (const auto* exited = std::get_if<slot::Exited>(&event)) {
    core_->Exited(slot, worker::ExitOf(*exited), now, &effects_);
  } else if (const auto* seen = std::get_if<slot::NestedCallSeen>(&event)) {
    parts_.coverage->Count("nested call");
    core_->NestedCallSeen(slot, worker::NestedCallOf(*seen), seen->live, now,
                          &effects_);
  } else if (const auto* empty = std::get_if<slot::TreeEmpty>(&event)) {
    ApplyTreeEmpty(slot, *empty);
  }
}

void WorkerNode::ApplyTreeEmpty(int slot, const slot::TreeEmpty& event) {
  if (event.unconfirmed) parts_.coverage->Count("tree unconfirmed");
  if (event.lease_expired) parts_.coverage->Count("slot killed at its lease");
  core_->TreeEmpty(slot, worker::TreeReportOf(event), clock_.now(), &effects_);
}

void WorkerNode::Read(int slot) {
  Place& place = At(slot);
  if (place.tree == nullptr || !place.reads || place.rests) return;
  ReadPipes(slot);
  TakeFrames(slot);
  TakeClose(slot);
  MayRest(slot);
}

void WorkerNode::ReadPipes(int slot) {
  Place& place = At(slot);
  const absl::Time now = clock_.now();
  for (const TaskOutput& output : place.tree->Read()) {
    switch (output.kind) {
      case TaskOutput::Kind::kStdout:
        core_->Output(slot, false, output.bytes, now, &effects_);
        break;
      case TaskOutput::Kind::kStderr:
        core_->Output(slot, true, output.bytes, now, &effects_);
        break;
      case TaskOutput::Kind::kReady:
        core_->Ready(slot, now, &effects_);
        break;
      case TaskOutput::Kind::kProgress: {
        Progress progress;
        progress.done = output.done;
        progress.total = output.total;
        core_->ProgressRead(slot, progress, now, &effects_);
        break;
      }
    }
  }
}

void WorkerNode::MayRest(int slot) {
  if (!options_.rough || !parts_.random->Chance(0.005)) return;
  if (core_->slot_state(slot) != worker::SlotState::kRunning) return;
  parts_.coverage->Count("fault: output not taken");
  Place& place = At(slot);
  place.rests = true;
  core_->ReadingPaused(slot, clock_.now());
  parts_.queue->After(
      parts_.random->Between(absl::Milliseconds(100), absl::Seconds(30)),
      [this, slot, life = life_, tree = place.tree] {
        if (life != life_) return;
        Enqueue([this, slot, tree] {
          Place& place = At(slot);
          if (place.tree != tree || !place.rests) return;
          place.rests = false;
          place.quiet_since = parts_.queue->now();
          core_->ReadingResumed(slot, clock_.now());
          Read(slot);
        });
      });
}

void WorkerNode::Do(const worker::StartSlot& effect) {
  Random& random = *parts_.random;
  Place& place = At(effect.slot);
  parts_.judge->Check(place.node == nullptr || place.node->dead(), JobId(),
                      "a slot is started twice");
  place = Place();
  place.quiet_since = parts_.queue->now();
  place.node = std::make_shared<SlotNode>(
      SlotNode::Parts{parts_.queue, &clock_, parts_.random, parts_.mutant},
      this);
  processes_.push_back(place.node);
  absl::Duration delay =
      random.Between(absl::Milliseconds(1), absl::Milliseconds(30));
  if (options_.rough && random.Chance(0.05)) {
    parts_.coverage->Count("fault: slot starts slowly");
    delay = random.Between(absl::Seconds(1), absl::Seconds(15));
  }
  place.node->Start(delay);
  TellLease(place.node.get());
}

void WorkerNode::Do(const worker::RetireSlot& effect) {
  parts_.coverage->Count("slot retired");
  At(effect.slot).node->CloseSocket();
}

void WorkerNode::Do(const worker::PingSlot& effect) {
  At(effect.slot).node->Request(slot::PingReceived{1});
}

void WorkerNode::Do(const worker::KillSlot& effect) {
  parts_.coverage->Count("slot killed for its silence");
  parts_.trace->Add(parts_.queue->now(),
                    absl::StrCat(id().value(), " kills slot ", effect.slot));
  At(effect.slot).node->Kill();
}

void WorkerNode::Do(const worker::SpawnTask& effect) {
  const bool warms_up = effect.purpose == worker::SpawnPurpose::kWarmUp;
  parts_.trace->Add(parts_.queue->now(),
                    absl::StrCat(id().value(), " slot ", effect.slot, " is to ",
                                 warms_up ? "warm up for " : "start ",
                                 effect.attempt.job_id.value(), " attempt ",
                                 effect.attempt.number));
  CheckSpawn(effect);
  given_[effect.attempt] = ++given_count_;
  Place& place = At(effect.slot);
  place.purpose = effect.purpose;
  place.type = RulesOf(parts_.judge->Spec(effect.attempt.job_id));
  place.program = nullptr;
  place.starts = 0;
  place.broken = false;
  place.closed = false;
  place.reads = false;
  place.rests = false;
  place.tree = MakeTree(effect, &place.program);
  if (!warms_up) {
    place.tree->OnBegin([judge = parts_.judge, tree = place.tree.get()](
                            std::shared_ptr<const TaskRun> run) {
      judge->Began(std::move(run), tree->shared_from_this());
    });
  }
  place.node->Spawn(place.tree);
}

void WorkerNode::Do(const worker::CheckOutput& effect) {
  Read(effect.slot);
  core_->OutputChecked(effect.slot, clock_.now(), &effects_);
}

void WorkerNode::Do(const worker::SoftStop& effect) {
  Place& place = At(effect.slot);
  parts_.coverage->Count(absl::StrCat("soft stop: ", ReasonName(effect.cause)));
  const AttemptId& attempt = *core_->attempt_in(effect.slot);
  if (effect.cause == Reason::kDrained) {
    parts_.judge->drains().Stopped(session_, attempt);
  }
  const bool dumped = std::exchange(place.dumped, false);
  if (!dumped && !place.rests && place.purpose == worker::SpawnPurpose::kRun) {
    parts_.judge->ClockFired(attempt, effect.cause, place.quiet_since);
  }
  if (effect.by_frame) {
    if (place.program != nullptr) {
      parts_.coverage->Count("soft stop by frame");
      place.program->SendStop(attempt);
    }
    return;
  }
  if (place.program != nullptr) place.program->EndChannel();
  place.node->Request(slot::SignalRequested{15});
}

void WorkerNode::Do(const worker::DumpStack& effect) {
  // What it writes then is no output of the script's. The stop comes later than
  // its clock.
  At(effect.slot).dumped = true;
  parts_.coverage->Count("stack dumped");
}

void WorkerNode::Do(const worker::CheckMemory& effect) {
  const Place& place = At(effect.slot);
  core_->MemorySeen(effect.slot,
                    place.tree == nullptr ? -1 : place.tree->script().rss_bytes,
                    absl::ZeroDuration(), clock_.now(), &effects_);
}

void WorkerNode::Do(const worker::KillTree& effect) {
  At(effect.slot).node->Request(slot::KillRequested{});
}

void WorkerNode::Do(const worker::CollectOutput& effect) {
  Place& place = At(effect.slot);
  worker::EndFindings findings;
  if (place.tree != nullptr) {
    if (parts_.mutant != Mutant::kLastWordsUnread) TakeFrames(effect.slot);
    ReadPipes(effect.slot);
    place.rests = false;
    if (place.tree->ended_by_itself()) {
      findings.text_reason = place.tree->script().text_reason;
    }
  }
  place.tree = nullptr;
  place.program = nullptr;
  place.reads = false;
  core_->OutputCollected(effect.slot, findings, clock_.now(), &effects_);
}

void WorkerNode::Do(const worker::SendUpdate& effect) {
  if (effect.update.observed.has_value()) {
    parts_.coverage->Count("clock observed");
  }
  link_.Send(effect.update);
}

void WorkerNode::Do(const worker::SendEnd& effect) {
  const AttemptEnd& end = effect.end;
  given_.erase(end.attempt);
  parts_.trace->Add(
      parts_.queue->now(),
      absl::StrCat(id().value(), " reports the end of ",
                   end.attempt.job_id.value(), " attempt ", end.attempt.number,
                   ": ",
                   end.failure.has_value()
                       ? absl::StrCat(ReasonName(end.failure->reason), ": ",
                                      end.failure->message)
                       : "success"));
  if (end.never_started &&
      absl::StrContains(end.failure->message, "its slots run is long")) {
    parts_.coverage->Count("attempt handed back after it waited");
  }
  // What a program says after it broke the protocol is not read.
  const bool cut_off = !end.never_started && At(end.last.slot).broken;
  parts_.judge->EndReported(
      end, cut_off ? Judge::Output::kCutOff : Judge::Output::kRead);
  SendEnd(end);
}

}  // namespace vigil::sim
