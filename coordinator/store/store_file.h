// The database file of the store: made whole or not at all, and refused with
// advice when it is damaged, foreign or newer. Stateless functions; the caller
// owns the connection returned. Thread-safe for different files; of the writers
// of one file only one may exist, which the lock on its directory ensures.
#ifndef VIGIL_COORDINATOR_STORE_STORE_FILE_H_
#define VIGIL_COORDINATOR_STORE_STORE_FILE_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "coordinator/store/sqlite_db.h"

namespace vigil::store {

// Written to the file as SQLite's application_id: "Vgil".
inline constexpr int64_t kApplicationId = 0x5667696c;

// The layout of the tables, kept as SQLite's user_version. A release reads the
// layouts up to its own.
inline constexpr int64_t kSchemaVersion = 2;

// Opens the store's file for writing; ends a restore that was cut short; makes
// it, mode 0600, if there is none: it is filled under another name and then
// renamed, so an empty or half-made file is never taken for a store. Recovers
// what an earlier process left in the write-ahead log. Whole-file checks are
// left out, since they read all of it: damage deeper inside shows as DATA_LOSS
// where it is read.
//
// - DATA_LOSS: the file is damaged, cut short, or no database; or its log is
//   there without it.
// - FAILED_PRECONDITION: a newer release, or another program, made the file; or
//   its file system cannot do write-ahead logging.
// - ALREADY_EXISTS: as FinishPendingRestore.
// - PERMISSION_DENIED, UNAVAILABLE, INTERNAL: as SqliteDb::Error.
absl::StatusOr<std::unique_ptr<SqliteDb>> OpenStoreFile(
    const std::string& path);

// Opens the store's file for reading, while a writer may have it open. Errors
// as OpenStoreFile, and NOT_FOUND when there is no file.
absl::StatusOr<std::unique_ptr<SqliteDb>> OpenStoreFileForReading(
    const std::string& path);

// Reads all of a store's file that nobody writes, such as a backup, and checks
// that it is one and that everything in it agrees; blocks for as long. Returns
// how many jobs it has. Errors as OpenStoreFileForReading.
absl::StatusOr<int64_t> CheckStoreFile(const std::string& path);

}  // namespace vigil::store

#endif  // VIGIL_COORDINATOR_STORE_STORE_FILE_H_
