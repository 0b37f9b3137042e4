// NestingWatch: holds one task to its processes and threads: answers what the
// kernel asks for it, and counts its processes where it does not ask. For the
// one thread of a slot process; no call blocks but for /proc. Does not own the
// listener: when that is closed, or this process dies, the task's calls fail
// with ENOSYS.
#ifndef VIGIL_WORKER_SLOT_NESTING_WATCH_H_
#define VIGIL_WORKER_SLOT_NESTING_WATCH_H_

#include <linux/seccomp.h>
#include <sys/types.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "base/policy.h"
#include "worker/slot/nesting_judge.h"
#include "worker/slot/slot_event.h"

namespace vigil::slot {

class NestingWatch {
 public:
  // `listener` is that of the task process `task` and outlives this; -1 without
  // a filter. `tell` is called with what the worker is to know. `now` is
  // CLOCK_BOOTTIME since boot.
  NestingWatch(int listener, pid_t task, const Nesting& nesting,
               absl::Duration now, std::function<void(NestedCallSeen)> tell);

  // Readable when the kernel asks.
  int fd() const { return closed_ ? -1 : listener_; }
  // When Answer is to be called though nothing is readable.
  absl::Duration NextDeadline() const {
    return closed_ ? absl::InfiniteDuration()
                   : std::min(retry_time_, census_time_);
  }

  // Answers what was asked, as far as that is possible now. Blocks if fd() is
  // not readable and nothing waits: ask poll first.
  void Answer(bool readable, absl::Duration now);
  // Answers nothing any more: the tree is being killed, and who asks waits for
  // that.
  void Close() { closed_ = true; }
  // Tells what was counted and not told yet.
  void TellRest();

 private:
  struct Asked {
    seccomp_notif request;
    NestingCall call;
  };
  struct Counted {
    NestedCallSeen seen;
    int64_t told = 0;
  };

  // Takes what is asked, before any of it is judged: from then on only SIGKILL
  // ends the wait of who asked. (Before, a signal may.)
  void Take();
  // Nullopt: nothing was there after all.
  std::optional<Asked> Receive();
  // Counts the processes of a task that does not ask.
  void TakeCensus(absl::Duration now);
  // False: it has to be judged again.
  bool Judge(const Asked& asked, absl::Duration now);
  // Whether the caller still waits for the answer: what /proc says of a thread
  // that does not may be said of another.
  bool StillWaits(const Asked& asked) const;
  void Reply(const Asked& asked, NestingVerdict verdict);
  void Count(NestedCallSeen seen);

  const int listener_;
  const pid_t task_;
  NestingJudge judge_;
  const std::function<void(NestedCallSeen)> tell_;
  std::deque<Asked> asked_;
  // Those that have to be judged again; each is a thread that waits.
  std::vector<Asked> waiting_;
  bool closed_ = false;
  absl::Duration retry_time_ = absl::InfiniteDuration();
  // Infinite if the task asks.
  absl::Duration census_time_ = absl::InfiniteDuration();
  // The last census found too many.
  bool above_ = false;
  std::vector<Counted> counted_;
};

}  // namespace vigil::slot

#endif  // VIGIL_WORKER_SLOT_NESTING_WATCH_H_
