#include "worker/slot/nesting_watch.h"

#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <optional>
#include <utility>

#include "base/attempt.h"
#include "base/clock.h"
#include "worker/slot/limits.h"
#include "worker/slot/nesting_filter.h"
#include "worker/slot/proc_fs.h"
#include "worker/slot/tree_census.h"

namespace vigil::slot {
namespace {

constexpr char kClone[] = "clone";
// What is said of processes that were counted, not asked for.
constexpr char kForkCall[] = "fork";

// As ioctl, also when signals arrive meanwhile: an answer that was not given
// leaves a thread waiting.
template <typename Argument>
int Ask(int listener, unsigned long request, Argument* argument) {
  int result = 0;
  do {
    result = ioctl(listener, request, argument);
  } while (result != 0 && errno == EINTR);
  return result;
}

bool Readable(int fd) {
  pollfd waited = {fd, POLLIN, 0};
  return poll(&waited, 1, 0) == 1 && (waited.revents & POLLIN) != 0;
}

bool IsThread(const seccomp_data& data) {
  return (data.args[0] & CLONE_THREAD) != 0 &&
         SyscallName(data.arch, data.nr) == kClone;
}

}  // namespace

NestingWatch::NestingWatch(int listener, pid_t task, const Nesting& nesting,
                           absl::Duration now,
                           std::function<void(NestedCallSeen)> tell)
    : listener_(listener),
      task_(task),
      judge_(nesting),
      tell_(std::move(tell)) {
  if (listener_ < 0 || !IsAsked(nesting)) {
    census_time_ = now + kCensusInterval;
  }
}

void NestingWatch::Answer(bool readable, absl::Duration now) {
  if (closed_) return;
  if (census_time_ <= now) TakeCensus(now);
  if (readable) Take();
  if (retry_time_ <= now) {
    std::move(waiting_.begin(), waiting_.end(), std::back_inserter(asked_));
    waiting_.clear();
    retry_time_ = absl::InfiniteDuration();
  }
  const absl::Duration end = BoottimeNow() + kAnswersMax;
  for (int i = 0; !asked_.empty() && i < kNotificationsPerTurnMax &&
                  (i == 0 || BoottimeNow() < end);
       ++i) {
    const Asked asked = asked_.front();
    asked_.pop_front();
    if (!Judge(asked, now)) waiting_.push_back(asked);
    if (Readable(listener_)) Take();
  }
  if (!asked_.empty()) {
    retry_time_ = now;
  } else if (!waiting_.empty() && retry_time_ == absl::InfiniteDuration()) {
    retry_time_ = now + kCensusRetryInterval;
  }
}

void NestingWatch::Take() {
  do {
    const std::optional<Asked> asked = Receive();
    if (!asked.has_value()) return;
    asked_.push_back(*asked);
  } while (asked_.size() < kNotificationsTakenMax && Readable(listener_));
}

std::optional<NestingWatch::Asked> NestingWatch::Receive() {
  Asked asked = {};
  // ENOENT: whoever asked was killed meanwhile.
  if (Ask(listener_, SECCOMP_IOCTL_NOTIF_RECV, &asked.request) != 0) {
    return std::nullopt;
  }
  asked.call.caller = static_cast<pid_t>(asked.request.pid);
  asked.call.kind =
      IsThread(asked.request.data) ? NestedKind::kThread : NestedKind::kProcess;
  return asked;
}

bool NestingWatch::StillWaits(const Asked& asked) const {
  uint64_t id = asked.request.id;
  return Ask(listener_, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0;
}

bool NestingWatch::Judge(const Asked& asked, absl::Duration now) {
  std::optional<TreeCensus> census;
  if (judge_.NeedsCensus(asked.call)) census = CountTree(task_);
  const NestingVerdict verdict =
      judge_.Judge(asked.call, census.has_value() ? &*census : nullptr, now);
  switch (verdict) {
    case NestingVerdict::kWait:
      return !StillWaits(asked);
    case NestingVerdict::kAllow:
      break;
    case NestingVerdict::kAllowExcess:
    case NestingVerdict::kRefuse:
      // Above the limit only after a census.
      Count({.program =
                 StillWaits(asked) ? ReadProgramName(asked.call.caller) : "?",
             .call = asked.call.kind == NestedKind::kThread
                         ? kThreadCall
                         : SyscallName(asked.request.data.arch,
                                       asked.request.data.nr),
             .refused = verdict == NestingVerdict::kRefuse,
             .live = asked.call.kind == NestedKind::kThread
                         ? census->threads
                         : census->processes});
      break;
  }
  Reply(asked, verdict);
  return true;
}

void NestingWatch::Reply(const Asked& asked, NestingVerdict verdict) {
  seccomp_notif_resp response = {};
  response.id = asked.request.id;
  if (verdict == NestingVerdict::kRefuse) {
    // A thread fails as at the system's own limit.
    response.error = asked.call.kind == NestedKind::kThread ? -EAGAIN : -EPERM;
  } else {
    response.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
  }
  // ENOENT: nobody waits for it any more.
  Ask(listener_, SECCOMP_IOCTL_NOTIF_SEND, &response);
}

void NestingWatch::TakeCensus(absl::Duration now) {
  const TreeCensus census = CountTree(task_);
  judge_.Recount(census);
  census_time_ =
      now + kCensusInterval * (1 + census.processes / kCensusSlowProcesses);
  const bool above = census.processes > judge_.nesting().max_processes ||
                     census.zombies > kZombiesMax;
  // One that stays above is one.
  if (above && !above_) {
    Count({.program = ReadProgramName(task_),
           .call = kForkCall,
           .refused = judge_.nesting().action != OnNestedPool::kAudit,
           .live = census.processes});
  }
  above_ = above;
}

void NestingWatch::Count(NestedCallSeen seen) {
  seen.program.resize(std::min(seen.program.size(), kProgramNameMaxBytes));
  const int live = seen.live;
  auto found = std::find_if(counted_.begin(), counted_.end(),
                            [&seen](const Counted& counted) {
                              return counted.seen.call == seen.call &&
                                     counted.seen.program == seen.program;
                            });
  if (found == counted_.end()) {
    if (counted_.size() >= kNestedCallKindsMax) {
      found = std::prev(counted_.end());
      found->seen.program = "others";
    } else {
      counted_.push_back({std::move(seen)});
      found = std::prev(counted_.end());
    }
  }
  const int64_t count = ++found->seen.count;
  found->seen.live = live;
  if (count > kNestedCallsToldMax && count < 2 * found->told) return;
  found->told = count;
  tell_(found->seen);
}

void NestingWatch::TellRest() {
  for (Counted& counted : counted_) {
    if (counted.told == counted.seen.count) continue;
    counted.told = counted.seen.count;
    tell_(counted.seen);
  }
}

}  // namespace vigil::slot
