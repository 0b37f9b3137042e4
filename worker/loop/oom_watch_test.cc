// Proves what the kernel's counters of OOM kills are taken to say, in both
// versions of control groups and without any. Files stand for /proc and
// /sys/fs/cgroup.
#include "worker/loop/oom_watch.h"

#include <filesystem>
#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace vigil::worker {
namespace {

class OomWatchTest : public testing::Test {
 protected:
  OomWatchTest()
      : root_(absl::StrCat(
            testing::TempDir(), "/oom_",
            testing::UnitTest::GetInstance()->current_test_info()->name())) {
    std::filesystem::remove_all(root_);
  }
  void Write(const std::string& path, const std::string& text) {
    const std::filesystem::path file = root_ + "/" + path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }
  OomWatch Watch() const { return OomWatch(root_ + "/proc", root_ + "/sys"); }

  const std::string root_;
};

TEST_F(OomWatchTest, AKillInItsOwnGroupIsCertain) {
  Write("proc/self/cgroup", "0::/pod/worker\n");
  Write("sys/pod/worker/memory.events", "low 0\noom 1\noom_kill 3\n");
  OomWatch watch = Watch();
  EXPECT_EQ(watch.Judge(), OomKill::kNone);
  Write("sys/pod/worker/memory.events", "low 0\noom 2\noom_kill 4\n");
  EXPECT_EQ(watch.Judge(), OomKill::kCertain);
  EXPECT_EQ(watch.Judge(), OomKill::kNone) << "it was counted once";
}

TEST_F(OomWatchTest, TheFirstVersionOfControlGroupsCountsToo) {
  Write("proc/self/cgroup", "5:memory:/jobs\n4:pids:/jobs\n0::/\n");
  Write("sys/memory/jobs/memory.oom_control",
        "oom_kill_disable 0\nunder_oom 0\noom_kill 0\n");
  OomWatch watch = Watch();
  Write("sys/memory/jobs/memory.oom_control",
        "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n");
  EXPECT_EQ(watch.Judge(), OomKill::kCertain);
}

TEST_F(OomWatchTest, AKillSomewhereOnTheHostIsLikelyOnlyWhereNoGroupCounts) {
  Write("proc/vmstat", "nr_free_pages 5\noom_kill 7\n");
  OomWatch watch = Watch();
  Write("proc/vmstat", "nr_free_pages 5\noom_kill 8\n");
  EXPECT_EQ(watch.Judge(), OomKill::kLikely);

  Write("proc/self/cgroup", "0::/w\n");
  Write("sys/w/memory.events", "oom_kill 0\n");
  OomWatch counted = Watch();
  Write("proc/vmstat", "nr_free_pages 5\noom_kill 9\n");
  EXPECT_EQ(counted.Judge(), OomKill::kNone) << "somebody else's";
}

TEST_F(OomWatchTest, WithoutCountersNobodyKnows) {
  OomWatch watch = Watch();
  EXPECT_EQ(watch.Judge(), OomKill::kNone);
}

TEST_F(OomWatchTest, WhatWasBeforeARefreshIsNotToBlame) {
  Write("proc/vmstat", "oom_kill 7\n");
  OomWatch watch = Watch();
  Write("proc/vmstat", "oom_kill 8\n");
  watch.Refresh();
  EXPECT_EQ(watch.Judge(), OomKill::kNone);
}

}  // namespace
}  // namespace vigil::worker
