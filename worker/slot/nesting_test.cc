// Proves that a slot holds its task to max_processes and max_threads, whoever
// in the tree calls and however, and tells of each call that was one too many.
// How: real slots run real programs under the real filter; where kernel or
// container forbid it the tests are skipped, with the reason.
#include <signal.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "worker/slot/slot_test_util.h"
#include "worker/slot/task_command.h"
#include "worker/slot/task_stdio.h"

namespace vigil::slot {
namespace {

using ::testing::HasSubstr;

class NestingTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!slot_.filter_problem().empty()) GTEST_SKIP() << slot_.filter_problem();
  }

  // Runs a script of Python's to its end; returns what it printed.
  std::string RunPython(const std::string& script, const Nesting& nesting) {
    TaskCommand command = Command({"/usr/bin/python3", "-c", script});
    command.nesting = nesting;
    const WorkerEnds ends = slot_.Start(command);
    for (;;) {
      const Event event = slot_.Next();
      if (const auto* seen = std::get_if<NestedCallSeen>(&event)) {
        seen_.push_back(*seen);
      } else if (std::holds_alternative<TreeEmpty>(event)) {
        return ReadToEnd(ends.stdout_fd.get()) +
               ReadToEnd(ends.stderr_fd.get());
      }
    }
  }

  SlotUnderTest slot_;
  std::vector<NestedCallSeen> seen_;
};

Nesting Limits(OnNestedPool action, int max_processes, int max_threads = 256) {
  return {action, max_processes, max_threads};
}

// Forks COUNT children that live at the same time, and prints how that went.
constexpr char kForks[] = R"(
import os, time
children = []
for i in range(%d):
    try:
        pid = os.fork()
    except OSError as error:
        print(i, type(error).__name__, error.errno)
        continue
    if pid == 0:
        time.sleep(60)
    children.append(pid)
    print(i, "forked")
for pid in children:
    os.kill(pid, 9)
    os.waitpid(pid, 0)
)";

std::string Forks(int count) {
  std::string script = kForks;
  return script.replace(script.find("%d"), 2, absl::StrCat(count));
}

TEST_F(NestingTest, RefusesASecondProcessAtTheSameTime) {
  EXPECT_EQ(RunPython(Forks(2), Limits(OnNestedPool::kFail, 1)),
            "0 forked\n1 PermissionError 1\n");
  ASSERT_EQ(seen_.size(), 1u);
  EXPECT_EQ(seen_[0].program, "python3");
  // What the C library makes of fork().
  EXPECT_EQ(seen_[0].call, "clone");
  EXPECT_TRUE(seen_[0].refused);
  EXPECT_EQ(seen_[0].count, 1);
  EXPECT_EQ(seen_[0].live, 1);
}

// As kForks, and keeps them for a while: several looks at the tree.
std::string ForksThatStay(int count) {
  std::string script = Forks(count);
  const size_t end = script.find("for pid in children");
  return script.insert(end, "time.sleep(0.3)\n");
}

TEST_F(NestingTest, WhereTwoAreAllowedAThirdIsSeenAndNotRefused) {
  EXPECT_EQ(RunPython(ForksThatStay(2), Limits(OnNestedPool::kFail, 2)),
            "0 forked\n1 forked\n");
  EXPECT_TRUE(seen_.empty());
  EXPECT_EQ(RunPython(ForksThatStay(3), Limits(OnNestedPool::kFail, 2)),
            "0 forked\n1 forked\n2 forked\n");
  ASSERT_EQ(seen_.size(), 1u);
  EXPECT_EQ(seen_[0].program, "python3");
  EXPECT_EQ(seen_[0].live, 3);
  EXPECT_TRUE(seen_[0].refused);
}

TEST_F(NestingTest, PipelinesAreNotInterrupted) {
  TaskCommand command = Shell(
      "i=0; while [ $i -lt 500 ]; do i=$((i+1)); "
      "true | true | true | /bin/true || exit 3; done; echo done");
  command.nesting = Limits(OnNestedPool::kFail, 10);
  const WorkerEnds ends = slot_.Start(command);
  EXPECT_EQ(slot_.Next<Exited>().status, 0);
  EXPECT_EQ(ReadToEnd(ends.stdout_fd.get()), "done\n");
}

TEST_F(NestingTest, LetsHelpersThroughOneAfterTheOther) {
  EXPECT_EQ(RunPython("import subprocess\n"
                      "for i in range(20):\n"
                      "  subprocess.run(['/bin/true'], check=True)\n"
                      "print('done')",
                      Limits(OnNestedPool::kFail, 1)),
            "done\n");
  EXPECT_TRUE(seen_.empty());
}

TEST_F(NestingTest, AHelperThatEndedAndWasNotWaitedForDoesNotCount) {
  EXPECT_EQ(RunPython("import os\n"
                      "for i in range(20):\n"
                      "  pid = os.fork()\n"
                      "  if pid == 0: os._exit(0)\n"
                      "  os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)\n"
                      "print('done')",
                      Limits(OnNestedPool::kFail, 1)),
            "done\n");
  EXPECT_TRUE(seen_.empty());
}

TEST_F(NestingTest, CountsWhatAHelperStartsToo) {
  EXPECT_THAT(RunPython("import subprocess\n"
                        "print(subprocess.run(['/bin/sh', '-c', '/bin/true; "
                        "echo after'], capture_output=True))",
                        Limits(OnNestedPool::kDeny, 1)),
              HasSubstr("Cannot fork"));
  ASSERT_EQ(seen_.size(), 1u);
  EXPECT_EQ(seen_[0].program, "sh");
}

TEST_F(NestingTest, ADaemonThatLeftItsSessionStillCounts) {
  EXPECT_EQ(RunPython("import os, time\n"
                      "if os.fork() == 0:\n"
                      "  os.setsid()\n"
                      "  time.sleep(60)\n"
                      "try:\n"
                      "  os.fork()\n"
                      "except OSError as error:\n"
                      "  print(error.errno)\n",
                      Limits(OnNestedPool::kFail, 1)),
            "1\n");
}

TEST_F(NestingTest, AuditRefusesNothingAndCounts) {
  EXPECT_EQ(RunPython(ForksThatStay(4), Limits(OnNestedPool::kAudit, 1)),
            "0 forked\n1 forked\n2 forked\n3 forked\n");
  ASSERT_EQ(seen_.size(), 1u);
  EXPECT_FALSE(seen_[0].refused);
}

TEST_F(NestingTest, TwoThreadsThatForkAtOnceAreNotBothTheFirst) {
  const std::string output = RunPython(
      "import os, threading, time\n"
      "barrier = threading.Barrier(8)\n"
      "done = []\n"
      "def run():\n"
      "  barrier.wait()\n"
      "  try:\n"
      "    pid = os.posix_spawn('/bin/sleep', ['sleep', '60'], {})\n"
      "    done.append('spawned')\n"
      "  except OSError as error:\n"
      "    done.append('refused')\n"
      "threads = [threading.Thread(target=run) for _ in range(8)]\n"
      "for thread in threads: thread.start()\n"
      "for thread in threads: thread.join()\n"
      "print(sorted(done).count('spawned'), len(done))",
      Limits(OnNestedPool::kFail, 1));
  EXPECT_EQ(output, "1 8\n");
}

TEST_F(NestingTest, RefusesThreadsPastTheirLimitAsTheSystemWould) {
  EXPECT_EQ(RunPython("import threading\n"
                      "event = threading.Event()\n"
                      "started = 0\n"
                      "try:\n"
                      "  for i in range(20):\n"
                      "    threading.Thread(target=event.wait).start()\n"
                      "    started += 1\n"
                      "except RuntimeError as error:\n"
                      "  print(started, error)\n"
                      "event.set()\n",
                      Limits(OnNestedPool::kFail, 1, 8)),
            "7 can't start new thread\n");
  ASSERT_EQ(seen_.size(), 1u);
  EXPECT_EQ(seen_[0].call, "thread");
  EXPECT_EQ(seen_[0].live, 8);
}

TEST_F(NestingTest, TellsOfManyCallsAtTheEndWithoutTellingOfEach) {
  const std::string output =
      RunPython(Forks(1000), Limits(OnNestedPool::kDeny, 0));
  EXPECT_THAT(output, HasSubstr("999 PermissionError 1\n"));
  ASSERT_FALSE(seen_.empty());
  EXPECT_LT(seen_.size(), 80u);
  EXPECT_EQ(seen_.back().count, 1000);
}

TEST_F(NestingTest, ANewTaskStartsWithCountsOfItsOwn) {
  RunPython(Forks(2), Limits(OnNestedPool::kFail, 1));
  EXPECT_EQ(RunPython(Forks(1), Limits(OnNestedPool::kFail, 1)), "0 forked\n");
  EXPECT_EQ(seen_.size(), 1u);
}

TEST_F(NestingTest, ARefusalIsToldBeforeTheTaskGoesOn) {
  TaskCommand command = Command({"/usr/bin/python3", "-c", R"(
import os
for _ in range(50):
    try:
        os.fork()
    except PermissionError:
        os.write(1, b".")
        os.read(0, 1)
)"});
  command.nesting = Limits(OnNestedPool::kDeny, 0);
  const WorkerEnds ends = slot_.Start(command);
  for (int i = 1; i <= 50; ++i) {
    ReadUntil(ends.stdout_fd.get(), ".");
    // It has arrived: nothing is waited for.
    const absl::StatusOr<std::optional<Event>> event =
        slot_.process().Receive();
    ASSERT_TRUE(event.ok() && event->has_value()) << i;
    EXPECT_EQ(std::get<NestedCallSeen>(**event).count, i);
  }
}

TEST_F(NestingTest, TasksThatAreAskedAndTasksThatAreNotTakeTurnsInOneSlot) {
  for (int turn = 0; turn < 3; ++turn) {
    EXPECT_EQ(RunPython(Forks(2), Limits(OnNestedPool::kFail, 1)),
              "0 forked\n1 PermissionError 1\n");
    EXPECT_EQ(RunPython(Forks(2), Limits(OnNestedPool::kAudit, 1)),
              "0 forked\n1 forked\n");
  }
}

TEST_F(NestingTest, ATaskHasNoNewPrivileges) {
  EXPECT_THAT(RunPython("print(open('/proc/self/status').read())",
                        Limits(OnNestedPool::kFail, 1)),
              HasSubstr("NoNewPrivs:\t1"));
}

TEST_F(NestingTest, AKilledTreeThatForksOnAndOnDies) {
  TaskCommand command = Command(
      {"/usr/bin/python3", "-c",
       "import os, signal\n"
       "for number in range(1, 32):\n"
       "  if number not in (9, 17, 19): signal.signal(number, signal.SIG_IGN)\n"
       "print('up', flush=True)\n"
       "while True:\n"
       "  try:\n"
       "    if os.fork() == 0: os.setsid()\n"
       "  except OSError: pass\n"});
  // Each of the two that there may be goes on trying, for ever.
  command.nesting = Limits(OnNestedPool::kDeny, 1);
  const WorkerEnds ends = slot_.Start(command);
  ReadUntil(ends.stdout_fd.get(), "up\n");
  ASSERT_TRUE(slot_.process().Kill().ok());
  for (;;) {
    const Event event = slot_.Next();
    const auto* empty = std::get_if<TreeEmpty>(&event);
    if (empty == nullptr) continue;
    EXPECT_TRUE(empty->killed);
    EXPECT_FALSE(empty->unconfirmed);
    break;
  }
}

}  // namespace
}  // namespace vigil::slot
