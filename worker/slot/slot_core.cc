#include "worker/slot/slot_core.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/check.h"
#include "worker/slot/limits.h"

namespace vigil::slot {
namespace {

using State = SlotCore::State;

bool MayFollow(State from, State to) {
  switch (from) {
    case State::kIdle:
      return to == State::kStarting;
    case State::kStarting:
      return to == State::kRunning || to == State::kIdle;
    case State::kRunning:
      return to == State::kKilling;
    case State::kKilling:
      return to == State::kIdle;
  }
  return false;
}

}  // namespace

std::vector<Action> SlotCore::Apply(const Input& input, absl::Duration now) {
  VIGIL_CHECK(state_ != State::kStarting ||
                  std::holds_alternative<Spawned>(input) ||
                  std::holds_alternative<SpawnFailed>(input),
              "StartTask is answered before any other input");
  VIGIL_CHECK(report_due_ == std::holds_alternative<TreeReport>(input),
              "a TreeReport answers ReapTree and KillTree, and nothing else");
  std::visit([this, now](const auto& value) { On(value, now); }, input);
  CheckInvariants();
  return std::exchange(actions_, {});
}

absl::Duration SlotCore::NextDeadline() const {
  switch (state_) {
    case State::kIdle:
    case State::kStarting:
      return absl::InfiniteDuration();
    case State::kRunning:
      return lease_;
    case State::kKilling:
      return std::min(task_.kill_retry_time, task_.kill_deadline);
  }
  return absl::InfiniteDuration();
}

void SlotCore::CheckInvariants() const {
  VIGIL_CHECK(state_ != State::kRunning || !task_.exited,
              "a task that has exited is not running");
  VIGIL_CHECK(state_ != State::kRunning || !worker_gone_,
              "nothing runs without a worker");
  VIGIL_CHECK(state_ != State::kKilling ||
                  task_.kill_retry_time < absl::InfiniteDuration() ||
                  report_due_,
              "a tree that is being killed is killed again");
  VIGIL_CHECK(!task_.lease_expired || task_.killed,
              "the lease ends a task by killing it");
}

void SlotCore::On(const SpawnRequested&, absl::Duration now) {
  if (state_ != State::kIdle) {
    Send(SpawnFailed{EBUSY, SpawnStage::kRequest,
                     "the slot's last task is not proved dead"});
    return;
  }
  if (now >= lease_) {
    Send(SpawnFailed{ETIME, SpawnStage::kLease, "the slot's lease is over"});
    return;
  }
  task_ = Task();
  MoveTo(State::kStarting);
  actions_.emplace_back(StartTask{});
}

void SlotCore::On(const Spawned& spawned, absl::Duration) {
  MoveTo(State::kRunning);
  Send(spawned);
}

void SlotCore::On(const SpawnFailed& failed, absl::Duration) {
  MoveTo(State::kIdle);
  Send(failed);
}

void SlotCore::On(const SignalRequested& request, absl::Duration) {
  // Later the process group may be another's.
  if (state_ == State::kRunning)
    actions_.emplace_back(SignalTask{request.signum, request.scope});
}

void SlotCore::On(const KillRequested&, absl::Duration now) {
  if (state_ == State::kRunning) BeginKill(now);
}

void SlotCore::On(const LeaseRenewed& renewed, absl::Duration) {
  lease_ = renewed.deadline;
}

void SlotCore::On(const PingReceived& ping, absl::Duration) {
  Send(Pong{ping.number});
}

void SlotCore::On(const WorkerGone&, absl::Duration now) {
  worker_gone_ = true;
  if (state_ == State::kIdle) actions_.emplace_back(Exit{});
  if (state_ == State::kRunning) BeginKill(now);
}

void SlotCore::On(const ChildrenChanged&, absl::Duration now) {
  if (state_ == State::kRunning) {
    report_due_ = true;
    actions_.emplace_back(ReapTree{});
  }
  if (state_ == State::kKilling) RequestTreeKill(now);
}

void SlotCore::On(const TreeReport& report, absl::Duration now) {
  report_due_ = false;
  if (report.exited.has_value()) {
    VIGIL_CHECK(!task_.exited, "a task exits once");
    task_.exited = true;
    Send(*report.exited);
  }
  VIGIL_CHECK(!report.empty || task_.exited,
              "a tree without its task process reported how that ended");
  if (state_ == State::kRunning) {
    if (!task_.exited) return;
    MoveTo(State::kKilling);
    task_.kill_deadline = now + kTreeKillMax;
    if (!report.empty) {
      RequestTreeKill(now);
      return;
    }
  }
  if (report.empty) {
    SendTreeEmpty(report);
    MoveTo(State::kIdle);
    if (worker_gone_) actions_.emplace_back(Exit{});
  } else if (now >= task_.kill_deadline) {
    task_.kill_deadline = absl::InfiniteDuration();
    SendTreeEmpty(report);
  }
}

void SlotCore::On(const Tick&, absl::Duration now) {
  if (state_ == State::kRunning && now >= lease_) {
    task_.lease_expired = true;
    BeginKill(now);
  } else if (state_ == State::kKilling && now >= NextDeadline()) {
    RequestTreeKill(now);
  }
}

void SlotCore::MoveTo(State next) {
  VIGIL_CHECK(MayFollow(state_, next), "transition not in the table");
  state_ = next;
}

void SlotCore::BeginKill(absl::Duration now) {
  MoveTo(State::kKilling);
  task_.killed = true;
  task_.kill_deadline = now + kTreeKillMax;
  RequestTreeKill(now);
}

void SlotCore::RequestTreeKill(absl::Duration now) {
  task_.kill_retry_time = now + kKillRetryInterval;
  report_due_ = true;
  actions_.emplace_back(KillTree{});
}

void SlotCore::SendTreeEmpty(const TreeReport& report) {
  Send(TreeEmpty{.leftovers_killed = report.leftovers_killed,
                 .user_time = report.user_time,
                 .system_time = report.system_time,
                 .max_rss_bytes = report.max_rss_bytes,
                 .killed = task_.killed,
                 .lease_expired = task_.lease_expired,
                 .unconfirmed = !report.empty,
                 .leftovers = report.leftovers});
}

void SlotCore::Send(Event event) {
  actions_.emplace_back(SendEvent{std::move(event)});
}

}  // namespace vigil::slot
