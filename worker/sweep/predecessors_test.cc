// Proves when a worker may say that its earlier lives are dead, and when it may
// not, whatever it killed; and that a doubt outlives the records that it came
// from. How: records written by hand, and a /proc of files.
#include "worker/sweep/predecessors.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "worker/slot/limits.h"
#include "worker/slot/record.h"
#include "worker/sweep/fake_proc.h"
#include "worker/sweep/limits.h"

namespace vigil::sweep {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

constexpr pid_t kSelf = 10;
constexpr absl::Duration kTick = absl::Seconds(1);

const slot::HostIdentity kHere = {"boot", 7, "machine"};

class PredecessorsTest : public testing::Test {
 protected:
  PredecessorsTest() {
    proc_.Add(kSelf, {.start_ticks = 1000});
    options_.directory = absl::StrCat(testing::TempDir(), "/slots.XXXXXX");
    EXPECT_NE(mkdtemp(options_.directory.data()), nullptr);
    options_.here = kHere;
    options_.worker_id = "w";
    options_.self = kSelf;
    options_.proc_directory = proc_.directory();
    options_.now = absl::FromUnixSeconds(1'000'000);
  }
  ~PredecessorsTest() override {
    std::filesystem::remove_all(options_.directory);
  }

  std::string PathOf(const std::string& name) const {
    return absl::StrCat(options_.directory, "/", name);
  }
  void Record(int slot, const slot::HostIdentity& host, slot::ProcessKey key,
              const std::string& task = "") {
    const std::string path = PathOf(absl::StrCat(slot));
    const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    ASSERT_TRUE(slot::WriteRecordHeader(fd, host, key).ok());
    close(fd);
    std::ofstream(path, std::ios::app) << task;
  }
  // What a task notes of itself.
  static std::string Line(pid_t pid, uint64_t start_ticks) {
    return absl::StrCat(pid, " ", start_ticks, " ", start_ticks, "\n");
  }
  bool Proved() { return SweepPredecessors(options_, &proc_); }
  bool Exists(const std::string& name) const {
    return std::filesystem::exists(PathOf(name));
  }

  FakeProc proc_;
  PredecessorOptions options_;
};

TEST_F(PredecessorsTest, WhereNothingIsOnRecordNothingIsProved) {
  EXPECT_FALSE(Proved());
  options_.directory += "/missing";
  EXPECT_FALSE(Proved());
  EXPECT_FALSE(Exists("unproved"));
}

TEST_F(PredecessorsTest, RecordsOfProcessesThatEndedAreProof) {
  Record(0, kHere, {20, 100}, Line(21, 101));
  Record(1, kHere, {22, 100});
  EXPECT_TRUE(Proved());
  EXPECT_THAT(proc_.killed, IsEmpty());
  // They stay, for a successor that comes before they are written anew.
  EXPECT_TRUE(Proved());
}

TEST_F(PredecessorsTest, WhatIsOnRecordIsKilledAndThenProved) {
  Record(0, kHere, {20, 100}, Line(21, 101));
  proc_.Add(20, {.start_ticks = 100});
  proc_.Add(21, {.parent = 20, .start_ticks = 101});
  EXPECT_TRUE(Proved());
  EXPECT_THAT(proc_.killed, ElementsAre(21, 20));
}

TEST_F(PredecessorsTest, ATaskWhoseSlotIsDeadIsKilledWithWhatBearsItsMark) {
  Record(0, kHere, {20, 100}, Line(21, 101));
  proc_.Add(21, {.start_ticks = 101});
  proc_.Add(22, {.parent = 1, .environment = FakeProc::Mark("w")});
  EXPECT_TRUE(Proved());
  EXPECT_THAT(proc_.killed, UnorderedElementsAre(21, 22));
}

TEST_F(PredecessorsTest, AStrangerWithARecordedPidIsNotTouched) {
  Record(0, kHere, {20, 100}, Line(21, 101));
  proc_.Add(20, {.start_ticks = 99});
  proc_.Add(21, {.start_ticks = 100});
  EXPECT_TRUE(Proved());
  EXPECT_THAT(proc_.killed, IsEmpty());
}

TEST_F(PredecessorsTest, WhatCannotBeKilledIsNotProvedDead) {
  Record(0, kHere, {20, 100});
  proc_.Add(20, {.start_ticks = 100, .immortal = true});
  EXPECT_FALSE(Proved());
}

TEST_F(PredecessorsTest, AnotherContainerIsNotProvedDeadAndNotTouched) {
  Record(0, {"boot", 8, "machine"}, {20, 100});
  proc_.Add(20, {.start_ticks = 100});
  EXPECT_FALSE(Proved());
  EXPECT_THAT(proc_.killed, IsEmpty());
  EXPECT_FALSE(Exists("0"));
}

TEST_F(PredecessorsTest, AnEarlierBootOfThisMachineIsProvedDead) {
  Record(0, {"earlier", 8, "machine"}, {20, 100});
  proc_.Add(20, {.start_ticks = 100});
  EXPECT_TRUE(Proved());
  EXPECT_THAT(proc_.killed, IsEmpty());
  EXPECT_FALSE(Exists("0"));
}

TEST_F(PredecessorsTest, AnotherMachineIsNot) {
  for (const char* machine : {"another", ""}) {
    Record(0, {"earlier", 7, machine}, {20, 100});
    EXPECT_FALSE(Proved()) << machine;
    std::filesystem::remove(PathOf("unproved"));
  }
  // Nor is one of which nothing is known here.
  options_.here.machine_id = "";
  Record(0, {"earlier", 7, ""}, {20, 100});
  EXPECT_FALSE(Proved());
}

TEST_F(PredecessorsTest, AHostThatDoesNotSayItsBootProvesNothing) {
  options_.here = {};
  Record(0, {}, {20, 100});
  proc_.Add(20, {.start_ticks = 100});
  EXPECT_FALSE(Proved());
  EXPECT_THAT(proc_.killed, IsEmpty());
}

TEST_F(PredecessorsTest, ADamagedRecordProvesNothing) {
  Record(0, kHere, {20, 100});
  Record(1, kHere, {21, 100}, "22 (vigil");
  EXPECT_FALSE(Proved());
  EXPECT_FALSE(Exists("1"));
}

TEST_F(PredecessorsTest, ASlotThatWasNeverOnRecordHadNoTask) {
  std::ofstream(PathOf("1")).flush();
  EXPECT_FALSE(Proved());
  Record(0, kHere, {20, 100});
  EXPECT_TRUE(Proved());
}

TEST_F(PredecessorsTest, WhatThisUserMayNotLookIntoCountsIfItIsYounger) {
  if (!FakeProc::HasUnreadable()) GTEST_SKIP() << "no unreadable file here";
  Record(0, kHere, {20, 100});
  proc_.Add(30, {.start_ticks = 99, .readable = false, .uid = getuid()});
  proc_.Add(31, {.start_ticks = 100, .readable = false, .uid = getuid() + 1});
  EXPECT_TRUE(Proved());
  proc_.Add(32, {.start_ticks = 100, .readable = false, .uid = getuid()});
  EXPECT_FALSE(Proved());
  EXPECT_THAT(proc_.killed, IsEmpty());
}

TEST_F(PredecessorsTest, ADoubtIsHandedOnForItsTime) {
  Record(0, {"boot", 8, "machine"}, {20, 100});
  EXPECT_FALSE(Proved());
  // The life that doubted, and the next one's successors.
  Record(0, kHere, {22, 100});
  options_.now += kUnprovedKept - kTick;
  EXPECT_FALSE(Proved());
  options_.now += kTick;
  EXPECT_TRUE(Proved());
  EXPECT_FALSE(Exists("unproved"));
}

TEST_F(PredecessorsTest, ADoubtFromTheFutureLastsNoLonger) {
  std::ofstream(PathOf("unproved"))
      << absl::ToUnixSeconds(options_.now + absl::Hours(10'000)) << "\n";
  Record(0, kHere, {20, 100});
  EXPECT_FALSE(Proved());
  options_.now += kUnprovedKept;
  EXPECT_TRUE(Proved());
  std::ofstream(PathOf("unproved")) << "?";
  EXPECT_FALSE(Proved());
  options_.now += kUnprovedKept;
  EXPECT_TRUE(Proved());
}

}  // namespace
}  // namespace vigil::sweep
