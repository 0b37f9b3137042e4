// NestingJudge: whether a task may have one more process or thread. Pure: told
// of the calls and, when it needs to know, of a census of the tree; no system
// calls, no clock. Thread-compatible. Owns its counts.
//
// A census costs as much as the tree is large, so the judge keeps an upper
// bound (what the last census found, and all that was let through since) and
// asks for a census only when the bound reaches the limit. A process that was
// let through and is not there yet is counted with those that are: two threads
// that fork at the same time must not both be the first.
#ifndef VIGIL_WORKER_SLOT_NESTING_JUDGE_H_
#define VIGIL_WORKER_SLOT_NESTING_JUDGE_H_

#include <sys/types.h>

#include <vector>

#include "absl/time/time.h"
#include "base/policy.h"
#include "worker/slot/tree_census.h"

namespace vigil::slot {

// Whether a task asks before it starts a process, and can be refused one.
// Otherwise its processes are counted every kCensusInterval; see
// nesting_filter.h for why.
inline bool IsAsked(const Nesting& nesting) {
  return nesting.max_processes <= 1 && nesting.action != OnNestedPool::kAudit;
}

enum class NestedKind { kProcess, kThread };

struct NestingCall {
  // The thread that calls.
  pid_t caller = 0;
  NestedKind kind = NestedKind::kProcess;
};

enum class NestingVerdict {
  kAllow,
  // Above the limit, and let through all the same: AUDIT.
  kAllowExcess,
  kRefuse,
  // One that was let through may or may not be there yet: judge again, with a
  // new census, in kCensusRetryInterval.
  kWait,
};

class NestingJudge {
 public:
  explicit NestingJudge(const Nesting& nesting);

  // Whether Judge must be given a census, taken after the call arrived.
  bool NeedsCensus(const NestingCall& call) const;
  // `now` is CLOCK_BOOTTIME since boot, at the census if there is one. Null: no
  // census.
  NestingVerdict Judge(const NestingCall& call, const TreeCensus* census,
                       absl::Duration now);
  // A census was taken for another reason.
  void Recount(const TreeCensus& census) { threads_ = census.threads; }

  const Nesting& nesting() const { return nesting_; }

 private:
  struct Pending {
    pid_t caller;
    absl::Duration time;
  };

  NestingVerdict JudgeProcess(const NestingCall& call, const TreeCensus* census,
                              absl::Duration now);
  NestingVerdict JudgeThread(const TreeCensus* census);
  NestingVerdict Excess() const;
  // Forgets those that the census shows, and those that are too old to come.
  void Settle(const TreeCensus& census, absl::Duration now);

  const Nesting nesting_;
  // At least as many as there are.
  int processes_ = 0;
  int threads_ = 1;
  // Let through, and not seen yet; at most kPendingMax.
  std::vector<Pending> pending_;
};

}  // namespace vigil::slot

#endif  // VIGIL_WORKER_SLOT_NESTING_JUDGE_H_
