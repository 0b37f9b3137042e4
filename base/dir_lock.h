// DirLock: makes one process the only one to use a directory, which it creates
// privately and refuses when others could write to it. Thread-compatible. Owns
// the lock until it goes away; the death of the process, however it comes,
// releases it too.
#ifndef VIGIL_BASE_DIR_LOCK_H_
#define VIGIL_BASE_DIR_LOCK_H_

#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "base/unique_fd.h"

namespace vigil {

class DirLock {
 public:
  // Creates `directory` and its parents where they are missing, mode 0700, and
  // locks the file `lock` in it, writing the process id there for people to
  // read. Does not wait.
  //
  // - FAILED_PRECONDITION: another process holds the lock. The message names
  //   it: use it, end it, or take another directory.
  // - PERMISSION_DENIED: the directory may not be used, belongs to another
  //   user, or can be written by others. Change its owner or mode.
  // - Others: what the system says, such as NOT_FOUND or RESOURCE_EXHAUSTED
  //   (no space).
  static absl::StatusOr<DirLock> Acquire(const std::string& directory);

  DirLock(DirLock&&) noexcept = default;
  DirLock& operator=(DirLock&&) noexcept = default;

  const std::string& directory() const { return directory_; }

 private:
  DirLock(std::string directory, UniqueFd file)
      : directory_(std::move(directory)), file_(std::move(file)) {}

  std::string directory_;
  // The lock lives with this open file. Programs started by this process do
  // not inherit it.
  UniqueFd file_;
};

}  // namespace vigil

#endif  // VIGIL_BASE_DIR_LOCK_H_
