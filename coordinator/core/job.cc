#include "coordinator/core/job.h"

namespace vigil::coordinator {
namespace {

constexpr bool Y = true;
constexpr bool n = false;

// Rows: from. Columns: to, in the order of the enum. README shows the events
// behind each entry. What has no attempt SUCCEEDS by its fallback only.
constexpr bool kMayChange[kJobStates][kJobStates] = {
    // -  QUE RUN BAC SUC FAI CAN
    {n, Y, n, n, n, n, n},  // (new)
    {n, n, Y, n, Y, Y, Y},  // QUEUED
    {n, Y, n, Y, Y, Y, Y},  // RUNNING
    {n, Y, n, n, Y, Y, Y},  // BACKOFF
    {n, n, n, n, n, n, n},  // SUCCEEDED
    {n, n, n, n, n, n, n},  // FAILED
    {n, n, n, n, n, n, n},  // CANCELLED
};

}  // namespace

bool IsFinal(JobState state) {
  return state == JobState::kSucceeded || state == JobState::kFailed ||
         state == JobState::kCancelled;
}

bool MayChange(JobState from, JobState to) {
  return kMayChange[static_cast<int>(from)][static_cast<int>(to)];
}

}  // namespace vigil::coordinator
