// The end of a restore (store_restore.h), which goes on after a crash: once the
// restored database lies beside the old one, complete and durable, under a name
// that says so, whoever comes next puts it in the old one's place. Stateless
// functions; the caller holds the lock on the directory.
#ifndef VIGIL_COORDINATOR_STORE_PENDING_RESTORE_H_
#define VIGIL_COORDINATOR_STORE_PENDING_RESTORE_H_

#include <string>

#include "absl/status/status.h"

namespace vigil::store {

// Where the restored database lies, whole, until it is in the place of `path`.
std::string PendingRestorePath(const std::string& path);

// Where the database goes that was in that place.
std::string AsidePath(const std::string& path);

// Moves the old database and its log aside and the restored one, if there is
// one, to `path`. May be cut short anywhere and called again. ALREADY_EXISTS:
// something has the name that the old database is to get. Others: what the
// system says.
absl::Status FinishPendingRestore(const std::string& path);

}  // namespace vigil::store

#endif  // VIGIL_COORDINATOR_STORE_PENDING_RESTORE_H_
