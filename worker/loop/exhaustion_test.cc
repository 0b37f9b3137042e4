// Proves when a shortage is said to be the host's: at the share of a limit that
// counts as full, and one below. Files stand for /proc.
#include "worker/loop/exhaustion.h"

#include <filesystem>
#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vigil::worker {
namespace {

using ::testing::HasSubstr;

class ExhaustionTest : public testing::Test {
 protected:
  ExhaustionTest()
      : proc_(absl::StrCat(
            testing::TempDir(), "/exhaustion_",
            testing::UnitTest::GetInstance()->current_test_info()->name())) {
    std::filesystem::remove_all(proc_);
    // A host with room.
    Write("loadavg", "0.10 0.20 0.30 2/300 4711\n");
    Write("sys/kernel/threads-max", "20000\n");
    Write("sys/kernel/pid_max", "1000\n");
    Write("sys/fs/file-nr", "100\t0\t1000\n");
    Write("meminfo",
          "MemTotal: 1000 kB\nMemFree: 1 kB\nMemAvailable: 500 kB\n");
  }
  void Write(const std::string& path, const std::string& text) {
    const std::filesystem::path file = proc_ + "/" + path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }

  const std::string proc_;
};

TEST_F(ExhaustionTest, AHostWithRoomIsShortOfNothing) {
  EXPECT_EQ(HostShortage(proc_), "");
}

TEST_F(ExhaustionTest, ThreadsAreShortAtTheSmallerOfTheirLimits) {
  Write("loadavg", "0.10 0.20 0.30 2/949 4711\n");
  EXPECT_EQ(HostShortage(proc_), "");
  Write("loadavg", "0.10 0.20 0.30 2/950 4711\n");
  EXPECT_EQ(HostShortage(proc_), "the host has 950 threads of at most 1000");
}

TEST_F(ExhaustionTest, FilesAreShortNearTheirLimit) {
  Write("sys/fs/file-nr", "949\t0\t1000\n");
  EXPECT_EQ(HostShortage(proc_), "");
  Write("sys/fs/file-nr", "950\t0\t1000\n");
  EXPECT_THAT(HostShortage(proc_), HasSubstr("open files"));
}

TEST_F(ExhaustionTest, MemoryIsShortBelowItsShare) {
  Write("meminfo", "MemTotal: 1000 kB\nMemAvailable: 50 kB\n");
  EXPECT_EQ(HostShortage(proc_), "");
  Write("meminfo", "MemTotal: 1000 kB\nMemAvailable: 49 kB\n");
  EXPECT_THAT(HostShortage(proc_), HasSubstr("of memory left"));
}

TEST_F(ExhaustionTest, WhereTheSystemDoesNotSayNothingIsShort) {
  EXPECT_EQ(HostShortage("/no/such/directory"), "");
}

TEST_F(ExhaustionTest, B3_OnlyAFailureForWantOfSomethingIsJudged) {
  Failure other{Reason::kNonzeroExit, "exited", ""};
  AddExhaustion(&other);
  EXPECT_EQ(other, (Failure{Reason::kNonzeroExit, "exited", ""}));

  Failure known{Reason::kResourceExhausted, "threads", "", Exhaustion::kTask};
  AddExhaustion(&known);
  EXPECT_EQ(known.message, "threads") << "it says whose it was";

  Failure exhausted{Reason::kResourceExhausted, "fork", ""};
  AddExhaustion(&exhausted);
  EXPECT_NE(exhausted.exhaustion, Exhaustion::kUnspecified);
  EXPECT_THAT(exhausted.message, HasSubstr("host"));
}

}  // namespace
}  // namespace vigil::worker
