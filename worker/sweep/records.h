// Records: the slots' records that earlier lives of a worker left in its
// directory. Thread-compatible; blocks only for the disk. A value; owns nothing
// else.
#ifndef VIGIL_WORKER_SWEEP_RECORDS_H_
#define VIGIL_WORKER_SWEEP_RECORDS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "worker/slot/record.h"
#include "worker/sweep/leftovers.h"

namespace vigil::sweep {

struct Records {
  struct File {
    // In the directory.
    std::string name;
    slot::Record record;
  };
  std::vector<File> files;
  // Names of those that say nothing.
  std::vector<std::string> damaged;
};

// Reads the records in `directory`, which may be missing. Files that are empty
// are of slots that never had a task, and are left out. Fails with what errno
// says.
absl::StatusOr<Records> ReadRecords(const std::string& directory);

// Whether pids of `record` are those of processes here and now.
bool IsHere(const slot::Record& record, const slot::HostIdentity& here);

// Whether all that `record` speaks of ended with an earlier boot of this very
// machine. That of another machine, whose boot is another too, may live.
bool EndedWithItsBoot(const slot::Record& record,
                      const slot::HostIdentity& here);

// The slots and tasks of all records that are here.
Recognised RecordedHere(const Records& records, const slot::HostIdentity& here);

}  // namespace vigil::sweep

#endif  // VIGIL_WORKER_SWEEP_RECORDS_H_
