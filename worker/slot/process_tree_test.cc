// Proves what the system side does by itself: the children of a process are
// found both ways, a process is told from its successor, and one look at a tree
// finds what is there. How: this test process takes the slot's part, as
// subreaper of the real processes it starts.
#include "worker/slot/process_tree.h"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "worker/slot/proc_fs.h"
#include "worker/slot/slot_event.h"
#include "worker/slot/task_command.h"
#include "worker/slot/task_stdio.h"

namespace vigil::slot {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Far more than it takes on a busy machine.
constexpr absl::Duration kWaitMax = absl::Seconds(60);

std::vector<pid_t> Children() {
  std::vector<pid_t> children;
  const absl::Status listed =
      ForEachChild([&children](pid_t pid) { children.push_back(pid); });
  EXPECT_TRUE(listed.ok()) << listed;
  return children;
}

class ProcessTreeTest : public ::testing::Test {
 protected:
  ProcessTreeTest() : tree_(LaunchOptions{}) {
    EXPECT_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
  }

  ~ProcessTreeTest() override { KillAll(); }

  // Starts `script` in a shell; its output is `output_`.
  pid_t Start(const std::string& script) {
    absl::StatusOr<TaskStdio> stdio = MakePipes(std::nullopt);
    EXPECT_TRUE(stdio.ok()) << stdio.status();
    output_ = std::move(stdio->worker);
    const std::variant<Spawned, SpawnFailed> result =
        tree_.Start(TaskCommand{{"/bin/sh", "-c", script}, {}, "", false},
                    std::move(stdio->task));
    const Spawned* spawned = std::get_if<Spawned>(&result);
    EXPECT_NE(spawned, nullptr);
    return spawned == nullptr ? 0 : spawned->pid;
  }

  // Waits for a byte of output or its end.
  void AwaitOutput() {
    pollfd waited = {output_.stdout_fd.get(), POLLIN, 0};
    EXPECT_EQ(
        poll(&waited, 1, static_cast<int>(absl::ToInt64Milliseconds(kWaitMax))),
        1);
  }

  // Waits until a child can be reaped.
  void AwaitExit() {
    siginfo_t info;
    EXPECT_EQ(waitid(P_ALL, 0, &info, WEXITED | WNOWAIT), 0);
  }

  TreeReport KillAll() {
    const absl::Duration deadline = BoottimeNow() + kWaitMax;
    for (;;) {
      TreeReport report = tree_.Kill();
      if (report.empty || BoottimeNow() >= deadline) return report;
      AwaitExit();
    }
  }

  ProcessTree tree_;
  WorkerEnds output_;
};

TEST_F(ProcessTreeTest, FindsChildrenThroughTheChildrenFile) {
  EXPECT_THAT(Children(), IsEmpty());
  const pid_t pid = Start("sleep 1000");
  EXPECT_THAT(Children(), ElementsAre(pid));
}

TEST_F(ProcessTreeTest, FindsTheSameChildrenByScanning) {
  const pid_t pid = Start("sleep 1000");
  std::vector<pid_t> children;
  const auto collect = [&children](pid_t child) { children.push_back(child); };
  EXPECT_TRUE(ForEachChildByScan("/proc", getpid(), collect).ok());
  EXPECT_THAT(children, ElementsAre(pid));
}

TEST_F(ProcessTreeTest, ScanReadsCommandNamesThatLookLikeFields) {
  const std::string proc = absl::StrCat(::testing::TempDir(), "/proc");
  for (const auto& [pid, stat] : std::vector<std::pair<int, std::string>>{
           {11, "11 (a) S 7 (b) R 5 1 1 0"}, {12, "12 (c) S 7 1 1 0"}}) {
    const std::string rest = " 0 0 0 0 0 0 0 0 0 0 20 0 1 0 100 0 0";
    const std::string directory = absl::StrCat(proc, "/", pid);
    mkdir(proc.c_str(), 0700);
    mkdir(directory.c_str(), 0700);
    std::ofstream(absl::StrCat(directory, "/stat")) << stat << rest;
  }
  std::vector<pid_t> children;
  const auto collect = [&children](pid_t child) { children.push_back(child); };
  EXPECT_TRUE(ForEachChildByScan(proc, 7, collect).ok());
  EXPECT_THAT(children, ElementsAre(12));
  EXPECT_FALSE(ForEachChildByScan("/no/such/proc", 7, collect).ok());
}

TEST_F(ProcessTreeTest, StartTicksTellProcessesApart) {
  const pid_t pid = Start("sleep 1000");
  const uint64_t ticks = ReadStartTicks(pid);
  EXPECT_GT(ticks, 0u);
  EXPECT_LE(absl::Seconds(ticks) / sysconf(_SC_CLK_TCK), BoottimeNow());
  KillAll();
  EXPECT_EQ(ReadStartTicks(pid), 0u);
}

TEST_F(ProcessTreeTest, ReapWithoutAnExitReportsNothing) {
  Start("sleep 1000");
  const TreeReport report = tree_.Reap();
  EXPECT_FALSE(report.exited.has_value());
  EXPECT_FALSE(report.empty);
}

TEST_F(ProcessTreeTest, ReapReportsTheExitOnce) {
  Start("exit 9");
  AwaitExit();
  TreeReport report = tree_.Reap();
  ASSERT_TRUE(report.exited.has_value());
  EXPECT_EQ(report.exited->status, 9);
  EXPECT_TRUE(report.empty);
  report = tree_.Reap();
  EXPECT_FALSE(report.exited.has_value());
  EXPECT_TRUE(report.empty);
}

TEST_F(ProcessTreeTest, ATreeWithALeftoverIsNotEmptyAfterTheExit) {
  Start("sleep 1000 & exit 0");
  AwaitExit();
  TreeReport report = tree_.Reap();
  EXPECT_TRUE(report.exited.has_value());
  EXPECT_FALSE(report.empty);
  EXPECT_EQ(report.leftovers_killed, 0);
  report = KillAll();
  EXPECT_TRUE(report.empty);
  EXPECT_EQ(report.leftovers_killed, 1);
}

TEST_F(ProcessTreeTest, OrphansThatEndByThemselvesAreNoLeftovers) {
  Start("(sh -c 'kill -KILL $$' &) ; echo; sleep 1000");
  AwaitOutput();
  AwaitExit();
  EXPECT_FALSE(tree_.Reap().exited.has_value());
  EXPECT_LE(KillAll().leftovers_killed, 1);
}

TEST_F(ProcessTreeTest, TotalsBeginAnewWithEachTask) {
  Start("sleep 1000 & exit 0");
  AwaitExit();
  tree_.Reap();
  EXPECT_EQ(KillAll().leftovers_killed, 1);
  Start("exit 0");
  AwaitExit();
  const TreeReport report = tree_.Reap();
  EXPECT_TRUE(report.empty);
  EXPECT_EQ(report.leftovers_killed, 0);
}

}  // namespace
}  // namespace vigil::slot
