// WorkerRecord: one session of a worker as the coordinator's core knows it.
// Values owned by the core; thread-compatible.
#ifndef VIGIL_COORDINATOR_CORE_WORKER_RECORD_H_
#define VIGIL_COORDINATOR_CORE_WORKER_RECORD_H_

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/time/time.h"
#include "base/attempt.h"
#include "base/deadline_heap.h"
#include "base/ids.h"
#include "coordinator/core/effects.h"
#include "coordinator/core/job.h"

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
  std::set<std::string> task_types;
  std::vector<AttemptId> running;
  std::vector<AttemptEnd> ended;
};

struct WorkerRecord : DeadlineItem {
  WorkerHello hello;
  // 0 while no stream is open.
  StreamId stream = 0;
  // Its lease is over: what it says is refused.
  bool lost = false;
  bool draining = false;
  // Past its lease, and its death is being made sure of.
  bool being_killed = false;
  int slots_max = 0;
  absl::Time attach_time;
  absl::Time last_heartbeat_time;
  // When its attempts are given up, the margin included. The item's own
  // deadline() is this, or when its death is no longer waited for.
  absl::Time lease_time;
  // Also counts attempts that are assigned but not yet started.
  absl::btree_map<AttemptId, Job*> running;
  double load_average = 0;
  int64_t memory_available_bytes = 0;

  bool connected() const { return stream != 0 && !lost; }
  int free_slots() const {
    return connected() && !draining && !being_killed
               ? slots_max - static_cast<int>(running.size())
               : 0;
  }
  bool Offers(const std::string& task_type) const {
    return task_type.empty() ? hello.allow_commands
                             : hello.task_types.contains(task_type);
  }
};

}  // namespace vigil::coordinator

#endif  // VIGIL_COORDINATOR_CORE_WORKER_RECORD_H_
