// SqliteDb: one connection to an SQLite database file, and the translation of
// SQLite's errors into statuses that say what to do. Thread-compatible. Owns
// the connection; statements prepared on it must be gone before it goes.
#ifndef VIGIL_COORDINATOR_STORE_SQLITE_DB_H_
#define VIGIL_COORDINATOR_STORE_SQLITE_DB_H_

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace vigil::store {

class SqliteDb {
 public:
  // kFrozen reads a file that nobody writes, and makes none beside it; a log
  // that lies there is ignored.
  enum class Access { kRead, kWrite, kFrozen };

  // Opens an existing file; creates none. SQLite reads the file only when it is
  // first used, so damage shows later.
  //
  // - PERMISSION_DENIED: the file cannot be opened, or not for writing though
  //   kWrite was asked for. Change its mode or owner.
  static absl::StatusOr<std::unique_ptr<SqliteDb>> Open(const std::string& path,
                                                        Access access);

  SqliteDb(const SqliteDb&) = delete;
  SqliteDb& operator=(const SqliteDb&) = delete;
  ~SqliteDb();

  // Executes statements of which no rows are wanted. Errors as Error.
  absl::Status Execute(const std::string& sql);

  // Returns the first column of the only row of a query. Errors as Error;
  // INTERNAL when there is no row.
  absl::StatusOr<std::string> QueryText(const std::string& sql);
  absl::StatusOr<int64_t> QueryInt(const std::string& sql);

  // Sets how long an operation waits for another connection's lock; at first
  // kBusyTimeout.
  void SetBusyTimeout(absl::Duration timeout);

  // Builds the status for the failed call that returned `code` and left errno
  // as it is, which was set to 0 before. `what` says what was attempted. The
  // message names the file and what to do.
  //
  // - UNAVAILABLE: the disk is full, or another program holds the database.
  //   Nothing was changed; try again later.
  // - DATA_LOSS: the file is damaged.
  // - PERMISSION_DENIED: the file, or one beside it, may not be used.
  // - RESOURCE_EXHAUSTED: no memory.
  // - INTERNAL: the system failed to read or write (what is on the disk is now
  //   unknown), or a statement broke a constraint. End the process.
  absl::Status Error(int code, absl::string_view what) const;

  sqlite3* handle() const { return handle_; }
  const std::string& path() const { return path_; }

 private:
  SqliteDb(std::string path, sqlite3* handle)
      : path_(std::move(path)), handle_(handle) {}

  const std::string path_;
  sqlite3* const handle_;
};

}  // namespace vigil::store

#endif  // VIGIL_COORDINATOR_STORE_SQLITE_DB_H_
