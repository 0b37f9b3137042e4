// Proves that ids sort in the order in which they were made, also when the
// clock stands still or goes back.
#include "coordinator/engine/job_id_generator.h"

#include <set>

#include "gtest/gtest.h"

namespace vigil::coordinator {
namespace {

TEST(JobIdGeneratorTest, IdsGrowWhateverTheClockDoes) {
  JobIdGenerator ids(1);
  const absl::Time start = absl::FromUnixSeconds(1'700'000'000);
  JobId last = ids.Next(start);
  EXPECT_EQ(last.value().size(), 15u);
  for (int i = 0; i < 10000; ++i) {
    // Mostly the same millisecond, sometimes later, sometimes earlier.
    const JobId id = ids.Next(start + absl::Milliseconds((i % 7) - 3));
    ASSERT_LT(last, id);
    last = id;
  }
}

TEST(JobIdGeneratorTest, TwoGeneratorsDiffer) {
  JobIdGenerator a(1);
  JobIdGenerator b(2);
  const absl::Time now = absl::FromUnixSeconds(1'700'000'000);
  EXPECT_NE(a.Next(now), b.Next(now));
}

}  // namespace
}  // namespace vigil::coordinator
