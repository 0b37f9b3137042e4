// BackupStore: a copy of the store in one file, made while a coordinator writes
// the store. A stateless function, thread-safe; it blocks for as long as the
// store takes to be copied and checked. It opens a connection of its own and
// takes no lock but that of any reader.
#ifndef VIGIL_COORDINATOR_STORE_STORE_BACKUP_H_
#define VIGIL_COORDINATOR_STORE_STORE_BACKUP_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"

namespace vigil::store {

// What a backup or a restored store holds.
struct CopyReport {
  int64_t jobs = 0;
  int64_t bytes = 0;
};

// Copies the store in `path` to `target`, mode 0600, which has everything that
// was acknowledged before this was called and is one whole state of the store.
// It is written as `target`.new, checked, made durable and then renamed. Any
// error leaves nothing behind; a kill may leave `target`.new, which the next
// one overwrites.
//
// The log of the store cannot start again while pages are copied, so it grows
// by what is committed meanwhile; checks come after that.
//
// - ALREADY_EXISTS: there is a `target`: give another name, or move it away.
// - FAILED_PRECONDITION: another backup to `target` is under way; or as
//   OpenStoreFile.
// - NOT_FOUND: there is no store in `path`.
// - UNAVAILABLE: the disk of `target` is full: free space on it.
// - DATA_LOSS: the store is damaged: the copy would be, too.
// - PERMISSION_DENIED, INTERNAL and others: what the system says.
absl::StatusOr<CopyReport> BackupStore(const std::string& path,
                                       const std::string& target);

}  // namespace vigil::store

#endif  // VIGIL_COORDINATOR_STORE_STORE_BACKUP_H_
