// Proves what is read of a host, from files of the test's own, and what counts
// as stress, one step on either side of each bound (B9).
#include "worker/loop/host_load.h"

#include <sys/stat.h>

#include <cstdlib>
#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "worker/loop/limits.h"

namespace vigil::worker {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class HostLoadTest : public testing::Test {
 protected:
  HostLoadTest() {
    dir_ = absl::StrCat(
        testing::TempDir(), "/proc-",
        testing::UnitTest::GetInstance()->current_test_info()->name());
    mkdir(dir_.c_str(), 0700);
  }
  void Write(const std::string& name, const std::string& text) {
    std::ofstream(dir_ + "/" + name) << text;
  }
  void AddProcess(int pid) {
    mkdir(absl::StrCat(dir_, "/", pid).c_str(), 0700);
  }

  std::string dir_;
};

TEST_F(HostLoadTest, B9_ReadsLoadThreadsProcessesAndMemory) {
  Write("loadavg", "0.52 0.58 0.59 2/312 4711\n");
  Write("meminfo",
        "MemTotal:       16384 kB\nMemFree:   1 kB\n"
        "MemAvailable:    8192 kB\nBuffers: 1 kB\n");
  for (const int pid : {1, 42, 4711}) AddProcess(pid);
  const HostLoad load = ReadHostLoad(dir_);
  EXPECT_DOUBLE_EQ(load.load_average, 0.52);
  EXPECT_EQ(load.threads, 312);
  EXPECT_EQ(load.processes, 3);
  EXPECT_EQ(load.memory_total_bytes, 16 << 20);
  EXPECT_EQ(load.memory_available_bytes, 8 << 20);
  EXPECT_GE(load.cpus, 1);
  EXPECT_THAT(load.stress, IsEmpty());
}

TEST_F(HostLoadTest, WhatTheSystemDoesNotSayIsZeroAndNoStress) {
  HostLoad load = ReadHostLoad(dir_);
  EXPECT_EQ(load.threads, 0);
  EXPECT_EQ(load.processes, 0);
  EXPECT_EQ(load.memory_total_bytes, 0);
  EXPECT_THAT(load.stress, IsEmpty());
  Write("loadavg", "what");
  Write("meminfo", "MemTotal: much kB\n");
  load = ReadHostLoad(dir_);
  EXPECT_DOUBLE_EQ(load.load_average, 0);
  EXPECT_EQ(load.memory_total_bytes, 0);
  EXPECT_EQ(ReadHostLoad(dir_ + "/none").processes, 0);
}

TEST_F(HostLoadTest, ReadsThisHost) {
  const HostLoad load = ReadHostLoad();
  EXPECT_GE(load.processes, 1);
  EXPECT_GE(load.threads, 1);
  EXPECT_GT(load.memory_total_bytes, load.memory_available_bytes);
}

TEST(StressOf, B9_OverAThousandThreads) {
  HostLoad load;
  load.threads = 1000;
  EXPECT_THAT(StressOf(load), IsEmpty());
  load.threads = 1001;
  EXPECT_THAT(StressOf(load), ElementsAre("1001 threads, which is over 1000"));
}

TEST(StressOf, B9_ALoadAboveFourForEachProcessor) {
  HostLoad load;
  load.cpus = 2;
  load.load_average = 8;
  EXPECT_THAT(StressOf(load), IsEmpty());
  load.load_average = 8.01;
  EXPECT_THAT(StressOf(load),
              ElementsAre("a load of 8.01, which is over 4 for each of 2 "
                          "processors"));
  load.cpus = 0;
  EXPECT_THAT(StressOf(load), IsEmpty());
}

TEST(StressOf, B9_LessThanATwentiethOfTheMemoryAvailable) {
  HostLoad load;
  load.memory_total_bytes = 2000;
  load.memory_available_bytes = 100;
  EXPECT_THAT(StressOf(load), IsEmpty());
  load.memory_available_bytes = 99;
  EXPECT_THAT(StressOf(load),
              ElementsAre("4.9 % of the memory available, which is under 5 %"));
}

}  // namespace
}  // namespace vigil::worker
