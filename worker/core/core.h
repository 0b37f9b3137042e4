// Core: every decision of a worker and nothing else. It is told what slots,
// tasks and coordinator did and the time, and says in Effects what must be
// done; it does no I/O and reads no clock. Loop thread only; owns the state of
// all slots and attempts.
//
// One rule orders everything: the first cause it accepts for the end of an
// attempt is final, and a slot takes the next attempt only when the tree of the
// last one is proved empty, but for a warm program, which may stay.
#ifndef VIGIL_WORKER_CORE_CORE_H_
#define VIGIL_WORKER_CORE_CORE_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/time/time.h"
#include "base/attempt.h"
#include "base/deadline_heap.h"
#include "base/ids.h"
#include "base/policy.h"
#include "worker/core/classify.h"
#include "worker/core/effects.h"
#include "worker/core/frame_kind.h"
#include "worker/core/limits.h"
#include "worker/core/slot_record.h"
#include "worker/core/type_table.h"
#include "worker/core/usable_slots.h"
#include "worker/core/work_ahead.h"

namespace vigil::worker {

// What a slot found when its tree was gone.
struct TreeReport {
  int leftovers_killed = 0;
  // SIGKILL was sent to the tree while the program itself still ran.
  bool killed = false;
  // The slot's own lease ended, and it killed without being asked.
  bool lease_expired = false;
  // The kernel would not let go: the tree is not proved empty.
  bool unconfirmed = false;
  absl::Duration user_time;
  absl::Duration system_time;
  int64_t max_rss_bytes = 0;
};

// What a look at the whole life of an ended program found.
struct EndFindings {
  // What the patterns find in its stderr.
  std::optional<Reason> text_reason = std::nullopt;
  // Whether the kernel killed a process of it because memory was short.
  OomKill oom = OomKill::kNone;
};

class Core {
 public:
  // Starts with `slots` slots, 0 to kSlotsMax.
  Core(int slots, absl::Time now, Effects* fx);
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;
  ~Core();

  // Takes the place of the task types offered before. Warm programs of types
  // that changed end when they have no attempt.
  void SetTypes(std::vector<OfferedType> types, absl::Time now, Effects* fx);

  // --- from the coordinator
  // Runs an attempt as soon as there is a place for it. A repeated one is
  // ignored.
  void Assign(AttemptStart start, absl::Time now, Effects* fx);
  // Ends an attempt softly: CANCELLED or DRAINED. Unknown ones are ignored.
  void Stop(const AttemptId& attempt, Reason reason, absl::Time now,
            Effects* fx);
  // Kills an attempt that the coordinator does not know any more.
  void Fence(const AttemptId& attempt, absl::Time now, Effects* fx);
  // Kills every attempt: the session was given up.
  void FenceAll(const std::string& why, absl::Time now, Effects* fx);
  // The lease now lasts until `until`; never shortens it.
  void ExtendLease(absl::Time until);
  void EndAcknowledged(const AttemptId& attempt);
  void SetSlots(int slots, absl::Time now, Effects* fx);
  // The cache of `type` is to be removed: ends its idle programs, so that the
  // warm-up runs before the next job. False: a job of it runs or waits.
  bool ClearCache(const std::string& type, absl::Time now, Effects* fx);

  // --- from the slots
  void SlotReady(int slot, absl::Time now, Effects* fx);
  void SlotHeard(int slot, absl::Time now);
  // The slot's process is gone; what was under it is reaped.
  void SlotLost(int slot, absl::Time now, Effects* fx);
  void Spawned(int slot, absl::Time now, Effects* fx);
  void SpawnFailed(int slot, int error, const std::string& what, absl::Time now,
                   Effects* fx);
  void Exited(int slot, Exit exit, absl::Time now, Effects* fx);
  void TreeEmpty(int slot, const TreeReport& report, absl::Time now,
                 Effects* fx);

  // The program wanted a process or thread above its limits. `call` counts
  // since its start; `live` is how many there were.
  void NestedCallSeen(int slot, const NestedCall& call, int live,
                      absl::Time now, Effects* fx);

  // --- from the tasks' output
  void Output(int slot, bool is_stderr, int64_t bytes, absl::Time now,
              Effects* fx);
  // A line matched the ready pattern.
  void Ready(int slot, absl::Time now, Effects* fx);
  void ProgressRead(int slot, Progress progress, absl::Time now, Effects* fx);
  // Output is not read for now, because nobody takes it; and is again.
  void ReadingPaused(int slot, absl::Time now);
  void ReadingResumed(int slot, absl::Time now);
  void OutputChecked(int slot, absl::Time now, Effects* fx);
  void OutputCollected(int slot, const EndFindings& findings, absl::Time now,
                       Effects* fx);
  // Answers CheckMemory, which took that long. Negative: nobody knows.
  void MemorySeen(int slot, int64_t rss_bytes, absl::Duration took,
                  absl::Time now, Effects* fx);
  // The warnings of Python's pools that ran in sequence, of this attempt.
  void SequentialPoolsSeen(int slot, const std::vector<NestedCall>& pools);

  // --- from warm programs
  // What is wrong with a frame of this kind, which names `attempt` (nullopt:
  // none), at this moment, as the end of "a frame that ..."; empty if nothing.
  std::string ProblemWith(int slot, FrameKind kind,
                          const std::optional<AttemptId>& attempt) const;
  // A frame that ProblemWith finds right was read. `bytes` is the size of a
  // token.
  void FrameRead(int slot, FrameKind kind, int64_t bytes, absl::Time now,
                 Effects* fx);
  // After FrameRead of a result or an error: what it said.
  void Reported(int slot, Outcome outcome, absl::Time now, Effects* fx);
  // A frame was not right: the program broke the protocol.
  void ProtocolBroken(int slot, const std::string& how, absl::Time now,
                      Effects* fx);
  void ChannelClosed(int slot, absl::Time now, Effects* fx);
  // Answers InspectTask: `others` processes of the tree live beside the task.
  void Inspected(int slot, int others, int64_t rss_bytes, absl::Time now,
                 Effects* fx);
  // Answers FinishCache; `error` is empty if the cache is visible now, or was
  // removed as asked.
  void CacheReady(int slot, const std::string& error, absl::Time now,
                  Effects* fx);

  // --- time
  void Tick(absl::Time now, Effects* fx);
  absl::Time NextDeadline() const;
  // Nobody looked for `stall`: silence clocks and the slots' own are granted
  // it; leases and total times are not.
  void GrantStall(absl::Duration stall);

  // Attempts that wait or run, and ends not yet acknowledged: what Attach
  // lists.
  std::vector<AttemptId> Running() const;
  const absl::btree_map<AttemptId, AttemptEnd>& ended() const { return ended_; }
  // Attempts that have no slot yet.
  int waiting() const { return static_cast<int>(waiting_.size()); }
  // How many attempts it takes beyond its slots.
  int Ahead(absl::Time now) const;
  // Whether no attempt waits, runs or is being ended.
  bool Quiet() const;
  absl::Time lease() const { return lease_; }
  int slots() const { return slots_wanted_; }
  // Slots that it uses: no more attempts than that are begun at once. Those
  // that ran in others when the number fell go on.
  const UsableSlots& usable() const { return usable_; }
  SlotState slot_state(int slot) const;
  // Of those whose trees cannot be killed, in order.
  std::vector<int> StuckSlots() const;
  // The attempt in a slot; null when it has none.
  const AttemptId* attempt_in(int slot) const;
  // Of every type that is offered, by name.
  std::vector<TaskTypeStatus> TypeStatuses() const;
  // Grows when TypeStatuses may have changed.
  int64_t types_revision() const { return types_.revision(); }
  CacheState cache(const TaskTypeRulesPtr& type) const {
    return types_.cache(type);
  }

  // Ends the process when the state contradicts itself.
  void CheckInvariants() const;

 private:
  struct WaitingAttempt {
    AttemptStart start;
    // The end of the job's schedule_to_close_timeout.
    absl::Time close_deadline;
    // It is told as WARMING.
    bool warming = false;
    // Counted while its warm-up ran.
    AttemptUpdate counts = {};
    // When its wait began: it was assigned, or lost the place that it had.
    absl::Time since = absl::InfinitePast();
  };
  // Where an attempt can go.
  struct Place {
    enum class Kind {
      kNone,     // nowhere yet: every slot is taken
      kHeld,     // nowhere yet: its type has all the slots it may use
      kWarming,  // nowhere yet: its type's warm-up runs
      kSpawn,
      kWarmUp,
      kHandOver,  // to a warm program without an attempt
      kAhead,     // to a warm program behind the attempts that it has
    };
    Kind kind = Kind::kNone;
    SlotRecord* slot = nullptr;
  };
  SlotRecord* Get(int slot);
  // The slot whose program runs `attempt`; and one to which it was handed
  // ahead, with the attempt itself.
  SlotRecord* Find(const AttemptId& attempt);
  RunningAttempt* FindAhead(const AttemptId& attempt);
  bool Alive(const SlotRecord& slot) const;
  // Whether there are enough slots without this one.
  bool IsSurplus(const SlotRecord& slot) const;
  // Calls `visit` with each slot that is no surplus and not stuck.
  template <typename Visit>
  void ForEachWanted(Visit visit) const {
    int wanted = 0;
    for (const auto& slot : slots_) {
      if (slot->state == SlotState::kStuck) continue;
      if (++wanted > slots_wanted_) return;
      visit(*slot);
    }
  }
  // How many more slots may be given an attempt, as far as they are usable;
  // negative: more are busy than should be.
  int UsableRoom() const;
  // Changes the usable slots by `change`, and says so.
  template <typename Change>
  void ChangeUsable(Change change, Effects* fx) {
    const std::optional<LoweredSlots> before = usable_.lowered();
    change(&usable_);
    const std::optional<LoweredSlots>& lowered = usable_.lowered();
    if (lowered == before) return;
    fx->push_back(UsableSlotsChanged{
        usable_.count(), lowered.has_value() ? lowered->cause : ""});
  }
  // Lowers the usable slots if the attempt ended for want of something that its
  // host should have.
  void NoteExhaustion(const RunningAttempt& attempt,
                      const std::optional<Failure>& failure, absl::Time now,
                      Effects* fx);
  void UpdateDeadline(SlotRecord* slot);
  void SetState(SlotRecord* slot, SlotState state, absl::Time deadline);
  void StartProcess(SlotRecord* slot, absl::Time now, Effects* fx);
  void KillProcess(SlotRecord* slot, absl::Time now, Effects* fx);
  void GiveUpSlot(SlotRecord* slot, absl::Time now, Effects* fx);
  void BecomeIdle(SlotRecord* slot, absl::Time now, Effects* fx);

  // core_placement.cc
  void StartWaiting(absl::Time now, Effects* fx);
  // Whether a look at what waits may change anything: false while every slot is
  // busy with what takes no other.
  bool MayPlace() const;
  // Its task type has another definition now.
  void EndOutdated(const WaitingAttempt& waiting, Effects* fx);
  // `queue` allows kAhead.
  Place FindPlace(const AttemptStart& start, bool queue) const;
  void Put(WaitingAttempt waiting, const Place& place, absl::Time now,
           Effects* fx);
  // The program that was idle longest and may go for `type`; null: none.
  SlotRecord* FindEvictable(const TaskTypeRulesPtr& type) const;
  bool TakesAhead(const SlotRecord& slot) const;
  // Whether the program has to go once it has no attempt.
  bool IsWornOut(const SlotRecord& slot) const;

  // core_warm.cc
  // The warm program said that it begins its attempt.
  void BeginAttempt(SlotRecord* slot, absl::Time now, Effects* fx);
  // An attempt ended well in a program that may stay: what it does next.
  void Continue(SlotRecord* slot, absl::Time now, Effects* fx);
  // The next attempt that was handed ahead is the one whose turn it is.
  void BeginAhead(SlotRecord* slot, absl::Time now);
  void BecomeWarm(SlotRecord* slot, absl::Time now, Effects* fx);
  void EndProgram(SlotRecord* slot, absl::Time now, Effects* fx);
  void KillProgram(SlotRecord* slot, absl::Time now, Effects* fx);
  void EndIdlePrograms(absl::Time now, Effects* fx);

  // Hands back what waits for too long behind what runs.
  void HandBackWaiting(absl::Time now, Effects* fx);

  void EndOverdueWaiting(absl::Time now, Effects* fx);
  void StartClocks(SlotRecord* slot, absl::Time now);
  void BecomeActive(SlotRecord* slot, absl::Time now, Effects* fx);
  void CountNestedCall(SlotRecord* slot, const NestedCall& call, int live,
                       absl::Time now, Effects* fx);
  // The program writes what it does, if that was asked for; then BeginStop.
  void BeginDump(SlotRecord* slot, Failure cause, absl::Time now, Effects* fx);
  void BeginStop(SlotRecord* slot, Failure cause, absl::Time now, Effects* fx);
  void BeginKill(SlotRecord* slot, Failure cause, absl::Time now, Effects* fx);
  void TakeEvidence(SlotRecord* slot, absl::Time now);
  void ApplyDue(SlotRecord* slot, absl::Time now, Effects* fx);
  void ApplyClocks(SlotRecord* slot, absl::Time now, bool checked, Effects* fx);
  void Report(SlotRecord* slot, absl::Time now, Effects* fx);
  AttemptUpdate CountsAt(const SlotRecord& slot, absl::Time now) const;
  // core_end.cc
  void EndWarmUp(SlotRecord* slot, const EndFindings& findings, Effects* fx);
  void EndAttempt(std::unique_ptr<RunningAttempt> attempt,
                  const Program& program, const EndFindings& findings,
                  absl::Time now, Effects* fx);
  // The tree is empty and its output is read: what becomes of the slot.
  void Vacate(SlotRecord* slot, absl::Time now, Effects* fx);
  void EndUnstarted(AttemptId id, Failure failure, Effects* fx);
  // Takes what was handed ahead to a program that is gone back.
  void TakeBackAhead(SlotRecord* slot, absl::Time now, Effects* fx);
  // Has an attempt that lost its place wait before all others.
  void WaitFirst(WaitingAttempt waiting, absl::Time now);

  int slots_wanted_ = 0;
  std::vector<std::unique_ptr<SlotRecord>> slots_;
  DeadlineHeap<SlotRecord> deadlines_;
  // Assigned, and there was no place yet; in order.
  std::deque<WaitingAttempt> waiting_;
  // When it is looked whether they wait for too long.
  absl::Time hand_back_time_ = absl::InfiniteFuture();
  TypeTable types_;
  WorkAhead work_ahead_;
  UsableSlots usable_;
  absl::btree_map<AttemptId, AttemptEnd> ended_;
  // The worker may act until then; nothing is assigned before the first.
  absl::Time lease_ = absl::InfinitePast();
  // The end of `lease_` was acted upon.
  bool lease_ended_ = true;
};

}  // namespace vigil::worker

#endif  // VIGIL_WORKER_CORE_CORE_H_
