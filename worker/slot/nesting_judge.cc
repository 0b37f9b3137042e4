#include "worker/slot/nesting_judge.h"

#include <algorithm>

#include "base/check.h"
#include "worker/slot/limits.h"
#include "worker/slot/stat_line.h"

namespace vigil::slot {

NestingJudge::NestingJudge(const Nesting& nesting) : nesting_(nesting) {}

bool NestingJudge::NeedsCensus(const NestingCall& call) const {
  return call.kind == NestedKind::kThread
             ? threads_ >= nesting_.max_threads
             : processes_ >= nesting_.max_processes ||
                   pending_.size() >= kPendingMax;
}

NestingVerdict NestingJudge::Judge(const NestingCall& call,
                                   const TreeCensus* census,
                                   absl::Duration now) {
  VIGIL_CHECK(census != nullptr || !NeedsCensus(call), "a census was needed");
  return call.kind == NestedKind::kThread ? JudgeThread(census)
                                          : JudgeProcess(call, census, now);
}

NestingVerdict NestingJudge::Excess() const {
  return nesting_.action == OnNestedPool::kAudit ? NestingVerdict::kAllowExcess
                                                 : NestingVerdict::kRefuse;
}

NestingVerdict NestingJudge::JudgeThread(const TreeCensus* census) {
  if (census != nullptr) threads_ = census->threads;
  if (threads_ >= nesting_.max_threads) return Excess();
  ++threads_;
  return NestingVerdict::kAllow;
}

NestingVerdict NestingJudge::JudgeProcess(const NestingCall& call,
                                          const TreeCensus* census,
                                          absl::Duration now) {
  // A thread that calls again is done with the call before.
  std::erase_if(pending_, [&call](const Pending& pending) {
    return pending.caller == call.caller;
  });
  NestingVerdict verdict = NestingVerdict::kAllow;
  if (census != nullptr) {
    Settle(*census, now);
    const int coming = static_cast<int>(pending_.size());
    processes_ = census->processes + coming;
    threads_ = census->threads + coming;
    if (census->processes >= nesting_.max_processes ||
        census->zombies >= kZombiesMax) {
      verdict = Excess();
    } else if (processes_ >= nesting_.max_processes) {
      return NestingVerdict::kWait;
    }
  }
  if (verdict == NestingVerdict::kRefuse) return verdict;
  ++processes_;
  ++threads_;
  pending_.push_back({call.caller, now});
  return verdict;
}

void NestingJudge::Settle(const TreeCensus& census, absl::Duration now) {
  std::erase_if(pending_, [&](const Pending& pending) {
    if (now - pending.time >= kPendingAgeMax) return true;
    const auto caller =
        std::find_if(census.callers.begin(), census.callers.end(),
                     [&pending](const TreeCensus::Caller& caller) {
                       return caller.thread == pending.caller;
                     });
    // A thread that is gone has done what it will do.
    return caller == census.callers.end() ||
           caller->last_child_start >= TicksAt(pending.time);
  });
}

}  // namespace vigil::slot
