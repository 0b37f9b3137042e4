#include "tests/sim/slot_node.h"

#include <errno.h>

#include <utility>

namespace vigil::sim {

void SlotNode::Start(absl::Duration delay) {
  parts_.queue->After(delay, [self = shared_from_this()] {
    if (self->dead_) return;
    self->started_ = true;
    self->Send(slot::Ready{1});
    self->Wake();
  });
}

void SlotNode::Enqueue(std::function<void()> input) {
  // Crossing the socket.
  inbox_.push_back(std::move(input));
  Wake();
}

void SlotNode::Wake() {
  if (turn_due_ || stopped_ || dead_ || !started_) return;
  turn_due_ = true;
  parts_.queue->After(
      parts_.random->Between(absl::Microseconds(2), absl::Microseconds(60)),
      [self = shared_from_this()] {
        self->turn_due_ = false;
        self->Turn();
      });
}

void SlotNode::Turn() {
  if (stopped_ || dead_ || !started_) return;
  const auto keep = shared_from_this();
  while (!inbox_.empty() && !dead_) {
    const std::function<void()> input = std::move(inbox_.front());
    inbox_.pop_front();
    input();
  }
  if (std::exchange(children_changed_, false) && !dead_) {
    Apply(slot::ChildrenChanged{});
  }
  if (!dead_) Apply(slot::Tick{});
  if (dead_) return;
  const absl::Duration next = core_.NextDeadline();
  timer_.Arm(kStart + next);
}

void SlotNode::Spawn(std::shared_ptr<TaskTree> tree) {
  Enqueue([this, tree = std::move(tree)] {
    const bool free = core_.state() == slot::SlotCore::State::kIdle;
    if (free) tree_ = tree;
    Apply(slot::SpawnRequested{});
  });
}

void SlotNode::Request(slot::Input request) {
  if (const auto* renewed = std::get_if<slot::LeaseRenewed>(&request)) {
    lease_ = renewed->deadline;
  }
  Enqueue([this, request = std::move(request)] { Apply(request); });
}

void SlotNode::CloseSocket() {
  if (std::exchange(socket_closed_, true)) return;
  Request(slot::WorkerGone{});
}

void SlotNode::Disown() {
  owner_ = nullptr;
  CloseSocket();
}

void SlotNode::Apply(const slot::Input& input) {
  if (dead_) return;
  for (const slot::Action& action : core_.Apply(input, Boottime())) {
    std::visit([this](const auto& each) { Perform(each); }, action);
  }
}

void SlotNode::Perform(const slot::StartTask&) {
  freed_early_ = false;
  const int error = tree_->script().spawn_error;
  if (error != 0) {
    Apply(slot::SpawnFailed{error, slot::SpawnStage::kExec, "program"});
    return;
  }
  tree_->OnChildrenChanged([self = weak_from_this()] {
    if (const auto slot = self.lock()) {
      slot->children_changed_ = true;
      slot->Wake();
    }
  });
  tree_->Start();
  Apply(slot::Spawned{2});
  if (!tree_->script().nested_after.has_value()) return;
  parts_.queue->After(*tree_->script().nested_after,
                      [self = weak_from_this(), tree = tree_] {
                        if (const auto slot = self.lock()) slot->Ask(tree);
                      });
}

void SlotNode::Ask(const std::shared_ptr<TaskTree>& tree) {
  Enqueue([this, tree] {
    if (tree_ != tree || !tree->program_runs() ||
        core_.state() != slot::SlotCore::State::kRunning) {
      return;
    }
    Send(slot::NestedCallSeen{.program = "program",
                              .call = "clone",
                              .refused = tree->refuses_processes(),
                              .count = 1,
                              .live = 1});
  });
}

void SlotNode::Perform(const slot::SignalTask&) { tree_->Terminate(); }

void SlotNode::Perform(const slot::ReapTree&) { Apply(tree_->Reap()); }

void SlotNode::Perform(const slot::KillTree&) {
  tree_->KillChildren();
  Apply(tree_->Reap());
}

void SlotNode::Perform(const slot::SendEvent& action) {
  if (parts_.mutant == Mutant::kSlotFreedEarly) {
    if (std::holds_alternative<slot::TreeEmpty>(action.event) && freed_early_) {
      return;
    }
    Send(action.event);
    if (std::holds_alternative<slot::Exited>(action.event)) {
      freed_early_ = true;
      Send(slot::TreeEmpty{});
    }
    return;
  }
  Send(action.event);
}

void SlotNode::Send(const slot::Event& event) {
  if (owner_ != nullptr && !socket_closed_) owner_->SlotSaid(this, event);
}

void SlotNode::Perform(const slot::Exit&) { Die(); }

void SlotNode::Kill() {
  if (!dead_) Die();
}

void SlotNode::Die() {
  dead_ = true;
  timer_.Disarm();
  inbox_.clear();
  const auto gone = [self = shared_from_this()] {
    self->sweeping_ = false;
    if (self->owner_ != nullptr) self->owner_->SlotGone(self.get());
  };
  if (tree_ == nullptr || !tree_->exists() ||
      core_.state() == slot::SlotCore::State::kIdle) {
    parts_.queue->After(absl::Microseconds(50), gone);
    return;
  }
  sweeping_ = true;
  // The tree holds on to this until it is gone.
  const std::shared_ptr<TaskTree> tree = std::move(tree_);
  tree->KillProgram();
  tree->Sweep(gone);
}

void SlotNode::Stop() {
  if (stopped_) return;
  stopped_ = true;
  stopped_since_ = parts_.clock->now();
}

void SlotNode::Continue() {
  if (!stopped_) return;
  stopped_ = false;
  if (parts_.mutant == Mutant::kLeaseExtendedByStall && started_ && !dead_) {
    lease_ += parts_.clock->now() - stopped_since_;
    Request(slot::LeaseRenewed{lease_});
  }
  // What came meanwhile is seen at once.
  Wake();
}

}  // namespace vigil::sim
