// TypeTable: the task types that a worker offers, and what it learnt of each:
// whether its cache is there, and how long its jobs run. Pure and
// thread-compatible. Shares the rules with whoever uses them.
#ifndef VIGIL_WORKER_CORE_TYPE_TABLE_H_
#define VIGIL_WORKER_CORE_TYPE_TABLE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/time/time.h"
#include "worker/core/task_type_rules.h"

namespace vigil::worker {

// A task type of the catalog, and whether a complete cache of its warm-up was
// found.
struct OfferedType {
  TaskTypeRulesPtr rules;
  bool cached = false;
};

enum class CacheState {
  // The type has no warm-up.
  kNone,
  kMissing,
  // The warm-up runs.
  kFilling,
  kReady,
  // The warm-up is optional and failed: jobs run without.
  kDegraded,
};

class TypeTable {
 public:
  // Takes the place of all types offered before. What was learnt of those that
  // stay as they were (the same object) is kept.
  void Set(std::vector<OfferedType> types);

  // Whether exactly this definition is offered now; null is, as a command.
  bool Offers(const TaskTypeRulesPtr& rules) const;

  // kNone for a definition that is not offered.
  CacheState cache(const TaskTypeRulesPtr& rules) const;
  // Ignored for a definition that is not offered.
  void SetCache(const TaskTypeRulesPtr& rules, CacheState state,
                std::string degraded = "");

  // A job of the type ran for `time`.
  void Ran(const TaskTypeRulesPtr& rules, absl::Duration time);
  // How many jobs one of its processes may hold: what kWorkAhead takes by the
  // run time measured, as a power of two, so that it seldom changes; at most
  // max_in_flight.
  int Depth(const TaskTypeRulesPtr& rules) const;

  // The definition by name; null if it is not offered.
  TaskTypeRulesPtr Find(const std::string& name) const;
  // Why a type is degraded; empty if it is not.
  std::string degraded(const std::string& name) const;
  std::vector<std::string> names() const;

  // Grows with every change that a status can show.
  int64_t revision() const { return revision_; }
  void Changed() { ++revision_; }

 private:
  struct Record {
    TaskTypeRulesPtr rules;
    CacheState cache = CacheState::kNone;
    std::string degraded;
    // Of the jobs that ended; none yet: absent.
    std::optional<absl::Duration> mean_run_time;
  };
  const Record* Of(const TaskTypeRulesPtr& rules) const;
  Record* Of(const TaskTypeRulesPtr& rules);

  absl::btree_map<std::string, Record> types_;
  int64_t revision_ = 1;
};

}  // namespace vigil::worker

#endif  // VIGIL_WORKER_CORE_TYPE_TABLE_H_
