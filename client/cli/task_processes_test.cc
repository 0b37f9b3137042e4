// Proves which processes `vigil doctor` finds, with children of this test: one
// that carries a mark, one that is a zombie, one that is nobody's.
#include "client/cli/task_processes.h"

#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "base/unique_fd.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vigil::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class TaskProcessesTest : public ::testing::Test {
 protected:
  ~TaskProcessesTest() override {
    if (child_ > 0) Reap();
  }

  // A child with this in its environment; it has begun to run its program.
  void Spawn(std::string variable) {
    int ends[2];
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    ours_.Reset(ends[0]);
    const UniqueFd its(ends[1]);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, its.get(), STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, its.get(), STDOUT_FILENO);
    std::string program = "/bin/cat";
    char* argv[] = {program.data(), nullptr};
    char* environment[] = {variable.data(), nullptr};
    EXPECT_EQ(posix_spawn(&child_, program.c_str(), &actions, nullptr, argv,
                          environment),
              0);
    posix_spawn_file_actions_destroy(&actions);
    // It has no environment yet while the system is about to run the program.
    char byte = 'x';
    ASSERT_EQ(write(ours_.get(), &byte, 1), 1);
    ASSERT_EQ(read(ours_.get(), &byte, 1), 1);
  }

  // Ends the child and leaves it a zombie.
  void Kill() {
    EXPECT_EQ(kill(child_, SIGKILL), 0);
    siginfo_t info;
    EXPECT_EQ(
        waitid(P_PID, static_cast<id_t>(child_), &info, WEXITED | WNOWAIT), 0);
  }

  void Reap() {
    kill(child_, SIGKILL);
    waitpid(child_, nullptr, 0);
    child_ = -1;
  }

  const std::string mark_ = absl::StrCat("task-processes-test-", getpid());
  UniqueFd ours_;
  pid_t child_ = -1;
};

TEST_F(TaskProcessesTest, SeesOnlyThoseWithTheMark) {
  Spawn("MARK=" + mark_);
  EXPECT_THAT(FindMarked({child_}, mark_), SizeIs(1));
  EXPECT_THAT(FindMarked({child_}, mark_ + "x"), IsEmpty());
  // A pid of nobody's.
  EXPECT_THAT(FindMarked({1 << 30}, mark_), IsEmpty());
}

TEST_F(TaskProcessesTest, ALiveOneIsLeft) {
  Spawn("MARK=" + mark_);
  const auto found = FindMarked({child_}, mark_);
  const std::vector<std::string> left = FindLeft(found, mark_);
  EXPECT_THAT(left, SizeIs(1));
  // Also one that the task did not name.
  EXPECT_THAT(FindLeft({}, mark_), SizeIs(1));
}

TEST_F(TaskProcessesTest, AZombieIsLeftUntilItIsReaped) {
  Spawn("MARK=" + mark_);
  const pid_t pid = child_;
  const auto found = FindMarked({pid}, mark_);
  Kill();
  EXPECT_THAT(FindLeft(found, mark_),
              ElementsAre(absl::StrCat("pid ", pid, " (Z)")));
  Reap();
  EXPECT_THAT(FindLeft(found, mark_), IsEmpty());
}

TEST_F(TaskProcessesTest, ALaterProcessWithThePidIsNoLeftover) {
  Spawn("MARK=another");
  EXPECT_THAT(FindLeft({{child_, 1}}, mark_), IsEmpty());
}

}  // namespace
}  // namespace vigil::cli
