// Proves that refusals are counted by limit and namespace, with the time of the
// last one, and that however many namespaces there are, they take bounded room.
#include "coordinator/engine/refusals.h"

#include "absl/strings/str_cat.h"
#include "coordinator/engine/limits.h"
#include "gtest/gtest.h"

namespace vigil::coordinator {
namespace {

const absl::Time kNow = absl::UnixEpoch() + absl::Hours(1);

TEST(RefusalsTest, CountsByLimitAndNamespace) {
  Refusals refusals;
  refusals.Count(Limit::kLiveJobs, "a", kNow);
  refusals.Count(Limit::kLiveJobs, "a", kNow + absl::Seconds(1));
  refusals.Count(Limit::kLiveJobs, "b", kNow);
  refusals.Count(Limit::kWatchers, "a", kNow);
  EXPECT_EQ(refusals.total(), 4);
  ASSERT_EQ(refusals.entries().size(), 3u);
  const Refusals::Entry& twice = refusals.entries().at({Limit::kLiveJobs, "a"});
  EXPECT_EQ(twice.calls, 2);
  EXPECT_EQ(twice.last_time, kNow + absl::Seconds(1));
}

TEST(RefusalsTest, NamespacesBeyondTheMostAreCountedTogether) {
  Refusals refusals;
  for (int i = 0; i < kRefusedNamespacesMax + 10; ++i) {
    refusals.Count(Limit::kLiveJobs, absl::StrCat("n", i), kNow);
  }
  refusals.Count(Limit::kLiveJobs, "n0", kNow);
  // Another limit has room of its own.
  refusals.Count(Limit::kDisk, "another", kNow);
  const Refusals::Entries& entries = refusals.entries();
  EXPECT_EQ(entries.size(), size_t{kRefusedNamespacesMax} + 2);
  EXPECT_EQ(entries.at({Limit::kLiveJobs, Refusals::kOthers}).calls, 10);
  EXPECT_EQ(entries.at({Limit::kLiveJobs, "n0"}).calls, 2);
  EXPECT_EQ(entries.at({Limit::kDisk, "another"}).calls, 1);
  EXPECT_EQ(refusals.total(), kRefusedNamespacesMax + 12);
}

}  // namespace
}  // namespace vigil::coordinator
