// ResumeFile: which items of a batch succeeded before, from the lines of JSON
// that `vigil batch -o json` wrote then. Of an item with several lines the last
// one counts, so that a file may be appended to. Thread-compatible; keeps a
// hash of each item, not its text.
#ifndef VIGIL_CLIENT_CLI_RESUME_FILE_H_
#define VIGIL_CLIENT_CLI_RESUME_FILE_H_

#include <cstdint>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/cli/item_splitter.h"

namespace vigil::cli {

class ResumeFile {
 public:
  // Knows nothing: every item is run.
  ResumeFile() = default;

  // Reads `path`. A line that is no result was cut off when a batch died, and
  // is left out: its item runs again. INVALID_ARGUMENT: no line is a result, so
  // this is another file. Else what the system says when it cannot be read.
  static absl::StatusOr<ResumeFile> Read(const std::string& path);

  // Whether the item needs not be run. INVALID_ARGUMENT: the results are of
  // another item, so these are not the items of that batch.
  absl::StatusOr<bool> Succeeded(const Item& item) const;

  // The last line has no end: what is appended is to begin with a newline.
  bool cut_off() const { return cut_off_; }

 private:
  struct Known {
    uint64_t item_hash = 0;
    bool succeeded = false;
  };
  absl::Status AddLine(const std::string& line);

  std::string path_;
  bool cut_off_ = false;
  absl::flat_hash_map<int64_t, Known> items_;
};

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_RESUME_FILE_H_
