// Proves the transition table of jobs, each of its entries, against the table
// of the documentation written out as pairs.
#include "coordinator/core/job.h"

#include <set>
#include <utility>

#include "gtest/gtest.h"

namespace vigil::coordinator {
namespace {

using enum JobState;

TEST(JobTest, ExactlyTheDocumentedTransitionsAreLegal) {
  const std::set<std::pair<JobState, JobState>> legal = {
      {kUnspecified, kQueued},  // submitted
      {kQueued, kRunning},      // assigned
      {kQueued, kFailed},       // schedule_to_start, schedule_to_close
      {kQueued, kCancelled},   {kRunning, kQueued},  // never reached its worker
      {kRunning, kBackoff},                          // retried
      {kRunning, kSucceeded},  {kRunning, kFailed},
      {kRunning, kCancelled},  {kBackoff, kQueued},  // its time has come
      {kBackoff, kFailed},                           // schedule_to_close
      {kBackoff, kCancelled},  {kQueued, kSucceeded},  // by its fallback
      {kBackoff, kSucceeded},                          // the same
  };
  for (int from = 0; from < kJobStates; ++from) {
    for (int to = 0; to < kJobStates; ++to) {
      const std::pair change(static_cast<JobState>(from),
                             static_cast<JobState>(to));
      EXPECT_EQ(MayChange(change.first, change.second), legal.contains(change))
          << from << " to " << to;
    }
  }
}

TEST(JobTest, NothingLeavesAFinalState) {
  for (int from = 0; from < kJobStates; ++from) {
    const JobState state = static_cast<JobState>(from);
    EXPECT_EQ(IsFinal(state),
              state == kSucceeded || state == kFailed || state == kCancelled);
    for (int to = 0; to < kJobStates; ++to) {
      if (IsFinal(state)) {
        EXPECT_FALSE(MayChange(state, static_cast<JobState>(to)));
      }
    }
  }
}

}  // namespace
}  // namespace vigil::coordinator
