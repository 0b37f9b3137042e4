// WorkerLoad: how many slots the attempts of a worker need. Those of one task
// type share slots, up to the number that one process of it may be handed ahead
// (in_flight); commands are the type "" and share none. Thread-compatible; owns
// its counts, which every change keeps up to date.
#ifndef VIGIL_COORDINATOR_CORE_WORKER_LOAD_H_
#define VIGIL_COORDINATOR_CORE_WORKER_LOAD_H_

#include <string>

#include "absl/container/flat_hash_map.h"

namespace vigil::coordinator {

class WorkerLoad {
 public:
  void Add(const std::string& task_type);
  // Precondition: one was added.
  void Remove(const std::string& task_type);
  // How many attempts of the type one slot may hold, at least 1; 1 until set.
  void SetInFlight(const std::string& task_type, int in_flight);

  int attempts() const { return attempts_; }
  // Slots needed by all attempts.
  int slots() const { return slots_; }
  // Attempts that fit beside them without another slot, over all types.
  int spare() const { return spare_; }
  // Slots needed by all attempts, or by those of the type, and one more of the
  // type.
  int SlotsWith(const std::string& task_type) const;
  int SlotsOfTypeWith(const std::string& task_type) const;

  friend bool operator==(const WorkerLoad&, const WorkerLoad&) = default;

 private:
  struct Type {
    int attempts = 0;
    int in_flight = 1;

    int SlotsFor(int count) const {
      return (count + in_flight - 1) / in_flight;
    }
    int slots() const { return SlotsFor(attempts); }
    int spare() const { return slots() * in_flight - attempts; }

    friend bool operator==(const Type&, const Type&) = default;
  };

  Type Get(const std::string& task_type) const;
  void Set(const std::string& task_type, const Type& type);

  // Holds no type that is as if it were not here.
  absl::flat_hash_map<std::string, Type> types_;
  int attempts_ = 0;
  int slots_ = 0;
  int spare_ = 0;
};

}  // namespace vigil::coordinator

#endif  // VIGIL_COORDINATOR_CORE_WORKER_LOAD_H_
