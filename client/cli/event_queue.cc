#include "client/cli/event_queue.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>

#include <cstdint>
#include <utility>

#include "base/check.h"
#include "client/cli/end_signals.h"

namespace vigil::cli {

absl::StatusOr<std::unique_ptr<EventQueue>> EventQueue::Create() {
  sigset_t set;
  sigemptyset(&set);
  for (int signal : kEndSignals) sigaddset(&set, signal);
  sigaddset(&set, SIGWINCH);
  VIGIL_CHECK(sigprocmask(SIG_BLOCK, &set, nullptr) == 0, "bad signal set");
  UniqueFd wake(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake.valid()) return absl::ErrnoToStatus(errno, "eventfd");
  UniqueFd signals(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!signals.valid()) return absl::ErrnoToStatus(errno, "signalfd");
  return std::unique_ptr<EventQueue>(
      new EventQueue(std::move(wake), std::move(signals)));
}

EventQueue::EventQueue(UniqueFd wake, UniqueFd signals)
    : wake_(std::move(wake)), signals_(std::move(signals)) {}

void EventQueue::Post(std::function<void()> function) {
  {
    absl::MutexLock lock(&mu_);
    posted_.push_back(std::move(function));
    if (posted_.size() > 1) return;  // Already woken.
  }
  const uint64_t one = 1;
  VIGIL_CHECK(write(wake_.get(), &one, sizeof(one)) == sizeof(one),
              "the eventfd is full");
}

EventQueue::Wakeup EventQueue::Wait(absl::Duration timeout, int fd) {
  pollfd fds[] = {
      {wake_.get(), POLLIN, 0}, {signals_.get(), POLLIN, 0}, {fd, POLLIN, 0}};
  const timespec limit =
      absl::ToTimespec(std::max(timeout, absl::ZeroDuration()));
  const bool forever = timeout == absl::InfiniteDuration();
  // EINTR (a stop and continue) ends the wait early, which every caller
  // takes for a timeout.
  const int ready = ppoll(fds, 3, forever ? nullptr : &limit, nullptr);
  Wakeup wakeup;
  if (ready <= 0) return wakeup;
  if (fds[0].revents != 0) {
    uint64_t count = 0;
    VIGIL_CHECK(read(wake_.get(), &count, sizeof(count)) == sizeof(count),
                "the eventfd was readable");
  }
  std::vector<std::function<void()>> posted;
  {
    absl::MutexLock lock(&mu_);
    posted.swap(posted_);
  }
  for (const auto& function : posted) function();
  signalfd_siginfo info;
  if (fds[1].revents != 0 &&
      read(signals_.get(), &info, sizeof(info)) == sizeof(info)) {
    wakeup.resized = info.ssi_signo == SIGWINCH;
    if (!wakeup.resized) wakeup.signal = static_cast<int>(info.ssi_signo);
  }
  wakeup.readable = fds[2].revents != 0;
  return wakeup;
}

}  // namespace vigil::cli
