#include "worker/loop/line_patterns.h"

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace vigil::worker {
namespace {

constexpr char kDefaultProgress[] = R"((\d+)\s*(?:/|of)\s*(\d+))";

re2::StringPiece Piece(absl::string_view text) {
  return re2::StringPiece(text.data(), text.size());
}

absl::StatusOr<std::unique_ptr<re2::RE2>> CompileOne(
    absl::string_view field, const std::string& pattern) {
  auto compiled = std::make_unique<re2::RE2>(pattern, re2::RE2::Quiet);
  if (compiled->ok()) return compiled;
  return absl::InvalidArgumentError(absl::StrCat(
      "activity.", field, " is not an RE2 pattern: ", compiled->error()));
}

}  // namespace

absl::StatusOr<LinePatterns> LinePatterns::Compile(const v1::JobSpec& spec) {
  LinePatterns patterns;
  const v1::ActivityPolicy& activity = spec.activity();
  if (!activity.ready_pattern().empty()) {
    auto ready = CompileOne("ready_pattern", activity.ready_pattern());
    if (!ready.ok()) return ready.status();
    patterns.ready_ = *std::move(ready);
  }
  std::string progress = activity.progress_pattern();
  if (progress.empty() &&
      (spec.timeouts().has_progress_timeout() || spec.has_chunk_policy())) {
    progress = kDefaultProgress;
  }
  if (progress.empty()) return patterns;
  auto compiled = CompileOne("progress_pattern", progress);
  if (!compiled.ok()) return compiled.status();
  const int groups = (*compiled)->NumberOfCapturingGroups();
  if (groups < 1 || groups > 2) {
    return absl::InvalidArgumentError(
        "activity.progress_pattern must have one or two groups");
  }
  patterns.progress_ = *std::move(compiled);
  return patterns;
}

bool LinePatterns::IsReady(absl::string_view line) const {
  return ready_ != nullptr && re2::RE2::PartialMatch(Piece(line), *ready_);
}

std::optional<Progress> LinePatterns::ProgressIn(absl::string_view line) const {
  if (progress_ == nullptr) return std::nullopt;
  Progress progress;
  const bool found =
      progress_->NumberOfCapturingGroups() == 2
          ? re2::RE2::PartialMatch(Piece(line), *progress_, &progress.done,
                                   &progress.total)
          : re2::RE2::PartialMatch(Piece(line), *progress_, &progress.done);
  if (!found || progress.done < 0) return std::nullopt;
  progress.message = std::string(line);
  return progress;
}

}  // namespace vigil::worker
