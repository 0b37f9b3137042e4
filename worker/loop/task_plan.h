// PlanTask: from an assignment and the catalog to the exact command line,
// environment and directory of a task. A pure function, thread-safe.
#ifndef VIGIL_WORKER_LOOP_TASK_PLAN_H_
#define VIGIL_WORKER_LOOP_TASK_PLAN_H_

#include <string>

#include "absl/status/statusor.h"
#include "base/policy.h"
#include "vigil/v1/catalog.pb.h"
#include "vigil/v1/dispatch_service.pb.h"
#include "worker/core/effects.h"
#include "worker/slot/task_command.h"

namespace vigil::worker {

struct TaskPlanOptions {
  // Whether JobSpec.command is run.
  bool allow_commands = false;
  std::string worker_id;
  // Where a task runs whose job and type do not say.
  std::string default_directory;
  int slot = 0;
  SpawnPurpose purpose = SpawnPurpose::kRun;
  // The type's cache, or where its warm-up is to make it; empty: none.
  std::string cache_path;
  // The slot's share of them, at least 1: libraries are told to start that many
  // threads.
  int processors = 1;
  // The policy in force for the program's pools.
  OnNestedPool on_nested_pool = OnNestedPool::kFail;
  // Where Vigil's sitecustomize.py lies; empty: nowhere.
  std::string python_dir;
  // Where pools that run in sequence are reported, under SEQUENTIAL alone;
  // empty: nowhere.
  std::string report_path;
};

// `type` is the task type of the job, null if this worker has none of that name
// or the job is a command. The environment is what job or type give; PATH,
// PYTHONUNBUFFERED and the libraries' numbers of threads where they give none;
// what makes Python keep to SEQUENTIAL and dump its stacks, where that is
// asked for; and Vigil's own; nothing of this process. A warm task outlives the
// job: it is told of none. Errors, each naming the field:
// - NOT_FOUND: the task type is not in the catalog.
// - PERMISSION_DENIED: commands are not allowed here.
// - INVALID_ARGUMENT: arguments are not allowed, or nothing is to be run.
absl::StatusOr<slot::TaskCommand> PlanTask(const v1::Assignment& assignment,
                                           const v1::TaskType* type,
                                           const TaskPlanOptions& options);

}  // namespace vigil::worker

#endif  // VIGIL_WORKER_LOOP_TASK_PLAN_H_
