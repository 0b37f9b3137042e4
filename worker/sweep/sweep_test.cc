// Proves a sweep against the kernel: real processes that left their parents are
// found and killed, real strangers are not. How: this process starts a stand-in
// for the worker and leftovers beside it; the end of a pipe that a process
// inherited proves that it is gone, and nothing sleeps.
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "worker/slot/proc_fs.h"
#include "worker/slot/record.h"
#include "worker/sweep/leftovers.h"
#include "worker/sweep/sweeper.h"

namespace vigil::sweep {
namespace {

using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class SweepTest : public testing::Test {
 protected:
  SweepTest() {
    // As process 1 elsewhere: orphans come here.
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    options_.worker_id = absl::StrCat("worker-", getpid());
    worker_ = Start("echo $$; exec sleep 1000", "").pid;
    options_.self = worker_;
  }
  ~SweepTest() override {
    for (const pid_t pid : all_) kill(pid, SIGKILL);
    while (wait(nullptr) > 0 || errno == EINTR) {
    }
  }

  struct Started {
    pid_t pid;
    // What the script wrote in its first line: a pid.
    pid_t said;
  };
  // Runs a shell script with the mark of `worker_id` and waits for its first
  // line.
  Started Start(const std::string& script, const std::string& worker_id) {
    std::array<int, 2> out;
    EXPECT_EQ(pipe2(out.data(), O_CLOEXEC), 0);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, out[1], 1);
    std::string mark = "VIGIL_WORKER_ID=" + worker_id;
    std::string path = "PATH=/usr/bin:/bin";
    std::string copy = script;
    std::string sh = "sh";
    std::string c = "-c";
    std::array<char*, 4> argv = {sh.data(), c.data(), copy.data(), nullptr};
    std::array<char*, 3> env = {path.data(), mark.data(), nullptr};
    Started started = {};
    EXPECT_EQ(posix_spawn(&started.pid, "/bin/sh", &actions, nullptr,
                          argv.data(), env.data()),
              0);
    posix_spawn_file_actions_destroy(&actions);
    close(out[1]);
    std::string line;
    char byte;
    while (read(out[0], &byte, 1) == 1 && byte != '\n') line += byte;
    close(out[0]);
    EXPECT_TRUE(absl::SimpleAtoi(line, &started.said)) << line;
    all_.insert(all_.end(), {started.pid, started.said});
    return started;
  }
  static slot::ProcessKey KeyOf(pid_t pid) {
    return {pid, slot::ReadStartTicks(pid)};
  }
  static bool IsAlive(pid_t pid) {
    siginfo_t info = {};
    return waitid(P_PID, static_cast<id_t>(pid), &info,
                  WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid == 0;
  }
  std::vector<pid_t> Swept() {
    const SweepOutcome outcome = Sweep(options_, RealSystem());
    EXPECT_EQ(outcome.all_gone, options_.mode == SweepMode::kKill);
    std::vector<pid_t> pids;
    for (const v1::SweptProcess& process : outcome.result.processes()) {
      EXPECT_EQ(process.killed(), options_.mode == SweepMode::kKill);
      EXPECT_FALSE(process.command().empty());
      pids.push_back(process.pid());
    }
    return pids;
  }

  pid_t worker_ = 0;
  SweepOptions options_;
  std::vector<pid_t> all_;
};

TEST_F(SweepTest, OrphansThatLeftTheirSessionAreKilled) {
  const pid_t orphan =
      Start("setsid sh -c 'trap \"\" TERM; echo $$; exec sleep 1000' &",
            options_.worker_id)
          .said;
  options_.mode = SweepMode::kLookOnly;
  EXPECT_THAT(Swept(), UnorderedElementsAre(orphan));
  EXPECT_TRUE(IsAlive(orphan));
  options_.mode = SweepMode::kKill;
  EXPECT_THAT(Swept(), UnorderedElementsAre(orphan));
  EXPECT_FALSE(IsAlive(orphan));
  EXPECT_THAT(Swept(), IsEmpty());
}

TEST_F(SweepTest, WhatIsOnRecordIsKilledWithDescendantsThatLostTheMark) {
  const Started task =
      Start("env -i setsid sleep 1000 & echo $!; exec sleep 1000", "another");
  options_.recorded = {{KeyOf(task.pid), FoundBy::kTaskRecord}};
  EXPECT_THAT(Swept(), UnorderedElementsAre(task.pid, task.said));
  EXPECT_FALSE(IsAlive(task.pid));
}

TEST_F(SweepTest, StoppedProcessesAreKilled) {
  const pid_t stopped =
      Start("echo $$; exec sleep 1000", options_.worker_id).pid;
  kill(stopped, SIGSTOP);
  EXPECT_THAT(Swept(), UnorderedElementsAre(stopped));
  EXPECT_FALSE(IsAlive(stopped));
}

TEST_F(SweepTest, StrangersAndTheWorkersOwnTreeLive) {
  const pid_t other = Start("echo $$; exec sleep 1000", "another").pid;
  const pid_t recycled = Start("echo $$; exec sleep 1000", "").pid;
  slot::ProcessKey key = KeyOf(recycled);
  --key.start_ticks;
  options_.recorded = {{key, FoundBy::kSlotRecord}};
  const Started worker =
      Start("setsid sleep 1000 & echo $!; exec sleep 1000", options_.worker_id);
  options_.self = worker.pid;
  EXPECT_THAT(Swept(), IsEmpty());
  EXPECT_TRUE(IsAlive(other));
  EXPECT_TRUE(IsAlive(recycled));
  EXPECT_TRUE(IsAlive(worker.pid));
  EXPECT_EQ(kill(worker.said, 0), 0);
}

TEST_F(SweepTest, ATreeThatForksOnAndOnIsKilled) {
  Start(
      "chain() { setsid sh -c \"$1\" chain \"$1\" & }\n"
      "i=0; while [ $i -lt 20 ]; do i=$((i+1));\n"
      "chain 'sleep 0.05; setsid sh -c \"$1\" chain \"$1\" &'; done\n"
      "echo $$",
      options_.worker_id);
  EXPECT_GE(Swept().size(), 20u);
  EXPECT_THAT(Swept(), IsEmpty());
}

}  // namespace
}  // namespace vigil::sweep
