// How it leaves: as worker/loop/worker_loop.cc does.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "tests/sim/worker_node.h"
#include "worker/loop/limits.h"

namespace vigil::sim {

void WorkerNode::Terminate() {
  Enqueue([this] {
    if (signalled_) {
      parts_.coverage->Count("worker ended by a second signal");
      leave_.done = true;
      return;
    }
    signalled_ = true;
    parts_.judge->drains().Asked(session_, options_.drain_grace);
    Drain(options_.drain_grace);
  });
}

void WorkerNode::Drain(absl::Duration grace) {
  const absl::Time stop_time = clock_.now() + grace;
  if (leave_.draining && leave_.stop_time <= stop_time) return;
  parts_.coverage->Count(leave_.draining  ? "worker is to leave sooner"
                         : core_->Quiet() ? "worker drains, nothing runs"
                                          : "worker drains");
  parts_.trace->Add(parts_.queue->now(),
                    absl::StrCat(id().value(), " drains, within ",
                                 absl::FormatDuration(grace)));
  leave_.draining = true;
  leave_.stop_time = stop_time;
  core_->SetSlots(0, clock_.now(), &effects_);
}

void WorkerNode::TellDraining() {
  if (leave_.draining == leave_.told || !link_.attached()) return;
  leave_.told = true;
  link_.Send(DrainingMessage{});
}

void WorkerNode::CheckDrain() {
  if (!leave_.draining || leave_.done) return;
  const absl::Time now = clock_.now();
  if (leave_.stop_time <= now) {
    leave_.stop_time = absl::InfiniteFuture();
    for (const AttemptId& attempt : core_->Running()) {
      core_->Stop(attempt, Reason::kDrained, now, &effects_);
    }
    Perform();
    return;
  }
  const bool quiet = core_->Quiet() || parts_.mutant == Mutant::kLeftWithWork;
  if (!quiet) return;
  const absl::Time last =
      leave_.stop_time == absl::InfiniteFuture() ? now : leave_.stop_time;
  if (core_->ended().empty()) {
    Leave();
  } else if (leave_.deadline == absl::InfiniteFuture()) {
    leave_.deadline = std::max(last, now + worker::kDrainAckMax);
  } else if (leave_.deadline <= now) {
    parts_.coverage->Count("worker left with ends unacknowledged");
    leave_.done = true;
  }
}

void WorkerNode::Leave() {
  const absl::Time now = clock_.now();
  if (!link_.attached() || (leave_.said && leave_.deadline <= now)) {
    parts_.coverage->Count(leave_.said ? "worker left, nobody answered"
                                       : "worker left, nobody to tell");
    leave_.done = true;
    return;
  }
  if (leave_.said) return;
  leave_.said = true;
  leave_.deadline = now + worker::kDrainAckMax;
  parts_.trace->Add(parts_.queue->now(), session_.value() + " says it leaves");
  link_.Send(LeftMessage{});
}

void WorkerNode::Lost() {
  if (leave_.said) leave_.done = true;
}

}  // namespace vigil::sim
