// Core: every decision of a worker and nothing else. It is told what slots,
// tasks and coordinator did and the time, and says in Effects what must be
// done; it does no I/O and reads no clock. Loop thread only; owns the state of
// all slots and attempts.
//
// One rule orders everything: the first cause it accepts for the end of an
// attempt is final, and a slot takes the next attempt only when the tree of the
// last one is proved empty.
#ifndef VIGIL_WORKER_CORE_CORE_H_
#define VIGIL_WORKER_CORE_CORE_H_

#include <cstdint>
#include <deque>
#include <map>
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
#include "worker/core/attempt_clocks.h"
#include "worker/core/effects.h"
#include "worker/core/limits.h"

namespace vigil::worker {

// An assignment as the core needs it.
struct AttemptStart {
  AttemptId id;
  Supervision supervision;
  std::map<int, Reason> exit_reasons;
  // What is left of the job's schedule_to_close_timeout.
  absl::Duration time_left = absl::InfiniteDuration();
};

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

enum class SlotState {
  kStarting,    // its process was started and has not spoken
  kIdle,        // ready
  kSpawning,    // asked to start a program
  kRunning,     // the program runs
  kSoftStop,    // asked to end; its grace runs
  kKilling,     // the program ended or is killed; the tree is being emptied
  kCollecting,  // the tree is empty; its last output is being read
  kLeaving,     // the slot's own process is being ended
  kGone,        // the slot's process ended; it is started again in a moment
  kStuck,       // its tree cannot be killed; takes nothing any more
};

class Core {
 public:
  // Starts with `slots` slots, 0 to kSlotsMax.
  Core(int slots, absl::Time now, Effects* fx);
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;
  ~Core();

  // --- from the coordinator
  // Runs an attempt as soon as a slot is idle. A repeated one is ignored.
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
  // `text_reason` is what the patterns found in stderr.
  void OutputCollected(int slot, std::optional<Reason> text_reason,
                       absl::Time now, Effects* fx);

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
  // Whether no attempt waits, runs or is being ended.
  bool Quiet() const;
  absl::Time lease() const { return lease_; }
  int slots() const { return slots_wanted_; }
  SlotState slot_state(int slot) const;
  // The attempt in a slot; null when it has none.
  const AttemptId* attempt_in(int slot) const;

  // Ends the process when the state contradicts itself.
  void CheckInvariants() const;

 private:
  struct WaitingAttempt {
    AttemptStart start;
    // The end of the job's schedule_to_close_timeout.
    absl::Time close_deadline;
  };
  struct RunningAttempt {
    AttemptStart start;
    absl::Time close_deadline;
    std::optional<AttemptClocks> clocks;
    AttemptUpdate counts;
    std::optional<absl::Duration> time_to_active;
    // The first cause accepted for its end.
    std::optional<Failure> cause;
    absl::Time stop_time = absl::InfinitePast();
    std::optional<Evidence> evidence;
    std::optional<Exit> exit;
    bool unconfirmed = false;
    // Given up while it was being spawned: killed without grace.
    bool fenced = false;
    // CheckOutput was asked for and not answered yet; its clocks wait for it.
    bool checking = false;
    // When its counts are reported next, if they changed.
    absl::Time report_time = absl::InfiniteFuture();
    absl::Time last_report = absl::InfinitePast();
  };
  struct SlotRecord : DeadlineItem {
    int index = 0;
    SlotState state = SlotState::kGone;
    // When the state itself is over: grace, death of the tree, restart.
    absl::Time state_deadline = absl::InfiniteFuture();
    absl::Time heard;
    absl::Time ping_time = absl::InfiniteFuture();
    // KillSlot was asked for: nothing more can be done to end it.
    bool process_killed = false;
    // Its process ended while its attempt is still collected.
    bool process_lost = false;
    std::unique_ptr<RunningAttempt> attempt;
  };

  SlotRecord* Get(int slot);
  SlotRecord* Find(const AttemptId& attempt);
  bool Alive(const SlotRecord& slot) const;
  // Whether there are enough slots without this one.
  bool IsSurplus(const SlotRecord& slot) const;
  void UpdateDeadline(SlotRecord* slot);
  void SetState(SlotRecord* slot, SlotState state, absl::Time deadline);
  void StartProcess(SlotRecord* slot, absl::Time now, Effects* fx);
  void KillProcess(SlotRecord* slot, absl::Time now, Effects* fx);
  void GiveUpSlot(SlotRecord* slot, absl::Time now, Effects* fx);
  void BecomeIdle(SlotRecord* slot, absl::Time now, Effects* fx);
  void StartWaiting(Effects* fx);
  void EndOverdueWaiting(absl::Time now, Effects* fx);
  void BecomeActive(SlotRecord* slot, absl::Time now, Effects* fx);
  void BeginStop(SlotRecord* slot, Failure cause, absl::Time now, Effects* fx);
  void BeginKill(SlotRecord* slot, Failure cause, absl::Time now, Effects* fx);
  void TakeEvidence(SlotRecord* slot, absl::Time now);
  void ApplyDue(SlotRecord* slot, absl::Time now, Effects* fx);
  void ApplyClocks(SlotRecord* slot, absl::Time now, bool checked, Effects* fx);
  void Report(SlotRecord* slot, absl::Time now, Effects* fx);
  AttemptUpdate CountsAt(const SlotRecord& slot, absl::Time now) const;
  void Finish(SlotRecord* slot, std::optional<Reason> text_reason,
              absl::Time now, Effects* fx);
  void EndUnstarted(AttemptId id, Failure failure, Effects* fx);

  int slots_wanted_ = 0;
  std::vector<std::unique_ptr<SlotRecord>> slots_;
  DeadlineHeap<SlotRecord> deadlines_;
  // Assigned, and no slot was idle yet; in order.
  std::deque<WaitingAttempt> waiting_;
  absl::btree_map<AttemptId, AttemptEnd> ended_;
  // The worker may act until then; nothing is assigned before the first.
  absl::Time lease_ = absl::InfinitePast();
  // The end of `lease_` was acted upon.
  bool lease_ended_ = true;
};

}  // namespace vigil::worker

#endif  // VIGIL_WORKER_CORE_CORE_H_
