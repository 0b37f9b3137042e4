#include "worker/loop/coordinator_link.h"

#include <algorithm>
#include <variant>

#include "base/wire/host_wire.h"
#include "base/wire/time_wire.h"
#include "worker/loop/host_load.h"
#include "worker/loop/limits.h"

namespace vigil::worker {

CoordinatorLink::CoordinatorLink(Options options, DispatchStream* stream,
                                 Handler* handler)
    : options_(std::move(options)),
      stream_(stream),
      handler_(handler),
      backoff_(kReconnectMin) {}

void CoordinatorLink::Tick(absl::Time now) {
  switch (state_) {
    case State::kWaiting:
      if (now < time_) return;
      state_ = State::kAttaching;
      time_ = now + kAttachAnswerMax;
      open_time_ = now;
      stream_->Open(handler_->MakeAttach());
      return;
    case State::kAttaching:
      if (now < time_) return;
      stream_->Close();
      StreamEnded(absl::UnavailableError("Attach was not answered"), now);
      return;
    case State::kAttached:
      if (now < SilenceDeadline()) return;
      stream_->Close();
      StreamEnded(absl::UnavailableError("heartbeats were not answered"), now);
      return;
    case State::kFenced:
    case State::kStopped:
      return;
  }
}

absl::Time CoordinatorLink::SilenceDeadline() const {
  // Half of the lease is left for another stream.
  return unanswered_.empty() ? absl::InfiniteFuture()
                             : unanswered_.front().second + lease_ / 2;
}

absl::Time CoordinatorLink::NextDeadline() const {
  switch (state_) {
    case State::kWaiting:
    case State::kAttaching:
      return time_;
    case State::kAttached:
      return std::min(time_, SilenceDeadline());
    case State::kFenced:
    case State::kStopped:
      return absl::InfiniteFuture();
  }
  return absl::InfiniteFuture();
}

void CoordinatorLink::HandleEvents(absl::Time now) {
  for (StreamEvent& event : stream_->TakeEvents()) {
    if (const auto* lost = std::get_if<StreamLost>(&event)) {
      StreamEnded(lost->status, now);
      return;
    }
    const auto& response = std::get<v1::AttachResponse>(event);
    if (state_ == State::kAttaching && response.has_attached()) {
      Attached(response.attached(), now);
    }
    if (state_ != State::kAttached) continue;
    if (response.has_heartbeat_number()) {
      HeartbeatAnswered(response.heartbeat_number());
    }
    handler_->Received(response, now);
    // It may have been stopped by what it received.
    if (state_ == State::kStopped) return;
  }
}

void CoordinatorLink::Attached(const v1::Attached& attached, absl::Time now) {
  lease_ = FromProto(attached.lease());
  heartbeat_interval_ = FromProto(attached.heartbeat_interval());
  if (heartbeat_interval_ <= absl::ZeroDuration() ||
      lease_ <= heartbeat_interval_) {
    stream_->Close();
    StreamEnded(absl::InternalError(
                    "the coordinator's lease is not longer than its heartbeat "
                    "interval"),
                now);
    return;
  }
  state_ = State::kAttached;
  // The first one at once: by it the coordinator knows that it was heard.
  time_ = now;
  backoff_ = kReconnectMin;
  last_heartbeat_ = 0;
  unanswered_.clear();
  handler_->LeaseExtended(open_time_ + lease_);
}

void CoordinatorLink::HeartbeatAnswered(int64_t number) {
  while (!unanswered_.empty() && unanswered_.front().first <= number) {
    const auto [answered, sent] = unanswered_.front();
    unanswered_.pop_front();
    if (answered == number) handler_->LeaseExtended(sent + lease_);
  }
}

void CoordinatorLink::StreamEnded(const absl::Status& status, absl::Time now) {
  unanswered_.clear();
  switch (status.code()) {
    case absl::StatusCode::kAborted:
      state_ = State::kFenced;
      // It answered: the next session need not wait for it to come back.
      backoff_ = kReconnectMin;
      handler_->Fenced(status, now);
      return;
    case absl::StatusCode::kFailedPrecondition:
      state_ = State::kStopped;
      handler_->Refused(status);
      return;
    default:
      WaitToReconnect(now);
      handler_->Lost(status);
      return;
  }
}

void CoordinatorLink::WaitToReconnect(absl::Time now) {
  state_ = State::kWaiting;
  time_ = now + backoff_ * (0.5 + options_.random() / 2);
  // So that what a short absence leaves of the lease is not slept away.
  const absl::Duration longest =
      lease_ > absl::ZeroDuration()
          ? std::min(options_.reconnect_max, lease_ / kReconnectsPerLease)
          : options_.reconnect_max;
  backoff_ = std::min(2 * backoff_, longest);
}

bool CoordinatorLink::HeartbeatDue(absl::Time now) const {
  return state_ == State::kAttached && time_ <= now;
}

void CoordinatorLink::AddHeartbeat(absl::Time now,
                                   const std::vector<int>& stuck_slots,
                                   v1::AttachRequest* request) {
  v1::Heartbeat* heartbeat = request->mutable_heartbeat();
  heartbeat->set_number(++last_heartbeat_);
  const HostLoad load = ReadHostLoad();
  heartbeat->set_load_average(load.load_average);
  heartbeat->set_memory_available_bytes(load.memory_available_bytes);
  vigil::ToProto(load, heartbeat->mutable_host());
  for (const int slot : stuck_slots) heartbeat->add_stuck_slots(slot);
  unanswered_.emplace_back(last_heartbeat_, now);
  time_ = now + heartbeat_interval_;
}

void CoordinatorLink::StartSession(absl::Time now) {
  if (state_ == State::kFenced) WaitToReconnect(now);
}

void CoordinatorLink::Stop() {
  state_ = State::kStopped;
  stream_->Close();
}

}  // namespace vigil::worker
