// Proves that ids compare and hash by value, that ids of different things do
// not mix, and that attempts sort by job, then number.
#include "base/ids.h"

#include <string>
#include <type_traits>

#include "absl/hash/hash.h"
#include "gtest/gtest.h"

namespace vigil {
namespace {

static_assert(!std::is_convertible_v<WorkerId, JobId>);
static_assert(!std::is_convertible_v<std::string, JobId>);

TEST(IdsTest, CompareAndHashByValue) {
  EXPECT_EQ(JobId("a"), JobId("a"));
  EXPECT_NE(JobId("a"), JobId("b"));
  EXPECT_LT(JobId("a"), JobId("b"));
  EXPECT_TRUE(JobId().empty());
  const absl::Hash<AttemptId> hash;
  EXPECT_EQ(hash({JobId("a"), 1}), hash({JobId("a"), 1}));
  EXPECT_NE(hash({JobId("a"), 1}), hash({JobId("a"), 2}));
}

TEST(IdsTest, AttemptsSortByJobThenNumber) {
  EXPECT_LT((AttemptId{JobId("a"), 9}), (AttemptId{JobId("b"), 1}));
  EXPECT_LT((AttemptId{JobId("a"), 9}), (AttemptId{JobId("a"), 10}));
}

}  // namespace
}  // namespace vigil
