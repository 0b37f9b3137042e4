// WorkerRecord: one session of a worker as the coordinator's core knows it, and
// what more it can take. Values owned by the core; thread-compatible.
#ifndef VIGIL_COORDINATOR_CORE_WORKER_RECORD_H_
#define VIGIL_COORDINATOR_CORE_WORKER_RECORD_H_

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/time/time.h"
#include "base/attempt.h"
#include "base/deadline_heap.h"
#include "base/host.h"
#include "base/ids.h"
#include "coordinator/core/effects.h"
#include "coordinator/core/job.h"
#include "coordinator/core/limits.h"
#include "coordinator/core/worker_load.h"

namespace vigil::coordinator {

// What a worker says of itself when it attaches.
struct WorkerHello {
  WorkerId worker;
  SessionId session;
  // 1, 2, 3... within a session. One that arrives after a later one, on a
  // stream that the worker gave up, is refused.
  int64_t attach_number = 0;
  std::string hostname;
  int pid = 0;
  std::string build;
  int protocol_version = 0;
  std::vector<std::string> features;
  int slots = 0;
  bool allow_commands = false;
  // Started by this coordinator, which will see it die.
  bool local = false;
  // Sessions of this worker that came before this one are proved dead by it,
  // slots and tasks included.
  bool predecessors_dead = false;
  std::set<std::string> task_types;
  // Slots that may run a task type at the same time; those not here have all.
  std::map<std::string, int> max_slots;
  NestingFilter nesting_filter;
  // It takes nothing new, and leaves.
  bool draining = false;
  // Of the coordinator that this session attached to before; empty: to none.
  std::string history;
  std::vector<AttemptId> running;
  std::vector<AttemptEnd> ended;
};

// Jobs that a warm task submitted, until it is known which attempt it ran.
struct NestedDispatches {
  std::string task_type;
  // Of the last one.
  absl::Time time;
  int jobs = 0;
};

struct WorkerRecord : DeadlineItem {
  WorkerHello hello;
  // 0 while no stream is open.
  StreamId stream = 0;
  // Its lease is over, or it left: what it says is refused.
  bool lost = false;
  bool left = false;
  // Gets no work, until that is taken back.
  bool paused = false;
  // Drains, or was told to.
  bool leaving = false;
  // How long it may take for that; absent: as long as it says itself.
  std::optional<absl::Duration> leave_grace;
  // Past its lease, and its death is being made sure of.
  bool being_killed = false;
  int slots_max = 0;
  absl::Time attach_time;
  absl::Time last_heartbeat_time;
  // When its attempts are given up, the margin included. The item's own
  // deadline() is this, or when its death is no longer waited for.
  absl::Time lease_time;
  // Sessions that are dead if this one has lived since its last Attach was
  // read, which its first heartbeat shows.
  std::vector<SessionId> predecessors;
  // Also counts attempts that are assigned but not yet started. Changed by Hold
  // and Release, which keep `load` in step.
  absl::btree_map<AttemptId, Job*> running;
  WorkerLoad load;
  // Attempts that it takes beyond its slots, as it said last on this stream.
  int ahead = 0;
  // How many of its slots it uses, and why not all of them, as it said last on
  // this stream; without a cause, all.
  int usable_slots = kSlotsMax;
  std::string usable_cause;
  // Of task types that it offers, as far as it said.
  absl::btree_map<std::string, TaskTypeStatus> statuses;
  // As of its last heartbeat; absent before the first.
  std::optional<HostLoad> host;
  // Slots whose trees it could not kill, which were replaced.
  std::set<int> stuck_slots;
  // By slot, below kSlotsMax.
  absl::btree_map<int, NestedDispatches> nested_dispatches;

  bool connected() const { return stream != 0 && !lost; }
  bool takes_work() const {
    return connected() && !paused && !leaving && !being_killed;
  }
  // Negative: that many attempts wait there for a slot.
  int free_slots() const { return takes_work() ? usable() - load.slots() : 0; }
  // Slots that may be given something.
  int usable() const { return std::min(slots_max, usable_slots); }
  int busy_slots() const { return std::min(load.slots(), slots_max); }
  // Slots that its attempts may need, those that wait for one included.
  int places() const { return usable() == 0 ? 0 : usable() + ahead; }
  // False: it can take nothing at all. True: it may be worth a closer look.
  bool MayHaveRoom() const {
    return takes_work() && load.slots() <= places() &&
           (load.slots() < places() || load.spare() > 0);
  }
  // Whether another attempt of the type would take more slots than the type may
  // have.
  bool AtMaxSlots(const std::string& task_type) const {
    const auto max = hello.max_slots.find(task_type);
    return max != hello.max_slots.end() &&
           load.SlotsOfTypeWith(task_type) > max->second;
  }
  // Whether another attempt of the type would find a slot, or a place behind
  // others.
  bool HasPlaceFor(const std::string& task_type) const {
    return takes_work() && load.SlotsWith(task_type) <= places();
  }
  bool Offers(const std::string& task_type) const {
    return task_type.empty() ? hello.allow_commands
                             : hello.task_types.contains(task_type);
  }

  void Hold(const AttemptId& attempt, Job* job) {
    if (running.emplace(attempt, job).second) load.Add(job->task_type);
  }
  void Release(const AttemptId& attempt) {
    const auto it = running.find(attempt);
    if (it == running.end()) return;
    load.Remove(it->second->task_type);
    running.erase(it);
  }
  // Takes the status of a type that it offers; of others there is nothing to
  // know.
  void SetStatus(TaskTypeStatus status) {
    if (!hello.task_types.contains(status.name)) return;
    status.in_flight = std::clamp(status.in_flight, 1, kInFlightMax);
    load.SetInFlight(status.name, status.in_flight);
    statuses.insert_or_assign(status.name, std::move(status));
  }
  // Forgets what was said of types that it does not offer any more.
  void DropOldStatuses() {
    absl::erase_if(statuses, [this](const auto& entry) {
      if (hello.task_types.contains(entry.first)) return false;
      load.SetInFlight(entry.first, 1);
      return true;
    });
  }
  void SetAhead(int attempts) { ahead = std::clamp(attempts, 0, kAheadMax); }
  void SetUsable(int slots, std::string cause) {
    usable_slots = cause.empty() ? kSlotsMax : std::max(1, slots);
    usable_cause = std::move(cause);
  }
  // Forgets what it said of how much it takes.
  void ClearStatuses() {
    for (const auto& [name, status] : statuses) load.SetInFlight(name, 1);
    statuses.clear();
    ahead = 0;
    SetUsable(kSlotsMax, "");
  }
};

}  // namespace vigil::coordinator

#endif  // VIGIL_COORDINATOR_CORE_WORKER_RECORD_H_
