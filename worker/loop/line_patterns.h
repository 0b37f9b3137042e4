// LinePatterns: what a job looks for in the lines of its output: readiness and
// progress. Thread-compatible. Owns the compiled patterns.
#ifndef VIGIL_WORKER_LOOP_LINE_PATTERNS_H_
#define VIGIL_WORKER_LOOP_LINE_PATTERNS_H_

#include <memory>
#include <optional>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/attempt.h"
#include "re2/re2.h"
#include "vigil/v1/job.pb.h"

namespace vigil::worker {

class LinePatterns {
 public:
  // Compiles the patterns of a resolved spec; with a progress_timeout or a
  // chunk_policy and no progress_pattern, the default one. INVALID_ARGUMENT
  // names the field that does not compile.
  static absl::StatusOr<LinePatterns> Compile(const v1::JobSpec& spec);

  // Looks for nothing.
  LinePatterns() = default;

  // Whether lines need to be cut at all.
  bool any() const { return ready_ != nullptr || progress_ != nullptr; }
  bool IsReady(absl::string_view line) const;
  // The progress that `line` states; nullopt if none, or if a number does not
  // fit.
  std::optional<Progress> ProgressIn(absl::string_view line) const;

 private:
  std::unique_ptr<re2::RE2> ready_;
  std::unique_ptr<re2::RE2> progress_;
};

}  // namespace vigil::worker

#endif  // VIGIL_WORKER_LOOP_LINE_PATTERNS_H_
