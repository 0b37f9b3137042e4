// Proves that the cache keeps to its size, also when values take the place of
// others, and that what is replaced often is not lost for it.
#include "coordinator/engine/payload_cache.h"

#include <memory>
#include <string>

#include "gtest/gtest.h"

namespace vigil::coordinator {
namespace {

std::shared_ptr<const std::string> Value(size_t size) {
  return std::make_shared<const std::string>(size, 'x');
}

TEST(PayloadCacheTest, LosesTheOldestAboveItsSize) {
  PayloadCache cache(10);
  cache.Add(JobId("a"), Value(5));
  cache.Add(JobId("b"), Value(5));
  EXPECT_NE(cache.Find(JobId("a")), nullptr);
  cache.Add(JobId("c"), Value(1));
  EXPECT_EQ(cache.Find(JobId("a")), nullptr);
  EXPECT_NE(cache.Find(JobId("b")), nullptr);
  EXPECT_NE(cache.Find(JobId("c")), nullptr);
}

TEST(PayloadCacheTest, AValueThatIsReplacedIsCountedOnce) {
  PayloadCache cache(10);
  cache.Add(JobId("a"), Value(1));
  for (int i = 0; i < 1000; ++i) cache.Add(JobId("b"), Value(9));
  EXPECT_NE(cache.Find(JobId("a")), nullptr);
  cache.Add(JobId("b"), Value(3));
  EXPECT_EQ(cache.Find(JobId("b"))->size(), 3u);
  cache.Drop(JobId("b"));
  cache.Add(JobId("c"), Value(9));
  EXPECT_NE(cache.Find(JobId("a")), nullptr);
}

}  // namespace
}  // namespace vigil::coordinator
