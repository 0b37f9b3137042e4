// Proves what a worker can rely on when it starts tasks in a slot: how starts
// and exits are told, what a task finds around it, and that a slot serves one
// task after another. How: real slots run real programs; nothing sleeps, every
// wait is for an event or the end of an output.
#include "worker/slot/slot_process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "base/unique_fd.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "worker/slot/limits.h"
#include "worker/slot/slot_test_util.h"
#include "worker/slot/task_command.h"
#include "worker/slot/task_stdio.h"

namespace vigil::slot {
namespace {

using ::testing::HasSubstr;

// Writes a file of the test's own and returns its path.
std::string WriteFile(const std::string& name, const std::string& content,
                      mode_t mode) {
  const std::string path = absl::StrCat(::testing::TempDir(), "/", name);
  unlink(path.c_str());
  const UniqueFd fd(open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0700));
  EXPECT_EQ(write(fd.get(), content.data(), content.size()),
            static_cast<ssize_t>(content.size()));
  EXPECT_EQ(fchmod(fd.get(), mode), 0);
  return path;
}

TEST(SlotProcessTest, ReportsExitStatusAndThenAnEmptyTree) {
  SlotUnderTest slot;
  const WorkerEnds ends = slot.Start(Shell("echo out; echo err >&2; exit 3"));
  EXPECT_EQ(slot.Next<Exited>().status, 3);
  const auto empty = slot.Next<TreeEmpty>();
  EXPECT_EQ(empty.leftovers_killed, 0);
  EXPECT_FALSE(empty.killed);
  EXPECT_FALSE(empty.lease_expired);
  EXPECT_FALSE(empty.unconfirmed);
  EXPECT_GT(empty.max_rss_bytes, 0);
  EXPECT_EQ(ReadToEnd(ends.stdout_fd.get()), "out\n");
  EXPECT_EQ(ReadToEnd(ends.stderr_fd.get()), "err\n");
}

TEST(SlotProcessTest, GivesAWarmTaskItsChannelAsDescriptor3) {
  SlotUnderTest slot;
  absl::StatusOr<TaskStdio> stdio = MakePipes(std::nullopt);
  ASSERT_TRUE(stdio.ok()) << stdio.status();
  ASSERT_TRUE(AddChannel(*stdio).ok());
  ASSERT_TRUE(slot.process()
                  .Spawn(Shell("read line <&3; echo \"got $line\" >&3"),
                         std::move(stdio->task))
                  .ok());
  slot.Next<Spawned>();
  const int channel = stdio->worker.channel_fd.get();
  ASSERT_EQ(write(channel, "hello\n", 6), 6);
  EXPECT_EQ(ReadUntil(channel, "\n"), "got hello\n");
  // Nobody else holds the task's end.
  slot.Next<Exited>();
  slot.Next<TreeEmpty>();
  EXPECT_EQ(ReadToEnd(channel), "");
}

TEST(SlotProcessTest, GivesACommandNoDescriptor3) {
  SlotUnderTest slot;
  const WorkerEnds ends =
      slot.Start(Shell("test -e /proc/self/fd/3 || echo none"));
  EXPECT_EQ(ReadToEnd(ends.stdout_fd.get()), "none\n");
}

TEST(SlotProcessTest, ReportsTheSignalThatEndedTheTask) {
  SlotUnderTest slot;
  slot.Start(Shell("kill -SEGV $$"));
  const auto exited = slot.Next<Exited>();
  EXPECT_EQ(exited.signum, SIGSEGV);
  EXPECT_FALSE(exited.status.has_value());
  EXPECT_FALSE(slot.Next<TreeEmpty>().killed);
}

TEST(SlotProcessTest, CountsCpuTime) {
  SlotUnderTest slot;
  slot.Start(Shell("i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done"));
  slot.Next<Exited>();
  EXPECT_GT(slot.Next<TreeEmpty>().user_time, absl::Milliseconds(10));
}

TEST(SlotProcessTest, ProgramNotInPathIsNotFound) {
  SlotUnderTest slot;
  const SpawnFailed failed = slot.StartInVain(Command({"no-such-program"}));
  EXPECT_EQ(failed.error, ENOENT);
  EXPECT_EQ(failed.stage, SpawnStage::kLookup);
  EXPECT_EQ(failed.what, "no-such-program");
}

TEST(SlotProcessTest, ProgramPathThatDoesNotExistIsNotFound) {
  SlotUnderTest slot;
  const SpawnFailed failed = slot.StartInVain(Command({"/no/such/program"}));
  EXPECT_EQ(failed.error, ENOENT);
  EXPECT_EQ(failed.stage, SpawnStage::kExec);
  EXPECT_EQ(failed.what, "/no/such/program");
}

TEST(SlotProcessTest, ProgramThatIsNotExecutableIsRefused) {
  const std::string path = WriteFile("plain", "#!/bin/sh\n", 0600);
  SlotUnderTest slot;
  const SpawnFailed by_path = slot.StartInVain(Command({path}));
  EXPECT_EQ(by_path.error, EACCES);
  EXPECT_EQ(by_path.stage, SpawnStage::kExec);

  TaskCommand command = Command({"plain"});
  command.env = {absl::StrCat("PATH=/nowhere:", ::testing::TempDir())};
  const SpawnFailed by_name = slot.StartInVain(command);
  EXPECT_EQ(by_name.error, EACCES);
  EXPECT_EQ(by_name.stage, SpawnStage::kLookup);
}

TEST(SlotProcessTest, DirectoryInsteadOfAProgramIsRefused) {
  SlotUnderTest slot;
  EXPECT_EQ(slot.StartInVain(Command({"/tmp"})).error, EACCES);
  TaskCommand command = Command({"tmp"});
  command.env = {"PATH=/"};
  EXPECT_EQ(slot.StartInVain(command).error, EACCES);
}

TEST(SlotProcessTest, DirectoryInPathDoesNotHideAProgram) {
  const std::string directory = absl::StrCat(::testing::TempDir(), "/hiding");
  std::filesystem::create_directories(directory + "/true");
  SlotUnderTest slot;
  TaskCommand command = Command({"true"});
  command.env = {absl::StrCat("PATH=", directory, ":/usr/bin")};
  slot.Start(command);
  EXPECT_EQ(slot.Next<Exited>().status, 0);
}

TEST(SlotProcessTest, MissingInterpreterIsNotMistakenForAMissingProgram) {
  const std::string path = WriteFile("script", "#!/no/such/shell\n", 0700);
  SlotUnderTest slot;
  const SpawnFailed failed = slot.StartInVain(Command({path}));
  EXPECT_EQ(failed.error, ENOENT);
  EXPECT_EQ(failed.stage, SpawnStage::kInterpreter);
  EXPECT_EQ(failed.what, path);
}

TEST(SlotProcessTest, BadWorkingDirectoryIsReportedAsSuch) {
  SlotUnderTest slot;
  TaskCommand command = Shell("true");
  command.working_directory = "/no/such/directory";
  const SpawnFailed missing = slot.StartInVain(command);
  EXPECT_EQ(missing.error, ENOENT);
  EXPECT_EQ(missing.stage, SpawnStage::kWorkingDirectory);
  EXPECT_EQ(missing.what, "/no/such/directory");
  command.working_directory = "/dev/null";
  EXPECT_EQ(slot.StartInVain(command).error, ENOTDIR);
}

TEST(SlotProcessTest, RunsInTheWorkingDirectoryAndSearchesFromThere) {
  WriteFile("here", "#!/bin/sh\npwd\n", 0700);
  SlotUnderTest slot;
  TaskCommand command = Command({"here"});
  // An empty entry of PATH is the working directory.
  command.env = {"PATH=/nowhere:"};
  command.working_directory = ::testing::TempDir();
  const WorkerEnds ends = slot.Start(command);
  struct stat expected;
  struct stat found;
  std::string output = ReadToEnd(ends.stdout_fd.get());
  ASSERT_FALSE(output.empty());
  output.pop_back();
  ASSERT_EQ(stat(::testing::TempDir().c_str(), &expected), 0);
  ASSERT_EQ(stat(output.c_str(), &found), 0) << output;
  EXPECT_EQ(found.st_ino, expected.st_ino);
}

TEST(SlotProcessTest, TaskSeesExactlyTheGivenEnvironment) {
  setenv("LEAKED", "1", 1);
  SlotUnderTest slot;
  TaskCommand command = Command({"env"});
  command.env = {"B=2", "PATH=/usr/bin", "A=1 2"};
  const WorkerEnds ends = slot.Start(command);
  EXPECT_EQ(ReadToEnd(ends.stdout_fd.get()), "B=2\nPATH=/usr/bin\nA=1 2\n");
}

TEST(SlotProcessTest, SlotHasAnEmptyEnvironment) {
  setenv("LEAKED", "1", 1);
  SlotUnderTest slot;
  const UniqueFd fd(
      open(absl::StrCat("/proc/", slot.process().pid(), "/environ").c_str(),
           O_RDONLY | O_CLOEXEC));
  ASSERT_TRUE(fd.valid());
  EXPECT_EQ(ReadToEnd(fd.get()), "");
}

TEST(SlotProcessTest, TaskInheritsNoDescriptors) {
  const UniqueFd open_in_worker(open("/dev/null", O_RDONLY));
  SlotUnderTest slot;
  // ls itself opens the directory, as 3.
  const WorkerEnds ends = slot.Start(Command({"ls", "/proc/self/fd"}));
  EXPECT_EQ(ReadToEnd(ends.stdout_fd.get()), "0\n1\n2\n3\n");
}

TEST(SlotProcessTest, TaskHasDefaultSignalsAndASessionOfItsOwn) {
  signal(SIGPIPE, SIG_IGN);
  SlotUnderTest slot;
  const WorkerEnds ends = slot.Start(Command(
      {"grep", "-E", "Sig(Ign|Blk|Cgt)|^(Pid|NSsid)", "/proc/self/status"}));
  const std::string status = ReadToEnd(ends.stdout_fd.get());
  EXPECT_THAT(status, HasSubstr("SigBlk:\t0000000000000000"));
  EXPECT_THAT(status, HasSubstr("SigIgn:\t0000000000000000"));
  const size_t pid = status.find("Pid:\t") + 5;
  const std::string own_pid = status.substr(pid, status.find('\n', pid) - pid);
  EXPECT_THAT(status, HasSubstr(absl::StrCat("NSsid:\t", own_pid)));
}

TEST(SlotProcessTest, StdinIsEmptyWithoutInput) {
  SlotUnderTest slot;
  const WorkerEnds ends = slot.Start(Shell("cat; echo end"));
  EXPECT_EQ(ReadToEnd(ends.stdout_fd.get()), "end\n");
}

TEST(SlotProcessTest, StdinIsTheInputAndCannotBeChanged) {
  const std::string input(1 << 20, 'x');
  SlotUnderTest slot;
  absl::StatusOr<TaskStdio> stdio = MakePipes(input);
  ASSERT_TRUE(stdio.ok()) << stdio.status();
  ASSERT_TRUE(slot.process()
                  .Spawn(Shell("wc -c; echo y 2>/dev/null >&0 || echo sealed"),
                         std::move(stdio->task))
                  .ok());
  EXPECT_EQ(ReadToEnd(stdio->worker.stdout_fd.get()), "1048576\nsealed\n");
}

TEST(SlotProcessTest, TerminalIsTheTasksOwn) {
  SlotUnderTest slot;
  absl::StatusOr<TaskStdio> stdio = MakeTerminal(std::nullopt);
  ASSERT_TRUE(stdio.ok()) << stdio.status();
  TaskCommand command = Shell(
      "test -t 0 && test -t 1 && test -t 2 && echo terminal; stty size;"
      "echo controlling > /dev/tty; cat; echo err >&2");
  command.pty = true;
  ASSERT_TRUE(slot.process().Spawn(command, std::move(stdio->task)).ok());
  EXPECT_FALSE(stdio->worker.stderr_fd.valid());
  // An end of file was typed already: cat has ended.
  EXPECT_EQ(ReadToEnd(stdio->worker.stdout_fd.get()),
            "terminal\r\n24 80\r\ncontrolling\r\nerr\r\n");
  slot.Next<Spawned>();
  EXPECT_EQ(slot.Next<Exited>().status, 0);
}

TEST(SlotProcessTest, TerminalDoesNotEcho) {
  SlotUnderTest slot;
  absl::StatusOr<TaskStdio> stdio = MakeTerminal(std::nullopt);
  ASSERT_TRUE(stdio.ok()) << stdio.status();
  ASSERT_EQ(write(stdio->worker.stdout_fd.get(), "typed\n", 6), 6);
  TaskCommand command = Shell("cat; read line; echo \"got $line\"");
  command.pty = true;
  ASSERT_TRUE(slot.process().Spawn(command, std::move(stdio->task)).ok());
  EXPECT_EQ(ReadToEnd(stdio->worker.stdout_fd.get()), "got typed\r\n");
}

TEST(SlotProcessTest, TerminalTakesInputFromAFile) {
  SlotUnderTest slot;
  absl::StatusOr<TaskStdio> stdio = MakeTerminal("input\n");
  ASSERT_TRUE(stdio.ok()) << stdio.status();
  TaskCommand command = Shell("cat; test -t 0 || test -t 1 && echo both");
  command.pty = true;
  ASSERT_TRUE(slot.process().Spawn(command, std::move(stdio->task)).ok());
  EXPECT_EQ(ReadToEnd(stdio->worker.stdout_fd.get()), "input\r\nboth\r\n");
}

TEST(SlotProcessTest, SignalReachesTheWholeProcessGroup) {
  SlotUnderTest slot;
  const WorkerEnds ends =
      slot.Start(Shell("trap 'wait; echo parent; exit 4' TERM\n"
                       "(trap 'echo child; exit' TERM; echo ready; "
                       " while :; do sleep 0.01; done) & wait"));
  EXPECT_EQ(ReadUntil(ends.stdout_fd.get(), "ready\n"), "ready\n");
  ASSERT_TRUE(slot.process().SendSignal(SIGTERM, SignalScope::kGroup).ok());
  EXPECT_EQ(ReadToEnd(ends.stdout_fd.get()), "child\nparent\n");
  EXPECT_EQ(slot.Next<Exited>().status, 4);
  EXPECT_FALSE(slot.Next<TreeEmpty>().killed);
}

TEST(SlotProcessTest, ServesOneTaskAfterAnother) {
  SlotUnderTest slot;
  for (int status = 0; status < 20; ++status) {
    slot.Start(Shell(absl::StrCat("exit ", status)));
    EXPECT_EQ(slot.Next<Exited>().status, status);
    slot.Next<TreeEmpty>();
    slot.StartInVain(Command({"no-such-program"}));
  }
}

TEST(SlotProcessTest, DoesNotLeakDescriptors) {
  SlotUnderTest slot;
  const auto count_open = [&slot] {
    const std::filesystem::directory_iterator directory(
        absl::StrCat("/proc/", slot.process().pid(), "/fd"));
    return std::distance(begin(directory), end(directory));
  };
  const auto before = count_open();
  for (int i = 0; i < 10; ++i) {
    slot.StartInVain(Command({"no-such-program"}));
    slot.Start(Command({"sleep", "1000"}));
    slot.StartInVain(Command({"refused-while-the-other-runs"}));
    EXPECT_TRUE(slot.process().Kill().ok());
    slot.Next<Exited>();
    slot.Next<TreeEmpty>();
  }
  EXPECT_EQ(count_open(), before);
}

TEST(SlotProcessTest, StartWithoutFreeDescriptorsFailsAndTheNextSucceeds) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "the sanitizers' own checks need descriptors";
#endif
  SlotUnderTest slot;
  const pid_t pid = slot.process().pid();
  rlimit usual;
  ASSERT_EQ(prlimit(pid, RLIMIT_NOFILE, nullptr, &usual), 0);
  // It has 0 to 5 open: two of the four that are sent arrive.
  const rlimit two_left = {8, usual.rlim_max};
  ASSERT_EQ(prlimit(pid, RLIMIT_NOFILE, &two_left, nullptr), 0);
  const SpawnFailed failed = slot.StartInVain(Command({"true"}));
  EXPECT_EQ(failed.error, EMFILE);
  EXPECT_EQ(failed.stage, SpawnStage::kRequest);
  ASSERT_EQ(prlimit(pid, RLIMIT_NOFILE, &usual, nullptr), 0);
  slot.Start(Command({"true"}));
}

TEST(SlotProcessTest, RefusesASecondTaskWhileOneRuns) {
  SlotUnderTest slot;
  slot.Start(Command({"sleep", "1000"}));
  const SpawnFailed failed = slot.StartInVain(Shell("true"));
  EXPECT_EQ(failed.error, EBUSY);
  EXPECT_EQ(failed.stage, SpawnStage::kRequest);
}

TEST(SlotProcessTest, AnswersPings) {
  SlotUnderTest slot;
  ASSERT_TRUE(slot.process().Ping(7).ok());
  EXPECT_EQ(slot.Next<Pong>().number, 7u);
}

TEST(SlotProcessTest, SignalsOfAWorkersTerminalDoNotEndASlot) {
  SlotUnderTest slot;
  for (const int signum : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) {
    ASSERT_EQ(kill(slot.process().pid(), signum), 0);
  }
  ASSERT_TRUE(slot.process().Ping(1).ok());
  EXPECT_EQ(slot.Next<Pong>().number, 1u);
}

TEST(SlotProcessTest, ACommandThatCanNeverStartIsRefusedBeforeItIsSent) {
  SlotUnderTest slot;
  absl::StatusOr<TaskStdio> stdio = MakePipes(std::nullopt);
  ASSERT_TRUE(stdio.ok()) << stdio.status();
  EXPECT_TRUE(absl::IsInvalidArgument(
      slot.process().Spawn(TaskCommand(), std::move(stdio->task))));
}

TEST(SlotProcessTest, CommandsOfEverySizeArriveWhole) {
  SlotUnderTest slot;
  // Around the largest that travels in the packet itself.
  for (const size_t size :
       {size_t{1}, kCommandInlineBytesMax - 100, kCommandInlineBytesMax - 60,
        kCommandInlineBytesMax, kMessageMaxBytes, size_t{100'000}}) {
    const WorkerEnds ends =
        slot.Start(Command({"sh", "-c", "printf %s \"$1\" | wc -c", "sh",
                            std::string(size, 'x')}));
    EXPECT_EQ(ReadToEnd(ends.stdout_fd.get()), absl::StrCat(size, "\n"));
    EXPECT_EQ(slot.Next<Exited>().status, 0);
    EXPECT_FALSE(slot.Next<TreeEmpty>().unconfirmed);
  }
}

// A command that stays until somebody writes to the pipe at `path`.
TaskCommand Waiter(const std::string& path, bool brief) {
  unlink(path.c_str());
  EXPECT_EQ(mkfifo(path.c_str(), 0600), 0);
  TaskCommand command = Shell(absl::StrCat("read line < ", path));
  command.brief = brief;
  return command;
}

TEST(SlotProcessTest, TheStartOfATaskIsToldAtOnceAndItsEndWithTheProof) {
  SlotUnderTest slot;
  const std::string path = absl::StrCat(::testing::TempDir(), "/start");
  for (const bool brief : {false, true}) {
    const WorkerEnds ends = slot.Start(Waiter(path, brief));
    EXPECT_FALSE(slot.process().has_received()) << "it stays";
    std::ofstream(path) << "go\n";
    EXPECT_EQ(slot.Next<Exited>().status, 0);
    EXPECT_TRUE(slot.process().has_received());
    EXPECT_FALSE(slot.Next<TreeEmpty>().unconfirmed);
    EXPECT_FALSE(slot.process().has_received());
  }
}

TEST(SlotProcessTest, TheStartOfABriefTaskIsToldWithItsEndIfThatComesAtOnce) {
  SlotUnderTest slot;
  TaskCommand command = Command({"true"});
  command.brief = true;
  // Not each of them ends in time on a busy machine.
  bool with_end = false;
  while (!with_end) {
    const WorkerEnds ends = slot.Start(command);
    with_end = slot.process().has_received();
    EXPECT_EQ(slot.Next<Exited>().status, 0);
    slot.Next<TreeEmpty>();
  }
}

TEST(SlotProcessTest, AnArgumentTooLongForTheKernelIsAFailedStart) {
  SlotUnderTest slot;
  const SpawnFailed failed =
      slot.StartInVain(Command({"true", std::string(1 << 20, 'x')}));
  EXPECT_EQ(failed.error, E2BIG);
  EXPECT_EQ(failed.stage, SpawnStage::kExec);
}

TEST(SlotProcessTest, MissingSlotProgramIsNotFound) {
  EXPECT_TRUE(absl::IsNotFound(SlotProcess::Start("/no/such/slot").status()));
}

TEST(SlotProcessTest, AKilledSlotIsSeenAsClosedAndReaped) {
  SlotUnderTest slot;
  absl::StatusOr<std::optional<int>> status = slot.process().Reap();
  ASSERT_TRUE(status.ok()) << status.status();
  EXPECT_FALSE(status->has_value());
  ASSERT_TRUE(slot.process().KillSelf().ok());
  ASSERT_TRUE(WaitReadable(slot.process().pidfd()));
  EXPECT_TRUE(absl::IsAborted(slot.process().Receive().status()));
  EXPECT_TRUE(absl::IsAborted(slot.process().Ping(1)));
  status = slot.process().Reap();
  ASSERT_TRUE(status.ok()) << status.status();
  ASSERT_TRUE(status->has_value());
  EXPECT_TRUE(WIFSIGNALED(**status));
  EXPECT_TRUE(absl::IsNotFound(slot.process().Reap().status()));
  EXPECT_TRUE(slot.process().KillSelf().ok());
}

TEST(SlotProcessTest, RefusesToBeStartedByHand) {
  FILE* output =
      popen(absl::StrCat(SlotBinary(), " 2>&1 3</dev/null").c_str(), "r");
  ASSERT_NE(output, nullptr);
  const std::string text = ReadToEnd(fileno(output));
  const int status = pclose(output);
  EXPECT_EQ(WEXITSTATUS(status), 64);
  EXPECT_THAT(text, HasSubstr("started by a Vigil worker, not by hand"));
}

}  // namespace
}  // namespace vigil::slot
