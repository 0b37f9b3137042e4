#include "tests/sim/worker_link.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "coordinator/core/limits.h"

namespace vigil::sim {
namespace {

constexpr absl::Duration kAttachTimeout = absl::Seconds(10);
constexpr absl::Duration kBackoffFirst = absl::Milliseconds(100);
constexpr absl::Duration kBackoffMax = absl::Seconds(5);

}  // namespace

void WorkerLink::Start() {
  state_ = State::kWaiting;
  deadline_ = parts_.clock->now();
  failures_ = 0;
}

void WorkerLink::Stop() {
  state_ = State::kStopped;
  deadline_ = absl::InfiniteFuture();
  stream_ = 0;
}

void WorkerLink::Connect() {
  state_ = State::kAttaching;
  deadline_ = parts_.clock->now() + kAttachTimeout;
  stream_ = parts_.network->Open(parts_.worker, parts_.end);
  sent_.clear();
  last_number_ = 0;
  sent_[0] = parts_.clock->now();
  parts_.network->Send(stream_, ToCoordinator(owner_->Hello()));
}

void WorkerLink::Lose() {
  // The old stream first: nothing it says may be heard after the next Attach.
  parts_.network->CloseByWorker(stream_);
  stream_ = 0;
  state_ = State::kWaiting;
  absl::Duration wait = kBackoffFirst;
  for (int i = 0; i < failures_ && wait < kBackoffMax; ++i) wait *= 2;
  ++failures_;
  wait = std::min(wait, kBackoffMax);
  deadline_ = parts_.clock->now() + parts_.random->Between(wait / 2, wait);
  owner_->Lost();
}

void WorkerLink::Send(ToCoordinator message) {
  if (state_ != State::kAttached) return;
  parts_.network->Send(stream_, std::move(message));
}

void WorkerLink::Answered(int64_t number) {
  const auto it = sent_.find(number);
  if (it == sent_.end()) return;
  const absl::Time from = parts_.mutant == Mutant::kLeaseFromAnswer
                              ? parts_.clock->now()
                              : it->second;
  sent_.erase(sent_.begin(), std::next(it));
  owner_->LeaseExtended(from + lease_);
}

void WorkerLink::Apply(StreamId stream, const ToWorker& message) {
  if (state_ == State::kStopped) return;
  if (stream != stream_) return;
  if (const auto* closed = std::get_if<StreamClosed>(&message)) {
    if (absl::IsAborted(closed->status)) {
      parts_.network->CloseByWorker(stream_);
      Stop();
      owner_->Fenced();
      return;
    }
    Lose();
  } else if (const auto* attached = std::get_if<Attached>(&message)) {
    state_ = State::kAttached;
    failures_ = 0;
    lease_ = attached->lease;
    Answered(0);
    owner_->AttachedNow(attached->kill);
    // The first heartbeat at once.
    deadline_ = parts_.clock->now();
  } else if (const auto* ack = std::get_if<HeartbeatAck>(&message)) {
    Answered(ack->number);
  } else {
    owner_->Hear(message);
  }
}

void WorkerLink::Heartbeat() {
  sent_[++last_number_] = parts_.clock->now();
  parts_.network->Send(stream_, ToCoordinator(HeartbeatMessage{last_number_}));
  deadline_ = parts_.clock->now() + coordinator::kHeartbeatInterval;
}

void WorkerLink::Tick() {
  if (deadline_ > parts_.clock->now()) return;
  switch (state_) {
    case State::kStopped:
      return;
    case State::kWaiting:
      Connect();
      return;
    case State::kAttaching:
      Lose();
      return;
    case State::kAttached:
      Heartbeat();
      return;
  }
}

}  // namespace vigil::sim
