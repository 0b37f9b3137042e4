#include "worker/loop/task.h"

#include <utility>

#include "base/wire/attempt_wire.h"
#include "base/wire/policy_wire.h"
#include "worker/loop/reason_patterns.h"

namespace vigil::worker {
namespace {

Supervision SupervisionFor(const v1::Assignment& assignment) {
  Supervision supervision = SupervisionOf(assignment.spec());
  if (assignment.sequential()) {
    supervision.nesting.action = OnNestedPool::kSequential;
  }
  if (supervision.observe) supervision.nesting.action = OnNestedPool::kAudit;
  return supervision;
}

}  // namespace

Task::Task(v1::Assignment assignment, TaskTypePtr type)
    : id_(FromProto(assignment.attempt())),
      assignment_(std::move(assignment)),
      type_(std::move(type)),
      supervision_(SupervisionFor(assignment_)) {
  if (warm()) return;  // it speaks in frames
  absl::StatusOr<LinePatterns> patterns =
      LinePatterns::Compile(assignment_.spec());
  if (patterns.ok()) {
    patterns_ = *std::move(patterns);
  } else {
    refusal_ = Failure{Reason::kInvalidInput,
                       std::string(patterns.status().message()), ""};
  }
}

std::map<int, Reason> Task::ExitReasons() const {
  std::map<int, Reason> reasons;
  if (type_ != nullptr) {
    for (const auto& [status, reason] : type_->type.exit_reasons()) {
      reasons[status] = static_cast<Reason>(reason);
    }
  }
  for (const auto& [status, reason] : assignment_.spec().exit_reasons()) {
    reasons[status] = static_cast<Reason>(reason);
  }
  return reasons;
}

std::optional<Reason> Task::ReasonIn(absl::string_view text) const {
  return type_ == nullptr ? ReasonPatterns().Find(text)
                          : type_->reasons.Find(text);
}

void Task::DropInput() {
  assignment_.mutable_spec()->clear_input();
  assignment_.clear_checkpoint();
}

}  // namespace vigil::worker
