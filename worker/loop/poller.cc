#include "worker/loop/poller.h"

#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/check.h"

namespace vigil::worker {
namespace {

constexpr int kReadyMax = 64;

uint64_t Pack(Poller::Kind kind, int index) {
  return static_cast<uint64_t>(kind) << 32 | static_cast<uint32_t>(index);
}

}  // namespace

absl::StatusOr<Poller> Poller::Create() {
  UniqueFd epoll(epoll_create1(EPOLL_CLOEXEC));
  if (!epoll.valid()) return absl::ErrnoToStatus(errno, "epoll_create1");
  UniqueFd timer(timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK));
  if (!timer.valid()) return absl::ErrnoToStatus(errno, "timerfd_create");
  Poller poller(std::move(epoll), std::move(timer));
  absl::Status added = poller.Add(poller.timer_.get(), Kind::kTimer, 0);
  if (!added.ok()) return added;
  return poller;
}

Poller::Poller(UniqueFd epoll, UniqueFd timer)
    : epoll_(std::move(epoll)), timer_(std::move(timer)) {}

absl::Status Poller::Add(int fd, Kind kind, int index) {
  epoll_event event = {};
  event.events = EPOLLIN;
  event.data.u64 = Pack(kind, index);
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
    return absl::ErrnoToStatus(errno, "watch a descriptor");
  }
  return absl::OkStatus();
}

void Poller::Watch(int fd, Kind kind, int index, bool or_output) {
  epoll_event event = {};
  event.events = or_output ? EPOLLIN | EPOLLOUT : EPOLLIN;
  event.data.u64 = Pack(kind, index);
  VIGIL_CHECK(epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event) == 0,
              strerror(errno));
}

void Poller::Remove(int fd) {
  VIGIL_CHECK(epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr) == 0,
              strerror(errno));
}

std::vector<Poller::Ready> Poller::Wait(absl::Duration boottime) {
  if (boottime != armed_) {
    // Zero would disarm it; an instant long past fires at once.
    const itimerspec spec = {
        .it_interval = {},
        .it_value =
            boottime == absl::InfiniteDuration()
                ? timespec{}
                : absl::ToTimespec(std::max(boottime, absl::Nanoseconds(1)))};
    VIGIL_CHECK(
        timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME, &spec, nullptr) == 0,
        strerror(errno));
    armed_ = boottime;
  }
  std::array<epoll_event, kReadyMax> events;
  int count = epoll_wait(epoll_.get(), events.data(), kReadyMax, -1);
  if (count < 0) {
    VIGIL_CHECK(errno == EINTR, strerror(errno));
    count = 0;
  }
  std::vector<Ready> ready;
  ready.reserve(static_cast<size_t>(count));
  for (int i = 0; i < count; ++i) {
    const uint64_t key = events[static_cast<size_t>(i)].data.u64;
    const Kind kind = static_cast<Kind>(key >> 32);
    // Set anew at the next wait, which also makes it unreadable.
    if (kind == Kind::kTimer) armed_ = absl::ZeroDuration();
    ready.push_back({kind, static_cast<int>(key & 0xffffffff)});
  }
  return ready;
}

}  // namespace vigil::worker
