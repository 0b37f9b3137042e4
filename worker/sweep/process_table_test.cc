// Proves what is read of processes, and what is made of a /proc that hides,
// lies or is half gone. How: a /proc of files.
#include "worker/sweep/process_table.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "worker/slot/record.h"
#include "worker/sweep/fake_proc.h"
#include "worker/sweep/limits.h"

namespace vigil::sweep {
namespace {

class ProcessTableTest : public testing::Test {
 protected:
  bool IsMarked(const std::string& environment) {
    proc_.Add(7, {.environment = environment});
    return table_.Read(7)->marked;
  }
  static std::string Zero() { return std::string(1, '\0'); }

  FakeProc proc_;
  const ProcessTable table_{proc_.directory(), "w"};
};

TEST_F(ProcessTableTest, TheMarkIsOneWholeEntry) {
  EXPECT_TRUE(IsMarked(FakeProc::Mark("w")));
  EXPECT_TRUE(IsMarked("VIGIL_WORKER_ID=w" + Zero()));
  // A program may cut its environment short.
  EXPECT_TRUE(IsMarked("VIGIL_WORKER_ID=w"));
  EXPECT_TRUE(IsMarked("X=VIGIL_WORKER_ID=w" + Zero() + FakeProc::Mark("w")));
  EXPECT_FALSE(IsMarked(""));
  EXPECT_FALSE(IsMarked(FakeProc::Mark("w2")));
  EXPECT_FALSE(IsMarked(FakeProc::Mark("")));
  EXPECT_FALSE(IsMarked("X=VIGIL_WORKER_ID=w" + Zero()));
  EXPECT_FALSE(IsMarked("MY_VIGIL_WORKER_ID=w" + Zero()));
}

TEST_F(ProcessTableTest, TheMarkIsFoundBehindMuch) {
  EXPECT_TRUE(IsMarked("A=" + std::string(3 << 20, 'x') + Zero() +
                       FakeProc::Mark("w")));
}

TEST_F(ProcessTableTest, ListsAllButTheKernelsOwn) {
  proc_.Add(2, {.parent = 0, .flags = 0x00208040});
  proc_.Add(7, {.parent = 1, .start_ticks = 8});
  proc_.Add(8, {.parent = 7, .state = 'Z'});
  int found = 0;
  for (const Process& process : table_.List()) {
    ++found;
    EXPECT_NE(process.key.pid, 2);
    EXPECT_EQ(process.dead, process.key.pid == 8);
    if (process.key.pid == 7) {
      EXPECT_EQ(process.key, (slot::ProcessKey{7, 8}));
      EXPECT_EQ(process.parent, 1);
    }
  }
  EXPECT_EQ(found, 3);
}

TEST_F(ProcessTableTest, AProcessWhoseFirstThreadEndedIsJudgedByTheOthers) {
  proc_.Add(7, {.state = 'Z', .threads = 2});
  const std::string thread = proc_.directory() + "/7/task/9";
  std::filesystem::create_directories(thread);
  std::ofstream(thread + "/environ") << FakeProc::Mark("w");
  const auto process = table_.Read(7);
  ASSERT_TRUE(process.has_value());
  EXPECT_FALSE(process->dead);
  EXPECT_TRUE(process->marked);
}

TEST_F(ProcessTableTest, WhatMayNotBeReadIsUnreadable) {
  if (!FakeProc::HasUnreadable()) GTEST_SKIP() << "no unreadable file here";
  proc_.Add(7, {.readable = false, .uid = getuid()});
  proc_.Add(8, {.readable = false, .uid = getuid() + 1});
  EXPECT_TRUE(table_.Read(7)->unreadable);
  EXPECT_TRUE(table_.Read(7)->unreadable_own);
  EXPECT_TRUE(table_.Read(8)->unreadable);
  EXPECT_FALSE(table_.Read(8)->unreadable_own);
  // It has gone meanwhile: nothing is hidden.
  std::filesystem::remove(proc_.directory() + "/1/environ");
  EXPECT_FALSE(table_.Read(1)->unreadable);
}

TEST_F(ProcessTableTest, CommandLinesAreWordsAndBounded) {
  proc_.Add(7, {.command = "sh" + Zero() + "-c" + Zero() + "\xff" + Zero()});
  EXPECT_EQ(table_.CommandOf(7), "sh -c \\xff");
  proc_.Add(7, {.command = std::string(10'000, 'x')});
  EXPECT_EQ(table_.CommandOf(7).size(), kCommandBytesMax);
  proc_.Add(7, {.command = ""});
  EXPECT_EQ(table_.CommandOf(7), "[name]");
  EXPECT_EQ(table_.CommandOf(999), "");
}

TEST_F(ProcessTableTest, WhoIsGoneIsNobody) {
  EXPECT_FALSE(table_.Read(7).has_value());
  EXPECT_FALSE(table_.ParentOf(7).has_value());
  std::filesystem::create_directories(proc_.directory() + "/7");
  EXPECT_FALSE(table_.Read(7).has_value());
  std::ofstream(proc_.directory() + "/7/stat") << "7 (na";
  EXPECT_FALSE(table_.Read(7).has_value());
}

}  // namespace
}  // namespace vigil::sweep
