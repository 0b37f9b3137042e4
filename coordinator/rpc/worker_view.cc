#include "coordinator/rpc/worker_view.h"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "base/wire/attempt_wire.h"
#include "base/wire/host_wire.h"
#include "base/wire/time_wire.h"
#include "coordinator/codec/job_codec.h"

namespace vigil::coordinator {
namespace {

v1::Worker::State StateOf(const WorkerRecord& worker) {
  if (worker.left) return v1::Worker::STATE_LEFT;
  if (worker.lost) return v1::Worker::STATE_LOST;
  if (!worker.connected()) return v1::Worker::STATE_DISCONNECTED;
  return worker.paused || worker.leaving ? v1::Worker::STATE_DRAINING
                                         : v1::Worker::STATE_CONNECTED;
}

// The job that each slot runs, null for none. A job that waits behind another
// one in its process is shown when its turn has come.
std::map<int, const Job*> JobsBySlot(const WorkerRecord& worker) {
  std::map<int, const Job*> busy;
  std::vector<const Job*> others;
  for (const auto& [id, job] : worker.running) {
    const AttemptUpdate& last = job->current().last;
    // Otherwise it is assigned, and the worker has not said yet to which slot;
    // or it waits for a warm-up and has none.
    const bool reported = last.attempt.number == id.number && last.slot >= 0;
    const auto [it, alone] =
        reported ? busy.emplace(last.slot, job) : std::pair(busy.end(), false);
    if (alone) continue;
    const Job* other = job;
    // The one that has started is the one that runs.
    if (reported && it->second->current().start_time == absl::InfinitePast()) {
      other = std::exchange(it->second, job);
    }
    others.push_back(other);
  }
  int count = static_cast<int>(busy.size());
  // Which ones are idle is not known: others may have taken the places of the
  // first ones. Attempts beyond the slots wait there for one. Slots above the
  // number that it is to have still run something, and are in `busy`.
  const size_t slots =
      std::max(static_cast<size_t>(worker.slots_max), busy.size());
  for (int i = 0; busy.size() < slots; ++i) {
    if (worker.stuck_slots.contains(i)) continue;
    const auto [it, added] = busy.emplace(i, nullptr);
    if (!added || others.empty() || count >= worker.busy_slots()) continue;
    it->second = others.back();
    others.pop_back();
    ++count;
  }
  return busy;
}

void AddSlots(const WorkerRecord& worker, absl::Time now, v1::Worker* proto) {
  for (const int index : worker.stuck_slots) {
    v1::Slot* slot = proto->add_slots();
    slot->set_index(index);
    slot->set_state(v1::Slot::STATE_STUCK);
  }
  for (const auto& [index, job] : JobsBySlot(worker)) {
    if (worker.stuck_slots.contains(index)) continue;
    v1::Slot* slot = proto->add_slots();
    slot->set_index(index);
    slot->set_state(job == nullptr ? v1::Slot::STATE_IDLE
                                   : v1::Slot::STATE_BUSY);
    if (job == nullptr) continue;
    slot->set_job_id(job->id.value());
    slot->set_namespace_(job->namespace_);
    slot->set_task_type(job->task_type);
    ToProto(job->current(), slot->mutable_attempt());
  }
  std::sort(proto->mutable_slots()->begin(), proto->mutable_slots()->end(),
            [](const v1::Slot& a, const v1::Slot& b) {
              return a.index() < b.index();
            });
  vigil::ToProto(now - worker.attach_time, proto->mutable_uptime());
}

}  // namespace

v1::Worker ToProto(const WorkerRecord& worker, absl::Time now) {
  const WorkerHello& hello = worker.hello;
  v1::Worker proto;
  proto.set_worker_id(hello.worker.value());
  proto.set_session_id(hello.session.value());
  proto.set_state(StateOf(worker));
  proto.set_hostname(hello.hostname);
  proto.set_local(hello.local);
  proto.set_pid(hello.pid);
  proto.set_build(hello.build);
  proto.set_protocol_version(hello.protocol_version);
  for (const std::string& feature : hello.features) {
    proto.add_features(feature);
  }
  for (const std::string& type : hello.task_types) proto.add_task_types(type);
  proto.set_allow_commands(hello.allow_commands);
  proto.set_slots_max(worker.slots_max);
  v1::UsableSlots* usable = proto.mutable_usable_slots();
  usable->set_slots(worker.usable());
  if (worker.usable() < worker.slots_max) {
    usable->set_cause(worker.usable_cause);
  }
  if (!worker.lost) AddSlots(worker, now, &proto);
  vigil::ToProto(worker.last_heartbeat_time,
                 proto.mutable_last_heartbeat_time());
  vigil::ToProto(worker.lease_time, proto.mutable_lease_time());
  if (worker.host.has_value()) {
    proto.set_load_average(worker.host->load_average);
    proto.set_memory_available_bytes(worker.host->memory_available_bytes);
    vigil::ToProto(*worker.host, proto.mutable_host());
  }
  if (hello.nesting_filter.state != NestingFilter::State::kUnspecified) {
    vigil::ToProto(hello.nesting_filter, proto.mutable_nesting_filter());
  }
  for (const auto& [name, status] : worker.statuses) {
    if (status.warm_processes == 0 && status.degraded.empty()) continue;
    vigil::ToProto(status, proto.add_task_type_statuses());
  }
  return proto;
}

}  // namespace vigil::coordinator
