// Proves confirmed death: whatever ends a task (its own exit, a kill, the
// lease, the loss of its worker), nothing of its tree is left. How: every
// process of a test's trees inherits the task's stdout, so the end of that pipe
// proves that the last of them is gone; nothing sleeps.
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "base/unique_fd.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "worker/slot/slot_process.h"
#include "worker/slot/slot_test_util.h"
#include "worker/slot/task_command.h"
#include "worker/slot/task_stdio.h"

namespace vigil::slot {
namespace {

// Two helpers, one in a session of its own, that nobody waits for; both deaf to
// SIGTERM. `ready` appears when both are there.
constexpr char kHelpers[] =
    "trap '' TERM; sleep 1000 & setsid sleep 1000 & echo ready; ";

TEST(SlotFencingTest, LeftoversAreKilledAndCountedAfterTheExit) {
  SlotUnderTest slot;
  const WorkerEnds ends =
      slot.Start(Shell("sleep 1000 & setsid sleep 1000 & exit 3"));
  EXPECT_EQ(slot.Next<Exited>().status, 3);
  const auto empty = slot.Next<TreeEmpty>();
  EXPECT_EQ(empty.leftovers_killed, 2);
  EXPECT_FALSE(empty.killed);
  EXPECT_EQ(ReadToEnd(ends.stdout_fd.get()), "");
}

TEST(SlotFencingTest, KillEndsATreeThatIgnoresSigterm) {
  SlotUnderTest slot;
  const WorkerEnds ends =
      slot.Start(Shell(std::string(kHelpers) + "while :; do sleep 0.01; done"));
  ReadUntil(ends.stdout_fd.get(), "ready\n");
  ASSERT_TRUE(slot.process().SendSignal(SIGTERM, SignalScope::kGroup).ok());
  // In order behind the signal: the task has survived it.
  ASSERT_TRUE(slot.process().Ping(1).ok());
  slot.Next<Pong>();
  ASSERT_TRUE(slot.process().Kill().ok());
  EXPECT_EQ(slot.Next<Exited>().signum, SIGKILL);
  const auto empty = slot.Next<TreeEmpty>();
  EXPECT_TRUE(empty.killed);
  EXPECT_GE(empty.leftovers_killed, 2);
  EXPECT_EQ(ReadToEnd(ends.stdout_fd.get()), "");
}

TEST(SlotFencingTest, KillEndsAStoppedTree) {
  SlotUnderTest slot;
  const WorkerEnds ends = slot.Start(Shell("echo ready; kill -STOP $$"));
  ReadUntil(ends.stdout_fd.get(), "ready\n");
  ASSERT_TRUE(slot.process().Kill().ok());
  EXPECT_EQ(slot.Next<Exited>().signum, SIGKILL);
  EXPECT_TRUE(slot.Next<TreeEmpty>().killed);
}

TEST(SlotFencingTest, TwoHundredReforkingProcessesAreKilled) {
  SlotUnderTest slot;
  // Each chain replaces itself by a new process in a new session for ever.
  const WorkerEnds ends = slot.Start(
      Shell("chain() { setsid sh -c \"$1\" chain \"$1\" & }\n"
            "i=0; while [ $i -lt 200 ]; do i=$((i+1));\n"
            "chain 'sleep 0.2; setsid sh -c \"$1\" chain \"$1\" &'; done\n"
            "echo ready; while :; do sleep 1; done"));
  ReadUntil(ends.stdout_fd.get(), "ready\n");
  ASSERT_TRUE(slot.process().Kill().ok());
  EXPECT_EQ(slot.Next<Exited>().signum, SIGKILL);
  const auto empty = slot.Next<TreeEmpty>();
  EXPECT_FALSE(empty.unconfirmed);
  EXPECT_GE(empty.leftovers_killed, 200);
  EXPECT_EQ(ReadToEnd(ends.stdout_fd.get()), "");
}

TEST(SlotFencingTest, TheLeaseKillsWithoutGrace) {
  SlotUnderTest slot;
  const absl::Duration lease = BoottimeNow() + absl::Seconds(1);
  ASSERT_TRUE(slot.process().Lease(lease).ok());
  const WorkerEnds ends =
      slot.Start(Shell(std::string(kHelpers) + "sleep 1000"));
  EXPECT_EQ(slot.Next<Exited>().signum, SIGKILL);
  EXPECT_GE(BoottimeNow(), lease);
  const auto empty = slot.Next<TreeEmpty>();
  EXPECT_TRUE(empty.killed);
  EXPECT_TRUE(empty.lease_expired);
  EXPECT_EQ(ReadToEnd(ends.stdout_fd.get()), "ready\n");

  // Nothing starts until the lease is renewed.
  const SpawnFailed failed = slot.StartInVain(Shell("true"));
  EXPECT_EQ(failed.error, ETIME);
  EXPECT_EQ(failed.stage, SpawnStage::kLease);
  ASSERT_TRUE(slot.process().Lease(BoottimeNow() + absl::Hours(1)).ok());
  slot.Start(Shell("exit 5"));
  EXPECT_EQ(slot.Next<Exited>().status, 5);
}

TEST(SlotFencingTest, ARenewedLeaseDoesNotKill) {
  SlotUnderTest slot;
  ASSERT_TRUE(slot.process().Lease(BoottimeNow() + absl::Seconds(1)).ok());
  slot.Start(Shell("sleep 1.2; exit 6"));
  ASSERT_TRUE(slot.process().Lease(BoottimeNow() + absl::Hours(1)).ok());
  EXPECT_EQ(slot.Next<Exited>().status, 6);
  EXPECT_FALSE(slot.Next<TreeEmpty>().lease_expired);
}

TEST(SlotFencingTest, TheLossOfItsWorkerKillsTheTreeAndEndsTheSlot) {
  absl::StatusOr<SlotProcess> slot = SlotProcess::Start(SlotBinary());
  ASSERT_TRUE(slot.ok()) << slot.status();
  const pid_t pid = slot->pid();
  absl::StatusOr<TaskStdio> stdio = MakePipes(std::nullopt);
  ASSERT_TRUE(stdio.ok()) << stdio.status();
  ASSERT_TRUE(slot->Spawn(Shell(std::string(kHelpers) + "sleep 1000"),
                          std::move(stdio->task))
                  .ok());
  ReadUntil(stdio->worker.stdout_fd.get(), "ready\n");
  { const SlotProcess gone = *std::move(slot); }
  EXPECT_EQ(ReadToEnd(stdio->worker.stdout_fd.get()), "");
  int status = -1;
  ASSERT_EQ(waitpid(pid, &status, 0), pid);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(SlotFencingTest, AStoppedWorkerIsFencedByItsSlot) {
  absl::StatusOr<TaskStdio> stdio = MakePipes(std::nullopt);
  ASSERT_TRUE(stdio.ok()) << stdio.status();
  const pid_t worker = fork();
  ASSERT_GE(worker, 0);
  if (worker == 0) {
    absl::StatusOr<SlotProcess> slot = SlotProcess::Start(SlotBinary());
    const bool sent = slot.ok() &&
                      slot->Lease(BoottimeNow() + absl::Seconds(1)).ok() &&
                      slot->Spawn(Shell(std::string(kHelpers) + "sleep 1000"),
                                  std::move(stdio->task))
                          .ok();
    if (sent) raise(SIGSTOP);
    _exit(sent ? 0 : 1);
  }
  stdio->task = TaskEnds();
  int status = 0;
  ASSERT_EQ(waitpid(worker, &status, WUNTRACED), worker);
  ASSERT_TRUE(WIFSTOPPED(status));
  // The worker stays stopped; all of the tree ends nevertheless.
  EXPECT_EQ(ReadToEnd(stdio->worker.stdout_fd.get()), "ready\n");
  EXPECT_EQ(waitpid(worker, &status, WNOHANG), 0);
  ASSERT_EQ(kill(worker, SIGKILL), 0);
  EXPECT_EQ(waitpid(worker, &status, 0), worker);
}

TEST(SlotFencingTest, AWorkerThatDoesNotReadIsFencedToo) {
  SlotUnderTest slot;
  const WorkerEnds ends = slot.Start(Command({"sleep", "1000"}));
  ASSERT_TRUE(slot.process().Lease(BoottimeNow() + absl::Seconds(1)).ok());
  // Until both directions of the socket are full: the slot has stopped reading
  // requests because nobody reads its events.
  uint64_t pings = 0;
  pollfd room = {slot.process().fd(), POLLOUT, 0};
  while (poll(&room, 1, /*timeout=*/300) == 1) {
    while (slot.process().Ping(pings + 1).ok()) ++pings;
  }
  // poll wants more room than a packet needs.
  while (slot.process().Ping(pings + 1).ok()) ++pings;
  EXPECT_TRUE(absl::IsResourceExhausted(slot.process().Ping(pings + 1)));
  EXPECT_EQ(ReadToEnd(ends.stdout_fd.get()), "");

  // What was said meanwhile is not lost, and in order.
  uint64_t pongs = 0;
  bool exited = false;
  for (;;) {
    const Event event = slot.Next();
    if (const Pong* pong = std::get_if<Pong>(&event)) {
      ASSERT_EQ(pong->number, ++pongs);
    } else if (std::holds_alternative<Exited>(event)) {
      exited = true;
    } else {
      ASSERT_TRUE(std::holds_alternative<TreeEmpty>(event));
      EXPECT_TRUE(std::get<TreeEmpty>(event).lease_expired);
      break;
    }
  }
  EXPECT_TRUE(exited);
  for (; pongs < pings; ++pongs) {
    ASSERT_EQ(slot.Next<Pong>().number, pongs + 1);
  }
}

TEST(SlotFencingTest, ARequestThatCannotBeReadEndsTheTreeAndTheSlot) {
  SlotUnderTest slot;
  const WorkerEnds ends =
      slot.Start(Shell(std::string(kHelpers) + "sleep 1000"));
  ReadUntil(ends.stdout_fd.get(), "ready\n");
  ASSERT_EQ(send(slot.process().fd(), "\xff", 1, 0), 1);
  EXPECT_EQ(ReadToEnd(ends.stdout_fd.get()), "");
  ASSERT_TRUE(WaitReadable(slot.process().pidfd()));
  EXPECT_TRUE(absl::IsAborted(slot.process().Receive().status()));
}

TEST(SlotFencingTest, AKilledSlotTakesItsTaskProcessAlong) {
  // The slot's own thread starts a task that is asked for its processes,
  // another one those that are not.
  for (const int max_processes : {1, 1000}) {
    SlotUnderTest slot;
    TaskCommand command = Command({"sleep", "1000"});
    command.nesting.max_processes = max_processes;
    const WorkerEnds ends = slot.Start(command);
    ASSERT_TRUE(slot.process().KillSelf().ok());
    EXPECT_EQ(ReadToEnd(ends.stdout_fd.get()), "") << max_processes;
  }
}

}  // namespace
}  // namespace vigil::slot
