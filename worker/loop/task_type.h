// TaskType definitions: the entries of a catalog as the loop uses them, and
// TaskTypes, all of them by name. A definition that an edit of the catalog did
// not touch stays the same object, so that its warm processes are kept. Loop
// thread only. Tasks share the definition that they were started by.
#ifndef VIGIL_WORKER_LOOP_TASK_TYPE_H_
#define VIGIL_WORKER_LOOP_TASK_TYPE_H_

#include <memory>
#include <string>

#include "absl/container/btree_map.h"
#include "vigil/v1/catalog.pb.h"
#include "worker/core/task_type_rules.h"
#include "worker/frames/frame_codec.h"
#include "worker/loop/reason_patterns.h"

namespace vigil::worker {

struct TaskTypeDefinition {
  // `type` was checked with its catalog.
  explicit TaskTypeDefinition(v1::TaskType type);

  const v1::TaskType type;
  const ReasonPatterns reasons;
  const TaskTypeRulesPtr rules;

  bool warm() const { return rules->warm; }
  // What the coordinator needs to resolve a job; how a task is run stays here.
  v1::TaskType Announced() const;
  // Of a warm type.
  FrameFormat format() const;
};

using TaskTypePtr = std::shared_ptr<const TaskTypeDefinition>;

class TaskTypes {
 public:
  // Takes the place of all types before.
  void Set(const v1::Catalog& catalog);

  // Null if there is none of that name.
  TaskTypePtr Find(const std::string& name) const;
  const absl::btree_map<std::string, TaskTypePtr>& all() const {
    return types_;
  }

 private:
  absl::btree_map<std::string, TaskTypePtr> types_;
};

}  // namespace vigil::worker

#endif  // VIGIL_WORKER_LOOP_TASK_TYPE_H_
