// Reading and writing whole files and descriptors. Thread-safe functions, but
// for those that a signal ends, which are for the main thread; no descriptor is
// taken over.
#ifndef VIGIL_CLIENT_CLI_FILES_H_
#define VIGIL_CLIENT_CLI_FILES_H_

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/unique_fd.h"

namespace vigil::cli {

// Writes all of `data` to `fd`, waiting where it takes no more for now.
//
// - ABORTED: nobody reads any more (EPIPE).
// - Others: what the system says, such as RESOURCE_EXHAUSTED (disk full).
absl::Status WriteAll(int fd, absl::string_view data);

// The same, ended by a signal where nothing more is taken. Main thread only.
//
// - As WriteAll.
// - CANCELLED: an end signal is pending (see end_signals.h).
absl::Status WriteUnlessSignalled(int fd, absl::string_view data);

// Opens the file at `path` to be read; of "-", which is stdin, none. A FIFO is
// not waited for: that is for who reads it.
//
// - What the system says, such as NOT_FOUND.
absl::StatusOr<UniqueFd> OpenToRead(const std::string& path);

// Reads the file at `path`, or stdin for "-", to its end. Main thread only.
//
// - CANCELLED: there was nothing to read yet, and an end signal is pending (see
//   end_signals.h).
// - INVALID_ARGUMENT: it has more than `bytes_max` bytes.
// - Others: what the system says, such as NOT_FOUND.
absl::StatusOr<std::string> ReadAtMost(const std::string& path,
                                       size_t bytes_max);

// Makes the file at `path` hold `data`, mode 0644.
absl::Status WriteFile(const std::string& path, absl::string_view data);

// The last `bytes_max` bytes of a file; empty when it cannot be read.
std::string ReadTail(const std::string& path, size_t bytes_max);

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_FILES_H_
