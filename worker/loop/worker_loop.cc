// Turns: what happened, what is due, what is sent.
#include "worker/loop/worker_loop.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "worker/loop/limits.h"

namespace vigil::worker {
namespace {

sigset_t LoopSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signum : {SIGCHLD, SIGHUP, SIGINT, SIGTERM}) {
    sigaddset(&signals, signum);
  }
  return signals;
}

}  // namespace

void WorkerLoop::BlockSignals() {
  const sigset_t signals = LoopSignals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

absl::StatusOr<std::unique_ptr<WorkerLoop>> WorkerLoop::Create(
    WorkerOptions options, DispatchStream* stream) {
  if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) {
    return absl::ErrnoToStatus(errno, "PR_SET_CHILD_SUBREAPER");
  }
  absl::StatusOr<Poller> poller = Poller::Create();
  if (!poller.ok()) return poller.status();
  const sigset_t signals = LoopSignals();
  UniqueFd signal_fd(signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!signal_fd.valid()) return absl::ErrnoToStatus(errno, "signalfd");
  std::unique_ptr<WorkerLoop> loop(new WorkerLoop(
      std::move(options), *std::move(poller), std::move(signal_fd), stream));
  absl::Status watched = loop->Watch();
  if (!watched.ok()) return watched;
  return loop;
}

WorkerLoop::WorkerLoop(WorkerOptions options, Poller poller, UniqueFd signal_fd,
                       DispatchStream* stream)
    : options_(std::move(options)),
      poller_(std::move(poller)),
      signal_fd_(std::move(signal_fd)),
      stream_(stream),
      cache_(absl::StrCat(options_.data_dir, "/cache")),
      session_id_(options_.new_id()),
      now_(clock_.Now()),
      core_(std::make_unique<Core>(options_.slots, now_, &effects_)),
      slots_({options_.slot_binary, absl::StrCat(options_.data_dir, "/slots"),
              options_.host},
             &poller_, this),
      link_({options_.reconnect_max, options_.random}, stream, this) {
  filter_deadline_ = now_ + kFilterAnswerMax;
  background_.Run([this] { cache_.Sweep(); }, [] {});
  OfferTypes(options_.catalog);
}

absl::Status WorkerLoop::Watch() {
  absl::Status status = poller_.Add(signal_fd_.get(), Poller::Kind::kSignal, 0);
  if (status.ok()) {
    status = poller_.Add(stream_->event_fd(), Poller::Kind::kStream, 0);
  }
  if (status.ok()) {
    status = poller_.Add(background_.event_fd(), Poller::Kind::kBackground, 0);
  }
  if (status.ok() && options_.parent_fd.valid()) {
    status = poller_.Add(options_.parent_fd.get(), Poller::Kind::kParent, 0);
  }
  return status;
}

WorkerExit WorkerLoop::Run() {
  PerformEffects();
  while (!done_) Turn();
  link_.Stop();
  // The slots kill their trees in any case; here they are waited for.
  if (status_ != WorkerExit::kForced) slots_.EndAll();
  return status_;
}

absl::Time WorkerLoop::NextDeadline() const {
  return std::min({core_->NextDeadline(), LinkDeadline(),
                   outbox_.NextDeadline(), hold_.deadline(), sweep_time_,
                   drain_stop_time_, drain_deadline_});
}

absl::Time WorkerLoop::LinkDeadline() const {
  const absl::Time next = link_.NextDeadline();
  return MayAttach() ? next : std::max(next, filter_deadline_);
}

bool WorkerLoop::MayAttach() const {
  return filter_problem_.has_value() || core_->slots() == 0 ||
         now_ >= filter_deadline_;
}

void WorkerLoop::Turn() {
  const absl::Time deadline = NextDeadline();
  const std::vector<Poller::Ready> all = poller_.Wait(
      deadline == absl::InfiniteFuture() ? absl::InfiniteDuration()
                                         : clock_.ToBoottime(deadline));
  const absl::Time expected = std::max(now_, deadline);
  now_ = clock_.Now();
  GrantStall(expected);
  for (const Poller::Ready& ready : all) Dispatch(ready);
  if (sweep_time_ <= now_) slots_.Sweep();
  core_->Tick(now_, &effects_);
  PerformEffects();
  sweep_time_ =
      slots_.sweeping() ? now_ + kSweepInterval : absl::InfiniteFuture();
  if (fenced_ && core_->Quiet()) {
    fenced_ = false;
    session_id_ = options_.new_id();
    link_.StartSession(now_);
  }
  if (MayAttach()) link_.Tick(now_);
  Flush();
  if (draining_) CheckDrain();
}

void WorkerLoop::GrantStall(absl::Time expected) {
  // Later than the deadline it waited for, or than the start of a turn that
  // took that long: it was stopped, or the machine was.
  const absl::Duration late = now_ - expected;
  if (late < kStallMin) return;
  Log(LogSeverity::kWarning,
      absl::StrCat("did not run for ", absl::FormatDuration(late),
                   "; clocks that judge silence are granted it"));
  core_->GrantStall(late);
}

void WorkerLoop::Dispatch(const Poller::Ready& ready) {
  switch (ready.kind) {
    case Poller::Kind::kTimer:
      return;
    case Poller::Kind::kSignal:
      HandleSignals();
      return;
    case Poller::Kind::kParent: {
      std::array<char, 64> buffer;
      const ssize_t size =
          read(options_.parent_fd.get(), buffer.data(), buffer.size());
      if (size > 0 || (size < 0 && errno == EINTR)) return;
      Log(LogSeverity::kInfo, "the coordinator that started it ended");
      Finish(WorkerExit::kOk);
      return;
    }
    case Poller::Kind::kStream:
      link_.HandleEvents(now_);
      return;
    case Poller::Kind::kSlot:
      slots_.HandleSocket(ready.index);
      return;
    case Poller::Kind::kStdout:
    case Poller::Kind::kStderr: {
      TaskProcess* process = ProcessIn(ready.index);
      if (process == nullptr || !process->watched) return;
      ReadOutput(process,
                 ready.kind == Poller::Kind::kStdout ? OutputStream::kStdout
                                                     : OutputStream::kStderr,
                 kReadBytesPerTurnMax);
      PauseIfFull(process);
      return;
    }
    case Poller::Kind::kChannel: {
      TaskProcess* process = ProcessIn(ready.index);
      if (process == nullptr || !process->watched) return;
      FlushChannel(process);
      ReadChannel(process, kReadBytesPerTurnMax);
      PauseIfFull(process);
      return;
    }
    case Poller::Kind::kBackground:
      background_.TakeDone();
      return;
  }
}

void WorkerLoop::HandleSignals() {
  signalfd_siginfo info;
  while (read(signal_fd_.get(), &info, sizeof(info)) == sizeof(info)) {
    if (info.ssi_signo == SIGCHLD) {
      slots_.Sweep();
    } else if (info.ssi_signo == SIGHUP) {
      ReloadCatalog();
    } else if (!signalled_) {
      signalled_ = true;
      Drain(options_.drain_grace);
    } else {
      Log(LogSeverity::kWarning, "a second signal: ends at once");
      Finish(WorkerExit::kForced);
    }
  }
}

void WorkerLoop::Drain(absl::Duration grace) {
  const absl::Time stop_time = now_ + grace;
  if (draining_ && drain_stop_time_ <= stop_time) return;
  draining_ = true;
  drain_stop_time_ = stop_time;
  // What waits was not started, and can be tried elsewhere for free.
  core_->SetSlots(0, now_, &effects_);
  const size_t running = core_->Running().size();
  Log(LogSeverity::kInfo,
      running == 0
          ? "drains: takes no new work, and leaves; nothing runs"
          : absl::StrCat("drains: takes no new work; ", running,
                         running == 1 ? " attempt has " : " attempts have ",
                         absl::FormatDuration(grace),
                         " to end; a second signal ends the worker at once"));
}

void WorkerLoop::CheckDrain() {
  if (drain_stop_time_ <= now_) {
    drain_stop_time_ = absl::InfiniteFuture();
    for (const AttemptId& attempt : core_->Running()) {
      core_->Stop(attempt, Reason::kDrained, now_, &effects_);
    }
    PerformEffects();
    return;
  }
  if (!core_->Quiet()) return;
  // How the last attempts ended may still be told by a stream that is opened
  // meanwhile.
  const absl::Time last =
      drain_stop_time_ == absl::InfiniteFuture() ? now_ : drain_stop_time_;
  if (outbox_.no_ends()) {
    Leave();
  } else if (drain_deadline_ == absl::InfiniteFuture()) {
    drain_deadline_ = std::max(last, now_ + kDrainAckMax);
  } else if (drain_deadline_ <= now_) {
    Log(LogSeverity::kWarning,
        "the coordinator did not acknowledge how the last attempts ended");
    Finish(WorkerExit::kOk);
  }
}

void WorkerLoop::Leave() {
  if (!link_.attached() || (left_ && drain_deadline_ <= now_)) {
    Finish(WorkerExit::kOk);
    return;
  }
  if (left_) return;
  left_ = true;
  drain_deadline_ = now_ + kDrainAckMax;
  v1::AttachRequest request;
  request.set_left(true);
  stream_->Send(std::move(request));
}

void WorkerLoop::Flush() {
  const bool ends_may_wait = link_.attached() && outbox_.only_ends() &&
                             core_->waiting() > 0 &&
                             core_->waiting() >= core_->slots() &&
                             !link_.HeartbeatDue(now_) && !draining_;
  if (hold_.Holds(ends_may_wait, now_) || !link_.attached()) return;
  while (stream_->backlog_bytes() < kStreamBacklogBytesMax) {
    v1::AttachRequest request;
    bool news = AddTypeNews(&request);
    news |= AddDraining(&request);
    news |= AddAhead(&request);
    news |= AddUsable(&request);
    news |= AddSweepsDone(&request);
    if (!outbox_.Fill(now_, &request) && !news) break;
    if (link_.HeartbeatDue(now_)) {
      link_.AddHeartbeat(now_, core_->StuckSlots(), &request);
    }
    stream_->Send(std::move(request));
  }
  if (!link_.HeartbeatDue(now_)) return;
  // What happened before is not to blame for what ends later.
  oom_watch_.Refresh();
  v1::AttachRequest request;
  link_.AddHeartbeat(now_, core_->StuckSlots(), &request);
  stream_->Send(std::move(request));
}

bool WorkerLoop::AddAhead(v1::AttachRequest* request) {
  const int ahead = core_->Ahead(now_);
  if (ahead == told_ahead_) return false;
  told_ahead_ = ahead;
  request->set_ahead(ahead);
  return true;
}

bool WorkerLoop::AddDraining(v1::AttachRequest* request) {
  if (draining_ == told_draining_) return false;
  told_draining_ = draining_;
  request->set_draining(true);
  return true;
}

bool WorkerLoop::AddUsable(v1::AttachRequest* request) {
  const std::optional<LoweredSlots>& lowered = core_->usable().lowered();
  if (lowered == told_usable_) return false;
  told_usable_ = lowered;
  v1::UsableSlots* usable = request->mutable_usable_slots();
  usable->set_slots(core_->usable().count());
  if (lowered.has_value()) usable->set_cause(lowered->cause);
  return true;
}

void WorkerLoop::Finish(WorkerExit status) {
  // A later and harder wish wins.
  status_ = std::max(status_, status);
  done_ = true;
}

}  // namespace vigil::worker
