// JobQueues: the jobs that wait for a slot, by task type; within a type the
// higher priority first, then the order of submission. Does not own the jobs;
// thread-compatible.
#ifndef VIGIL_COORDINATOR_CORE_JOB_QUEUES_H_
#define VIGIL_COORDINATOR_CORE_JOB_QUEUES_H_

#include <cstdint>
#include <string>
#include <utility>

#include "absl/container/btree_map.h"
#include "coordinator/core/job.h"

namespace vigil::coordinator {

class JobQueues {
 public:
  // Position in a queue: smaller runs first.
  using Rank = std::pair<int, uint64_t>;
  using Queue = absl::btree_map<Rank, Job*>;

  void Add(Job* job) { queues_[job->task_type].emplace(RankOf(*job), job); }

  void Remove(const Job& job) {
    auto it = queues_.find(job.task_type);
    if (it == queues_.end()) return;
    it->second.erase(RankOf(job));
    if (it->second.empty()) queues_.erase(it);
  }

  // The job of `task_type` that runs next; null when none waits.
  Job* First(const std::string& task_type) const {
    const auto it = queues_.find(task_type);
    return it == queues_.end() ? nullptr : it->second.begin()->second;
  }

  bool Contains(const Job& job) const {
    const auto it = queues_.find(job.task_type);
    return it != queues_.end() && it->second.contains(RankOf(job));
  }

  // Task types with waiting jobs, in order of name; no queue is empty.
  const absl::btree_map<std::string, Queue>& queues() const { return queues_; }

  static Rank RankOf(const Job& job) { return {-job.priority, job.sequence}; }

 private:
  absl::btree_map<std::string, Queue> queues_;
};

}  // namespace vigil::coordinator

#endif  // VIGIL_COORDINATOR_CORE_JOB_QUEUES_H_
