#include "worker/slot/slot_loop.h"

#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <utility>
#include <variant>

#include "absl/status/status.h"
#include "base/check.h"
#include "base/clock.h"
#include "worker/slot/limits.h"
#include "worker/slot/slot_codec.h"

namespace vigil::slot {

absl::StatusOr<std::unique_ptr<SlotLoop>> SlotLoop::Create(
    UniqueFd socket, LaunchOptions options, UniqueFd listener,
    std::string filter_problem) {
  sigset_t child_signals;
  sigemptyset(&child_signals);
  sigaddset(&child_signals, SIGCHLD);
  if (sigprocmask(SIG_BLOCK, &child_signals, nullptr) != 0) {
    return absl::ErrnoToStatus(errno, "block SIGCHLD");
  }
  UniqueFd signals(signalfd(-1, &child_signals, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!signals.valid()) return absl::ErrnoToStatus(errno, "signalfd");
  UniqueFd timer(timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK));
  if (!timer.valid()) return absl::ErrnoToStatus(errno, "timerfd_create");
  return std::unique_ptr<SlotLoop>(new SlotLoop(
      std::move(socket), std::move(signals), std::move(timer),
      std::move(options), std::move(listener), std::move(filter_problem)));
}

SlotLoop::SlotLoop(UniqueFd socket, UniqueFd signals, UniqueFd timer,
                   LaunchOptions options, UniqueFd listener,
                   std::string filter_problem)
    : socket_(std::move(socket)),
      signals_(std::move(signals)),
      timer_(std::move(timer)),
      listener_(std::move(listener)),
      filter_problem_(std::move(filter_problem)),
      tree_(std::move(options)),
      now_(BoottimeNow()) {}

void SlotLoop::Run() {
  Perform(SendEvent{Ready{getpid(), filter_problem_}});
  while (!exit_) {
    const absl::Duration held = HoldTime();
    if (held <= absl::ZeroDuration()) FlushEvents();
    ArmTimer();
    Wait(held);
    now_ = BoottimeNow();
    if (blocked_) FlushEvents();
    ReadRequests();
    AnswerNesting();
    ReadSignals();
    // Last, so that a renewal or an exit that has arrived is seen first.
    Apply(Tick{});
  }
}

void SlotLoop::Wait(absl::Duration held) {
  const short socket_events = blocked_ ? POLLOUT : POLLIN;
  // poll ignores a descriptor of -1. A worker that does not read is not told of
  // more, so nothing more is asked.
  const int listener = nesting_ != nullptr && !blocked_ ? nesting_->fd() : -1;
  std::array<pollfd, 4> waited = {{{socket_.get(), socket_events, 0},
                                   {signals_.get(), POLLIN, 0},
                                   {timer_.get(), POLLIN, 0},
                                   {listener, POLLIN, 0}}};
  const timespec timeout = absl::ToTimespec(held);
  const int ready =
      ppoll(waited.data(), waited.size(),
            held > absl::ZeroDuration() ? &timeout : nullptr, nullptr);
  VIGIL_CHECK(ready >= 0 || errno == EINTR || errno == ENOMEM, "poll failed");
  nesting_asked_ = ready > 0 && (waited[3].revents & POLLIN) != 0;
  // Nobody is left that could ask.
  if (ready > 0 && (waited[3].revents & (POLLHUP | POLLERR)) != 0) {
    EndNesting();
  }
}

void SlotLoop::ReadRequests() {
  for (int i = 0; i < kRequestsPerTurnMax; ++i) {
    if (!socket_.valid() || blocked_) return;
    absl::StatusOr<std::optional<Packet>> packet = ReceivePacket(socket_.get());
    if (!packet.ok()) {
      LoseWorker();
      return;
    }
    if (!packet->has_value()) return;
    ApplyRequest(*std::move(*packet));
  }
}

void SlotLoop::ApplyRequest(Packet packet) {
  SlotRequest request;
  if (!request.ParseFromString(packet.bytes)) request.Clear();
  switch (request.request_case()) {
    case SlotRequest::kSpawn:
      AcceptSpawn(request.spawn(), std::move(packet.fds));
      return;
    case SlotRequest::kSignal:
      Apply(SignalRequested{request.signal().signum(),
                            request.signal().process_only()
                                ? SignalScope::kProcess
                                : SignalScope::kGroup});
      return;
    case SlotRequest::kKill:
      Apply(KillRequested{});
      return;
    case SlotRequest::kLease:
      Apply(LeaseRenewed{absl::Nanoseconds(request.lease().boottime_ns())});
      return;
    case SlotRequest::kPing:
      Apply(PingReceived{request.ping().number()});
      return;
    case SlotRequest::REQUEST_NOT_SET:
      break;
  }
  std::fprintf(stderr,
               "vigil-slot: a request that this build does not know: worker "
               "and slot must be of one build; ending\n");
  LoseWorker();
}

void SlotLoop::AcceptSpawn(const SlotRequest::Spawn& spawn,
                           std::vector<UniqueFd> fds) {
  const int expected =
      kSpawnFdsMin + (spawn.channel() ? 1 : 0) + (spawn.has_command() ? 0 : 1);
  if (fds.size() != static_cast<size_t>(expected)) {
    // The kernel drops descriptors that the receiver has no room for.
    Perform(SendEvent{SpawnFailed{EMFILE, SpawnStage::kRequest,
                                  "descriptors did not arrive"}});
    return;
  }
  absl::StatusOr<SpawnCommand> sent =
      spawn.has_command() ? spawn.command() : ReadCommand(fds.back().get());
  absl::StatusOr<TaskCommand> command =
      sent.ok() ? DecodeCommand(*sent) : sent.status();
  if (!command.ok()) {
    Perform(SendEvent{SpawnFailed{EBADMSG, SpawnStage::kRequest,
                                  std::string(command.status().message())}});
    return;
  }
  command_ = *std::move(command);
  ends_ = TaskEnds{std::move(fds[0]), std::move(fds[1]), std::move(fds[2]),
                   UniqueFd()};
  if (spawn.channel()) ends_.channel_fd = std::move(fds[3]);
  Apply(SpawnRequested{});
  // Also when it was refused: these must not outlive the request.
  command_ = TaskCommand();
  ends_ = TaskEnds();
}

void SlotLoop::AnswerNesting() {
  if (nesting_ == nullptr) return;
  if (nesting_asked_ || nesting_->NextDeadline() <= now_) {
    nesting_->Answer(nesting_asked_, now_);
  }
}

void SlotLoop::EndNesting() {
  if (nesting_ == nullptr) return;
  nesting_->TellRest();
  nesting_ = nullptr;
  tree_.CloseListener();
  nesting_asked_ = false;
}

void SlotLoop::ReadSignals() {
  // Before reaping: a child that ends later raises SIGCHLD again.
  signalfd_siginfo info;
  bool changed = false;
  while (read(signals_.get(), &info, sizeof(info)) > 0) changed = true;
  if (changed) Apply(ChildrenChanged{});
}

void SlotLoop::LoseWorker() {
  socket_.Reset();
  unsent_.clear();
  blocked_ = false;
  Apply(WorkerGone{});
}

void SlotLoop::Apply(const Input& input) {
  for (const Action& action : core_.Apply(input, now_)) {
    std::visit([this](const auto& each) { Perform(each); }, action);
  }
}

void SlotLoop::Perform(const StartTask&) {
  const std::variant<Spawned, SpawnFailed> result =
      tree_.Start(command_, std::move(ends_));
  if (std::holds_alternative<Spawned>(result)) {
    // It has a filter of its own, or shares that of this thread.
    const int listener =
        tree_.listener() >= 0 ? tree_.listener() : listener_.get();
    nesting_ = std::make_unique<NestingWatch>(
        listener, tree_.task(), command_.nesting, now_,
        [this](NestedCallSeen seen) { Perform(SendEvent{std::move(seen)}); });
  }
  std::visit([this](const auto& answer) { Apply(answer); }, result);
}

void SlotLoop::Perform(const SignalTask& action) {
  tree_.Signal(action.signum, action.scope);
}

void SlotLoop::Perform(const ReapTree&) { Apply(tree_.Reap()); }

void SlotLoop::Perform(const KillTree&) {
  if (nesting_ != nullptr) nesting_->Close();
  Apply(tree_.Kill());
}

void SlotLoop::Perform(const SendEvent& action) {
  if (!socket_.valid()) return;
  if (std::holds_alternative<TreeEmpty>(action.event)) EndNesting();
  if (std::holds_alternative<Spawned>(action.event)) {
    // From the start of its start: the kernel may let this process run again
    // when the program has been running for a while.
    held_until_ =
        command_.brief ? now_ + kSpawnedHeldMax : absl::ZeroDuration();
  }
  unsent_.push_back(EncodeEvent(action.event));
  // Before the call is answered: what the task does next may end its attempt,
  // and is to be judged by what was refused.
  if (std::holds_alternative<NestedCallSeen>(action.event)) FlushEvents();
}

void SlotLoop::Perform(const Exit&) { exit_ = true; }

absl::Duration SlotLoop::HoldTime() const {
  if (unsent_.size() != 1 || !unsent_.front().has_spawned() || blocked_) {
    return absl::ZeroDuration();
  }
  return held_until_ - BoottimeNow();
}

void SlotLoop::FlushEvents() {
  blocked_ = false;
  while (!unsent_.empty()) {
    SlotPacket packet;
    size_t bytes = 0;
    for (const SlotEvent& event : unsent_) {
      bytes += event.ByteSizeLong() + kEventOverheadBytes;
      if (packet.events_size() > 0 && bytes > kEventsBytesMax) break;
      *packet.add_events() = event;
    }
    const absl::Status sent = SendPacket(socket_.get(), packet, {});
    if (absl::IsResourceExhausted(sent)) {
      blocked_ = true;
      return;
    }
    if (!sent.ok()) {
      // The end of the socket is seen, and acted upon, when it is read.
      unsent_.clear();
      return;
    }
    unsent_.erase(unsent_.begin(), unsent_.begin() + packet.events_size());
  }
}

void SlotLoop::ArmTimer() {
  absl::Duration deadline = core_.NextDeadline();
  if (nesting_ != nullptr) {
    deadline = std::min(deadline, nesting_->NextDeadline());
  }
  if (deadline == timer_deadline_) return;
  timer_deadline_ = deadline;
  itimerspec setting = {};
  if (deadline < absl::InfiniteDuration()) {
    // Zero would disarm it.
    setting.it_value =
        absl::ToTimespec(std::max(deadline, absl::Nanoseconds(1)));
  }
  VIGIL_CHECK(
      timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME, &setting, nullptr) == 0,
      "timerfd_settime failed");
}

}  // namespace vigil::slot
