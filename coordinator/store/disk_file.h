// What the store does with files by itself, where SQLite has no hand in it:
// sizes, removals, renames that replace nothing, and names made durable.
// Stateless functions, thread-safe; each blocks on the disk. Statuses name the
// file, and carry the code that the system's error has.
#ifndef VIGIL_COORDINATOR_STORE_DISK_FILE_H_
#define VIGIL_COORDINATOR_STORE_DISK_FILE_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace vigil::store {

// What may lie beside a database file, by what is appended to its name; the
// database itself comes last.
inline constexpr const char* kDatabaseSuffixes[] = {"-wal", "-shm", "-journal",
                                                    ""};

// The status for the call that has just failed and left errno.
absl::Status SystemError(const std::string& path, absl::string_view what);

// The size of a file in bytes, or nothing when there is none.
absl::StatusOr<std::optional<int64_t>> FileSize(const std::string& path);

// Removes a file if there is one.
absl::Status RemoveFile(const std::string& path);

// Removes a database and what lies beside it.
absl::Status RemoveDatabase(const std::string& path);

// Gives a file a name that none has. ALREADY_EXISTS: one has.
absl::Status RenameToNew(const std::string& from, const std::string& to);

// Makes the content of a file durable. Not for one that SQLite has open in this
// process: its locks would be lost.
absl::Status SyncFile(const std::string& path);

// Makes what was created, renamed and removed beside `path` durable.
absl::Status SyncDirectoryOf(const std::string& path);

}  // namespace vigil::store

#endif  // VIGIL_COORDINATOR_STORE_DISK_FILE_H_
