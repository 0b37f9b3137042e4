// RestoreStore: puts a backup in the place of the store. A stateless function;
// the caller holds the lock on the store's directory. Blocks for as long as the
// backup takes to be checked and copied.
#ifndef VIGIL_COORDINATOR_STORE_STORE_RESTORE_H_
#define VIGIL_COORDINATOR_STORE_STORE_RESTORE_H_

#include <string>

#include "absl/status/statusor.h"
#include "coordinator/store/store_backup.h"

namespace vigil::store {

// The fact about the coordinator that a restored store holds, with the value
// "1": what ran since the backup is not known to it.
inline constexpr char kRestoredKey[] = "restored";

struct RestoreReport {
  CopyReport restored;
  // Where the database is that was there, its log beside it; empty: none was.
  std::string aside;
};

// Replaces the store in `path` by a copy of `backup`, marked with kRestoredKey.
// The backup is checked in full before anything is touched, and the copy is
// whole and durable before the old database is moved aside; a crash in the
// middle leaves one of both to the next OpenStoreFile. Ends an earlier restore
// that was cut short first.
//
// - NOT_FOUND: there is no `backup`.
// - INVALID_ARGUMENT: `backup` is no backup but a store itself.
// - ALREADY_EXISTS: an earlier restore left its old database: move it away.
// - DATA_LOSS, FAILED_PRECONDITION: the backup is damaged, no store, or of a
//   newer release: take another one.
// - UNAVAILABLE, RESOURCE_EXHAUSTED: the disk is full: free space on it.
// - PERMISSION_DENIED, INTERNAL and others: what the system says.
absl::StatusOr<RestoreReport> RestoreStore(const std::string& backup,
                                           const std::string& path);

}  // namespace vigil::store

#endif  // VIGIL_COORDINATOR_STORE_STORE_RESTORE_H_
