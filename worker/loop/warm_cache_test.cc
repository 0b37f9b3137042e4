// Proves that a cache directory is only ever seen complete: filled beside its
// place, moved there whole, rebuilt when its definition changed, and that what
// interrupted warm-ups left is swept. Works on a directory of its own.
#include "worker/loop/warm_cache.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vigil::worker {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class WarmCacheTest : public testing::Test {
 protected:
  WarmCacheTest()
      : root_(testing::TempDir() + "/cache-" +
              testing::UnitTest::GetInstance()->current_test_info()->name()),
        cache_(root_) {
    std::filesystem::remove_all(root_);
    type_.set_name("t");
    type_.add_argv("/bin/t");
    type_.mutable_warm_up();
  }

  // A warm-up that wrote one file and ended well.
  void Fill() {
    const absl::StatusOr<std::string> data = cache_.Begin("t");
    ASSERT_TRUE(data.ok()) << data.status();
    std::ofstream(*data + "/words") << "complete";
    ASSERT_TRUE(cache_.Publish(type_, *data).ok());
  }
  std::set<std::string> Entries() const {
    std::set<std::string> names;
    if (!std::filesystem::exists(root_)) return names;
    for (const auto& entry : std::filesystem::directory_iterator(root_)) {
      names.insert(entry.path().filename());
    }
    return names;
  }

  const std::string root_;
  WarmCache cache_;
  v1::TaskType type_;
};

TEST_F(WarmCacheTest, A4ShowsNothingBeforeItIsComplete) {
  EXPECT_FALSE(cache_.IsReady(type_));
  const absl::StatusOr<std::string> data = cache_.Begin("t");
  ASSERT_TRUE(data.ok()) << data.status();
  std::ofstream(*data + "/words") << "half";
  EXPECT_FALSE(cache_.IsReady(type_));
  EXPECT_FALSE(std::filesystem::exists(cache_.DataPath("t")));
  ASSERT_TRUE(cache_.Publish(type_, *data).ok());
  EXPECT_TRUE(cache_.IsReady(type_));
  EXPECT_TRUE(std::filesystem::exists(cache_.DataPath("t") + "/words"));
  EXPECT_FALSE(std::filesystem::exists(*data));
}

TEST_F(WarmCacheTest, A4IsReadyForAWorkerThatStartsLater) {
  Fill();
  EXPECT_TRUE(WarmCache(root_).IsReady(type_));
}

TEST_F(WarmCacheTest, A4SweepsWhatAnInterruptedWarmUpLeftAndKeepsTheRest) {
  Fill();
  const absl::StatusOr<std::string> data = cache_.Begin("t");
  ASSERT_TRUE(data.ok()) << data.status();
  std::ofstream(*data + "/words") << "half";
  WarmCache(root_).Sweep();
  EXPECT_THAT(Entries(), ElementsAre("t"));
}

TEST_F(WarmCacheTest, GivesAnotherNameThanTheOneThatIsLeftOver) {
  const absl::StatusOr<std::string> left = cache_.Begin("t");
  const absl::StatusOr<std::string> next = WarmCache(root_).Begin("t");
  ASSERT_TRUE(left.ok() && next.ok());
  EXPECT_NE(*left, *next);
}

TEST_F(WarmCacheTest, DiscardsWhatAFailedWarmUpWrote) {
  const absl::StatusOr<std::string> data = cache_.Begin("t");
  ASSERT_TRUE(data.ok()) << data.status();
  std::ofstream(*data + "/words") << "half";
  cache_.Discard(*data);
  EXPECT_THAT(Entries(), IsEmpty());
}

TEST_F(WarmCacheTest, IsNotReadyForAWarmUpThatChanged) {
  Fill();
  v1::TaskType other = type_;
  other.mutable_warm_up()->add_argv("/bin/other");
  EXPECT_FALSE(cache_.IsReady(other));
  v1::TaskType own = type_;
  own.set_argv(0, "/bin/newer");  // which is the warm-up's too
  EXPECT_FALSE(cache_.IsReady(own));
  type_.set_max_jobs(7);  // what is cached does not depend on it
  EXPECT_TRUE(cache_.IsReady(type_));
}

TEST_F(WarmCacheTest, ReplacesACacheOfAnEarlierDefinition) {
  Fill();
  type_.mutable_warm_up()->add_argv("/bin/other");
  Fill();
  EXPECT_TRUE(cache_.IsReady(type_));
  EXPECT_THAT(Entries(), ElementsAre("t"));
}

TEST_F(WarmCacheTest, A4UnlinksAtOnceAndRemovesLater) {
  Fill();
  const absl::StatusOr<std::string> old = cache_.Unlink("t");
  ASSERT_TRUE(old.ok()) << old.status();
  EXPECT_FALSE(cache_.IsReady(type_));
  EXPECT_TRUE(std::filesystem::exists(*old + "/data/words"));
  EXPECT_TRUE(WarmCache::Remove(*old).ok());
  EXPECT_THAT(Entries(), IsEmpty());
}

TEST_F(WarmCacheTest, UnlinksNothingWhereThereIsNothing) {
  const absl::StatusOr<std::string> old = cache_.Unlink("t");
  ASSERT_TRUE(old.ok()) << old.status();
  EXPECT_EQ(*old, "");
}

TEST_F(WarmCacheTest, SaysWhyACacheCannotBePutInItsPlace) {
  const absl::StatusOr<std::string> data = cache_.Begin("t");
  ASSERT_TRUE(data.ok()) << data.status();
  std::filesystem::remove_all(root_);
  const absl::Status published = cache_.Publish(type_, *data);
  EXPECT_FALSE(published.ok());
  EXPECT_FALSE(cache_.IsReady(type_));
}

}  // namespace
}  // namespace vigil::worker
