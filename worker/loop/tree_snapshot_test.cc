// Proves what is seen of a tree before a kill: who lives in it, in which state,
// with what. How: real processes under this one, which stands for the slot.
#include "worker/loop/tree_snapshot.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <string>

#include "gtest/gtest.h"

namespace vigil::worker {
namespace {

constexpr int64_t kMiB = 1 << 20;

class TreeSnapshotTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(pipe(ready_), 0); }
  void TearDown() override {
    if (child_ > 0) {
      kill(-child_, SIGKILL);
      waitpid(child_, nullptr, 0);
    }
    close(ready_[0]);
    close(ready_[1]);
  }
  // Starts a child that does `what`, which ends with Ready(), and then sleeps.
  template <typename Function>
  void Start(Function what) {
    child_ = fork();
    if (child_ == 0) {
      setpgid(0, 0);
      what();
      for (;;) pause();
    }
    setpgid(child_, child_);
    char byte;
    ASSERT_EQ(read(ready_[0], &byte, 1), 1);
  }
  void Ready() { (void)!write(ready_[1], "r", 1); }

  pid_t child_ = -1;
  int ready_[2];
};

TEST_F(TreeSnapshotTest, ListsParentsBeforeChildrenWithTheirStates) {
  Start([this] {
    const pid_t grandchild = fork();
    if (grandchild == 0) {
      raise(SIGSTOP);
      _exit(0);
    }
    int status;
    waitpid(grandchild, &status, WUNTRACED);
    Ready();
  });
  const TreeFacts tree = SnapshotTree(getpid());
  ASSERT_EQ(tree.process_count, 2);
  EXPECT_EQ(tree.threads, 2);
  const ProcessFacts& parent = tree.processes[0];
  const ProcessFacts& child = tree.processes[1];
  EXPECT_EQ(parent.pid, child_);
  EXPECT_EQ(parent.parent_pid, getpid());
  EXPECT_EQ(child.parent_pid, child_);
  EXPECT_EQ(child.state, "T");
  EXPECT_EQ(parent.command[0], '/') << "its arguments, not its name";
  EXPECT_GT(parent.rss_bytes, 0);
  EXPECT_GE(parent.peak_rss_bytes, parent.rss_bytes / 2);
  EXPECT_GE(parent.open_files, 5) << "three standard ones and a pipe";
}

TEST_F(TreeSnapshotTest, AZombieIsListedByItsName) {
  Start([this] {
    const pid_t grandchild = fork();
    if (grandchild == 0) _exit(0);
    siginfo_t info;
    waitid(P_PID, static_cast<id_t>(grandchild), &info, WEXITED | WNOWAIT);
    Ready();
  });
  const TreeFacts tree = SnapshotTree(getpid());
  ASSERT_EQ(tree.process_count, 2);
  EXPECT_EQ(tree.processes[1].state, "Z");
  EXPECT_EQ(tree.processes[1].command[0], '[');
}

TEST_F(TreeSnapshotTest, SharedMemoryCountsOnceAboveTheLimit) {
  constexpr int64_t kSize = 64 * kMiB;
  Start([this] {
    void* memory = mmap(nullptr, kSize, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memset(memory, 1, kSize);
    if (fork() == 0) {
      // The pages are the parent's, too.
      Ready();
      for (;;) pause();
    }
  });
  const int64_t sum = MemoryOfTree(getpid(), 1024 * kMiB);
  EXPECT_GE(sum, 2 * kSize) << "below the limit nobody looks closely";
  const int64_t shared = MemoryOfTree(getpid(), kMiB);
  EXPECT_GE(shared, kSize / 2);
  EXPECT_LT(shared, 2 * kSize);
}

TEST_F(TreeSnapshotTest, WithoutATreeThereIsNoMemory) {
  EXPECT_LT(MemoryOfTree(getpid(), kMiB), 0);
  EXPECT_EQ(SnapshotTree(getpid()).process_count, 0);
}

TEST_F(TreeSnapshotTest, OnlyAHandlerMakesASignalHandled) {
  EXPECT_FALSE(HandlesSignal(getpid(), SIGUSR1));
  signal(SIGUSR1, [](int) {});
  EXPECT_TRUE(HandlesSignal(getpid(), SIGUSR1));
  signal(SIGUSR1, SIG_IGN);
  EXPECT_FALSE(HandlesSignal(getpid(), SIGUSR1));
  EXPECT_FALSE(HandlesSignal(1 << 30, SIGUSR1));
}

}  // namespace
}  // namespace vigil::worker
