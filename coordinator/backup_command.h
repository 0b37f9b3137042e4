// What `coordinator --backup` and `--restore` do in place of serving: they act
// on the files of a data directory, end, and tell a person what they did.
// Stateless functions; each blocks for as long as the store takes to be copied.
#ifndef VIGIL_COORDINATOR_BACKUP_COMMAND_H_
#define VIGIL_COORDINATOR_BACKUP_COMMAND_H_

#include <string>

#include "absl/status/statusor.h"

namespace vigil::coordinator {

// Backs up the store of `data_dir`, also while a coordinator serves from there.
// Returns the line to print. Errors as store::BackupStore.
absl::StatusOr<std::string> RunBackup(const std::string& data_dir,
                                      const std::string& file);

// Puts a backup in the place of the store of `data_dir`. Returns the line to
// print. Errors as store::RestoreStore, and as DirLock::Acquire: a coordinator
// runs there.
absl::StatusOr<std::string> RunRestore(const std::string& data_dir,
                                       const std::string& file);

}  // namespace vigil::coordinator

#endif  // VIGIL_COORDINATOR_BACKUP_COMMAND_H_
