// Task: what the loop knows of one attempt beside what the core decides: its
// assignment, and what it handed in. Loop thread only. Owns both.
#ifndef VIGIL_WORKER_LOOP_TASK_H_
#define VIGIL_WORKER_LOOP_TASK_H_

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/ids.h"
#include "base/policy.h"
#include "base/reason.h"
#include "vigil/v1/dispatch_service.pb.h"
#include "worker/loop/line_patterns.h"
#include "worker/loop/task_type.h"

namespace vigil::worker {

class Task {
 public:
  // `type` is the task type, null for commands and unknown types. A pattern
  // that does not compile is told by `refusal`.
  Task(v1::Assignment assignment, TaskTypePtr type);

  const AttemptId& id() const { return id_; }
  const v1::Assignment& assignment() const { return assignment_; }
  const TaskTypePtr& type() const { return type_; }
  bool warm() const { return type_ != nullptr && type_->warm(); }
  const LinePatterns& patterns() const { return patterns_; }
  // How it is judged and what it may have; in an attempt that only observes
  // nothing is refused.
  const Supervision& supervision() const { return supervision_; }
  // What a program's exit status means: the type's meanings, then the job's.
  std::map<int, Reason> ExitReasons() const;
  // What `text`, of an error or of stderr, says to the type's patterns.
  std::optional<Reason> ReasonIn(absl::string_view text) const;

  // Why it is not started, where the reason is not SPAWN_FAILED.
  const std::optional<Failure>& refusal() const { return refusal_; }
  void Refuse(Failure failure) { refusal_ = std::move(failure); }

  // It has begun: its input is not needed any more.
  void DropInput();

  // The ready pattern was found.
  bool ready = false;
  // Where it runs; -1 before.
  int slot = -1;
  // Its result, also a partial one; null: none.
  std::shared_ptr<const std::string> result;

 private:
  const AttemptId id_;
  v1::Assignment assignment_;
  const TaskTypePtr type_;
  const Supervision supervision_;
  LinePatterns patterns_;
  std::optional<Failure> refusal_;
};

}  // namespace vigil::worker

#endif  // VIGIL_WORKER_LOOP_TASK_H_
