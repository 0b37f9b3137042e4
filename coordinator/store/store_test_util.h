// What the tests of the store share: a directory that goes away, rows, and a
// second look at the file. Thread-compatible. A TempStore owns its directory.
#ifndef VIGIL_COORDINATOR_STORE_STORE_TEST_UTIL_H_
#define VIGIL_COORDINATOR_STORE_STORE_TEST_UTIL_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "coordinator/store/rows.h"
#include "coordinator/store/store.h"

namespace vigil::store {

class TempStore {
 public:
  TempStore();
  ~TempStore();

  const std::string& directory() const { return directory_; }
  std::string path() const { return directory_ + "/vigil.db"; }
  std::string wal_path() const { return path() + "-wal"; }

  // Opens the store there; a failure ends the test.
  std::unique_ptr<Store> Open(const Store::Options& options = {}) const;

  // Executes SQL on the file by a connection of its own, as a stranger would.
  void ExecuteForeign(const std::string& sql) const;

 private:
  std::string directory_;
};

// A time that is the same in every run, `seconds` later.
absl::Time TestTime(int seconds);

JobRow LiveJob(const std::string& job_id);
JobRow EndedJob(const std::string& job_id, absl::Time end_time);
Batch JobBatch(std::vector<JobRow> jobs);

// The ids of the live jobs; a failure ends the test.
std::vector<std::string> LiveJobIds(StoreView& view);

// Makes a database as the first layout left it; see testdata/schema1.sql. A
// failure ends the test.
void WriteStoreOfSchema1(const std::string& path);

// Every row of every table of the store in `path`, a line each, in an order
// that depends on the rows only; long values by their size and hash. DATA_LOSS:
// it cannot be read.
absl::StatusOr<std::string> DumpTables(const std::string& path);

}  // namespace vigil::store

#endif  // VIGIL_COORDINATOR_STORE_STORE_TEST_UTIL_H_
