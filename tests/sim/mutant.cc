#include "tests/sim/mutant.h"

namespace vigil::sim {
namespace {

struct Row {
  Mutant mutant;
  absl::string_view name;
};

constexpr Row kRows[] = {
    {Mutant::kNone, "none"},
    {Mutant::kFenceIgnored, "fence_ignored"},
    {Mutant::kLeaseExtendedByStall, "lease_extended_by_stall"},
    {Mutant::kMarginForgotten, "margin_forgotten"},
    {Mutant::kRequeuedBeforeLease, "requeued_before_lease"},
    {Mutant::kStaleEndAccepted, "stale_end_accepted"},
    {Mutant::kOldSessionHeard, "old_session_heard"},
    {Mutant::kKeptUnchecked, "kept_unchecked"},
    {Mutant::kEndForgotten, "end_forgotten"},
    {Mutant::kBackoffLost, "backoff_lost"},
    {Mutant::kAttemptNumberReused, "attempt_number_reused"},
    {Mutant::kSentBeforeCommit, "sent_before_commit"},
    {Mutant::kDeadlineNotRearmed, "deadline_not_rearmed"},
    {Mutant::kSlotFreedEarly, "slot_freed_early"},
    {Mutant::kLeaseFromAnswer, "lease_from_answer"},
    {Mutant::kSessionReused, "session_reused"},
    {Mutant::kLastWordsUnread, "last_words_unread"},
    {Mutant::kChildOverlooked, "child_overlooked"},
    {Mutant::kDeadAtAttach, "dead_at_attach"},
    {Mutant::kItemStartForgotten, "item_start_forgotten"},
    {Mutant::kBatchStopForgotten, "batch_stop_forgotten"},
    {Mutant::kBackoffNotInFlight, "backoff_not_in_flight"},
    {Mutant::kOutcomeAlone, "outcome_alone"},
    {Mutant::kLeftWithWork, "left_with_work"},
};

}  // namespace

absl::string_view MutantName(Mutant mutant) {
  for (const Row& row : kRows) {
    if (row.mutant == mutant) return row.name;
  }
  return "";
}

std::optional<Mutant> MutantByName(absl::string_view name) {
  for (const Row& row : kRows) {
    if (row.name == name) return row.mutant;
  }
  return std::nullopt;
}

}  // namespace vigil::sim
