// A slot's record: the file in which a successor of a killed worker finds which
// processes the slot and its task are. The worker writes the first
// kRecordHeaderBytes when it starts the slot's process:
//
//   vigil-slot 2 BOOT_ID PID_NAMESPACE SLOT_PID SLOT_START_TICKS MACHINE_ID
//
// filled up with spaces, a line feed last; behind them each task process puts
//
//   PID START_TICKS_MIN START_TICKS_MAX
//
// before it runs its program, and the slot an empty line when its tree is
// empty. Between the two instants no other process can have had the pid, so
// whoever has it and started then is the task. What follows that line is of
// earlier tasks: to cut it off would cost more than all the rest. Never synced:
// it must survive SIGKILL, and a power cut leaves nothing to be found.
// Thread-safe; values own themselves.
#ifndef VIGIL_WORKER_SLOT_RECORD_H_
#define VIGIL_WORKER_SLOT_RECORD_H_

#include <sys/types.h>

#include <compare>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace vigil::slot {

// Where a pid means something.
struct HostIdentity {
  // Of this boot of the kernel; empty: unknown.
  std::string boot_id;
  // Inode of the pid namespace; 0: unknown.
  uint64_t pid_namespace = 0;
  // Of the installed system (machine-id(5)); empty: unknown.
  std::string machine_id;
};

// One process for good: its pid may be given to another, its start not.
struct ProcessKey {
  pid_t pid = 0;
  // In clock ticks since boot.
  uint64_t start_ticks = 0;

  friend auto operator<=>(const ProcessKey&, const ProcessKey&) = default;
};

struct Record {
  HostIdentity host;
  ProcessKey slot;
  // The task is one of these: all that could be by its start; empty: no task.
  std::vector<ProcessKey> task;
};

// What the system says of where this process runs; unknown where it does not.
HostIdentity ReadHostIdentity();

// Writes the header of a slot's process into its record and cuts off what is
// behind it. Fails with what errno says.
absl::Status WriteRecordHeader(int fd, const HostIdentity& host,
                               const ProcessKey& slot);

// - DATA_LOSS: this is no record, or it was cut short.
absl::StatusOr<Record> ParseRecord(absl::string_view text);

}  // namespace vigil::slot

#endif  // VIGIL_WORKER_SLOT_RECORD_H_
