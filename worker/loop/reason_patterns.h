// ReasonPatterns: what the text of an error says about its reason: a task
// type's own patterns in order, then the built-in ones. Thread-compatible. Owns
// the compiled patterns.
#ifndef VIGIL_WORKER_LOOP_REASON_PATTERNS_H_
#define VIGIL_WORKER_LOOP_REASON_PATTERNS_H_

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "base/reason.h"
#include "re2/re2.h"
#include "vigil/v1/catalog.pb.h"

namespace vigil::worker {

class ReasonPatterns {
 public:
  // The built-in ones alone.
  ReasonPatterns() = default;
  // Those of `type` first; they were checked with the catalog.
  explicit ReasonPatterns(const v1::TaskType& type);

  // The reason of the first pattern found in `text`.
  std::optional<Reason> Find(absl::string_view text) const;

 private:
  std::vector<std::pair<std::unique_ptr<re2::RE2>, Reason>> patterns_;
};

}  // namespace vigil::worker

#endif  // VIGIL_WORKER_LOOP_REASON_PATTERNS_H_
