#include "worker/loop/reason_patterns.h"

#include "absl/strings/match.h"

namespace vigil::worker {
namespace {

// What Python, the C library and the kernel say when something ran out.
constexpr absl::string_view kExhausted[] = {
    "can't start new thread",
    "Cannot allocate memory",
    "Too many open files",
    "Resource temporarily unavailable",
};

re2::StringPiece Piece(absl::string_view text) {
  return re2::StringPiece(text.data(), text.size());
}

}  // namespace

ReasonPatterns::ReasonPatterns(const v1::TaskType& type) {
  for (const v1::ReasonPattern& pattern : type.reason_patterns()) {
    patterns_.emplace_back(
        std::make_unique<re2::RE2>(pattern.pattern(), re2::RE2::Quiet),
        static_cast<Reason>(pattern.reason()));
  }
}

std::optional<Reason> ReasonPatterns::Find(absl::string_view text) const {
  for (const auto& [pattern, reason] : patterns_) {
    if (re2::RE2::PartialMatch(Piece(text), *pattern)) return reason;
  }
  for (absl::string_view words : kExhausted) {
    if (absl::StrContains(text, words)) return Reason::kResourceExhausted;
  }
  return std::nullopt;
}

}  // namespace vigil::worker
