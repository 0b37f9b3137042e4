// EventFile: a file to which lines are appended, each wholly or not at all, and
// which makes room for a new one when it is full: PATH becomes PATH.1, PATH.1
// becomes PATH.2, and so on. One process writes it at a time; blocks as disks
// do; thread-compatible; owns its descriptor.
#ifndef VIGIL_COORDINATOR_TELEMETRY_EVENT_FILE_H_
#define VIGIL_COORDINATOR_TELEMETRY_EVENT_FILE_H_

#include <cstdint>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "base/unique_fd.h"
#include "coordinator/telemetry/limits.h"

namespace vigil::coordinator {

struct EventFileOptions {
  std::string path;
  int64_t bytes_max = kEventFileBytesMax;
  // How many full ones are kept.
  int kept = kEventFilesKept;
};

class EventFile {
 public:
  explicit EventFile(EventFileOptions options) : options_(std::move(options)) {}

  // Opens the file, or makes it with mode 0600; again, if it is open: what was
  // moved away is let go of. What errno says; FAILED_PRECONDITION: it is no
  // regular file.
  absl::Status Open();

  // Appends a line, which ends in a newline; opens the file first if that
  // failed before. What errno says: nothing of it is in the file.
  absl::Status Append(absl::string_view line);

 private:
  absl::Status Rotate();
  std::string Old(int number) const;
  absl::Status Error(absl::string_view what) const;

  const EventFileOptions options_;
  UniqueFd fd_;
  int64_t size_bytes_ = 0;
};

}  // namespace vigil::coordinator

#endif  // VIGIL_COORDINATOR_TELEMETRY_EVENT_FILE_H_
