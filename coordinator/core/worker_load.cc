#include "coordinator/core/worker_load.h"

#include "base/check.h"

namespace vigil::coordinator {

void WorkerLoad::Add(const std::string& task_type) {
  Type type = Get(task_type);
  ++type.attempts;
  Set(task_type, type);
}

void WorkerLoad::Remove(const std::string& task_type) {
  Type type = Get(task_type);
  VIGIL_CHECK(type.attempts > 0, task_type);
  --type.attempts;
  Set(task_type, type);
}

void WorkerLoad::SetInFlight(const std::string& task_type, int in_flight) {
  VIGIL_CHECK(in_flight >= 1, task_type);
  Type type = Get(task_type);
  type.in_flight = in_flight;
  Set(task_type, type);
}

int WorkerLoad::SlotsWith(const std::string& task_type) const {
  const Type type = Get(task_type);
  return slots_ - type.slots() + type.SlotsFor(type.attempts + 1);
}

int WorkerLoad::SlotsOfTypeWith(const std::string& task_type) const {
  const Type type = Get(task_type);
  return type.SlotsFor(type.attempts + 1);
}

WorkerLoad::Type WorkerLoad::Get(const std::string& task_type) const {
  const auto it = types_.find(task_type);
  return it == types_.end() ? Type() : it->second;
}

void WorkerLoad::Set(const std::string& task_type, const Type& type) {
  const Type old = Get(task_type);
  attempts_ += type.attempts - old.attempts;
  slots_ += type.slots() - old.slots();
  spare_ += type.spare() - old.spare();
  if (type.attempts == 0 && type.in_flight == 1) {
    types_.erase(task_type);
  } else {
    types_[task_type] = type;
  }
}

}  // namespace vigil::coordinator
