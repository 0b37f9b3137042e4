#include "worker/slot/task_launcher.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <cstring>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "base/check.h"
#include "base/clock.h"
#include "worker/slot/limits.h"
#include "worker/slot/nesting_judge.h"
#include "worker/slot/stat_line.h"

namespace vigil::slot {
namespace {

// What the child needs, prepared by the parent; and where the child, which
// shares the parent's memory, leaves why it failed.
struct Child {
  const char* program;
  char* const* argv;
  char* const* env;
  std::array<int, 3> stdio;
  // -1: none.
  int channel;
  // -1: stay.
  int working_directory;
  bool pty;
  // -1: none.
  int record;
  pid_t parent;
  // In clock ticks since boot, before the call that starts it.
  uint64_t start_ticks_min;
  // To be installed; nullptr: it inherits one, or there is none.
  const NestingFilter* filter;
  // Lets clone pass the filter that the caller wears.
  pid_t* secret;

  // In the table of descriptors that both share at first.
  volatile int listener = -1;
  volatile int error = 0;
  volatile SpawnStage stage = SpawnStage::kSetup;
};

bool UnblockSignals() {
  sigset_t none;
  sigemptyset(&none);
  return sigprocmask(SIG_SETMASK, &none, nullptr) == 0;
}

// Takes a table of descriptors of its own, in which all but the standard ones
// are close-on-exec.
bool LeaveDescriptors() {
  if (close_range(3, ~0U, CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC) == 0) {
    return true;
  }
  // Absent before Linux 5.11.
  return (errno == ENOSYS || errno == EINVAL) && unshare(CLONE_FILES) == 0;
}

// The listener stays in the parent's table: no need to send it there.
bool InstallFilter(Child& child) {
  if (child.filter == nullptr) return true;
  child.listener = child.filter->Install(NestingFilter::Asks::kThreads);
  const bool installed = child.listener >= 0;
  return LeaveDescriptors() && installed;
}

bool SetUp(const Child& child) {
  if (setsid() < 0) return false;
  // The slot's death takes the task along. If the slot died before this call
  // nobody will signal, and the parent is another.
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return false;
  if (getppid() != child.parent) _exit(127);
  for (int fd = 0; fd < 3; ++fd) {
    if (dup2(child.stdio[static_cast<size_t>(fd)], fd) < 0) return false;
  }
  // Everything is close-on-exec already; this catches what a library forgot.
  // With a filter it is done (LeaveDescriptors). Absent before Linux 5.9.
  if (child.filter == nullptr &&
      close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) != 0 && errno != ENOSYS &&
      errno != EINVAL) {
    return false;
  }
  if (child.pty && ioctl(1, TIOCSCTTY, 0) != 0) return false;
  return UnblockSignals();
}

// Makes `channel` the task's kChannelFd. After all that uses other descriptors:
// one of them may have that number.
bool PlaceChannel(int channel) {
  if (channel < 0) return true;
  if (channel == kChannelFd) return fcntl(channel, F_SETFD, 0) == 0;
  return dup2(channel, kChannelFd) >= 0;
}

// Puts `number` and `end` at `to`; returns what is behind them. The C library's
// own may take locks.
char* PutNumber(uint64_t number, char end, char* to) {
  std::array<char, 20> digits;
  size_t count = 0;
  do {
    digits[count++] = static_cast<char>('0' + number % 10);
    number /= 10;
  } while (number > 0);
  while (count > 0) *to++ = digits[--count];
  *to++ = end;
  return to;
}

// Notes this process in the slot's record: whoever comes after a killed slot
// and worker finds it there, whatever the program does next. When it started is
// put down as a range, since to read it in /proc costs more than all the rest.
bool WriteRecord(const Child& child) {
  if (child.record < 0) return true;
  std::array<char, kTaskLineBytesMax> line;
  char* end = PutNumber(static_cast<uint64_t>(getpid()), ' ', line.data());
  end = PutNumber(child.start_ticks_min, ' ', end);
  end = PutNumber(TicksAt(BoottimeNow()), '\n', end);
  const ssize_t size = end - line.data();
  // A write that is cut short says nothing.
  errno = EIO;
  return pwrite(child.record, line.data(), static_cast<size_t>(size),
                kRecordHeaderBytes) == size;
}

// Runs in the child, on a stack of its own, while the parent is suspended. Only
// system calls: locks and buffers here are the parent's.
__attribute__((no_sanitize("address", "undefined"))) int ChildMain(
    void* argument) {
  Child& child = *static_cast<Child*>(argument);
  if (!InstallFilter(child) || !SetUp(child)) {
    child.stage = SpawnStage::kSetup;
  } else if (!WriteRecord(child)) {
    child.stage = SpawnStage::kSetup;
  } else if (child.working_directory >= 0 &&
             fchdir(child.working_directory) != 0) {
    child.stage = SpawnStage::kWorkingDirectory;
  } else if (!PlaceChannel(child.channel)) {
    child.stage = SpawnStage::kSetup;
  } else {
    execve(child.program, child.argv, child.env);
    child.stage = SpawnStage::kExec;
  }
  child.error = errno;
  _exit(127);
}

bool IsDirectory(int directory, const std::string& path) {
  struct stat info;
  return fstatat(directory, path.c_str(), &info, 0) == 0 &&
         S_ISDIR(info.st_mode);
}

absl::string_view SearchPath(const TaskCommand& command) {
  for (absl::string_view variable : command.env) {
    if (absl::ConsumePrefix(&variable, "PATH=")) return variable;
  }
  return kDefaultPath;
}

// Looks `name` up in PATH, as execvp would, from the directory `start`. Returns
// the path; or empty, and `error` says why: ENOENT, or EACCES when something of
// that name was there but could not be executed.
std::string Resolve(const std::string& name, absl::string_view search_path,
                    int start, int& error) {
  error = ENOENT;
  for (absl::string_view directory : absl::StrSplit(search_path, ':')) {
    // An empty entry means the working directory.
    std::string path =
        directory.empty() ? name : absl::StrCat(directory, "/", name);
    if (path.size() >= PATH_MAX) continue;
    if (faccessat(start, path.c_str(), X_OK, AT_EACCESS) == 0) {
      if (!IsDirectory(start, path)) {
        // Without a slash execve would mean the same file.
        return path;
      }
      error = EACCES;
    } else if (errno == EACCES) {
      error = EACCES;
    }
  }
  return "";
}

SpawnFailed Failure(int error, SpawnStage stage, absl::string_view what) {
  return SpawnFailed{error, stage, std::string(what.substr(0, kWhatMaxBytes))};
}

std::vector<char*> Pointers(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  pointers.reserve(strings.size() + 1);
  for (const std::string& string : strings) {
    pointers.push_back(const_cast<char*>(string.c_str()));
  }
  pointers.push_back(nullptr);
  return pointers;
}

// Clones `child` and waits until it runs another program or has failed.
pid_t CloneChild(Child& child) {
  alignas(64) std::array<char, kChildStackBytes> stack;
  int flags = CLONE_VM | CLONE_VFORK | SIGCHLD;
  if (child.filter != nullptr) flags |= CLONE_FILES;
  return clone(ChildMain, stack.data() + stack.size(), flags, &child,
               child.secret);
}

}  // namespace

std::variant<Spawned, SpawnFailed> LaunchTask(const TaskCommand& command,
                                              const TaskEnds& ends,
                                              const LaunchOptions& options,
                                              UniqueFd* listener) {
  const bool own_filter =
      options.filter != nullptr && !IsAsked(command.nesting);
  const std::array<int, 3> stdio = {ends.stdin_fd.get(), ends.stdout_fd.get(),
                                    ends.stderr_fd.get()};
  for (const int fd : stdio) {
    VIGIL_CHECK(fd > 2, "a task's descriptors do not overlap with 0, 1 and 2");
  }
  VIGIL_CHECK(!command.argv.empty(), "a command has a program");

  UniqueFd directory;
  if (!command.working_directory.empty()) {
    directory.Reset(open(command.working_directory.c_str(),
                         O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!directory.valid()) {
      return Failure(errno, SpawnStage::kWorkingDirectory,
                     command.working_directory);
    }
  }
  const int start_directory = directory.valid() ? directory.get() : AT_FDCWD;

  std::string program = command.argv.front();
  if (!absl::StrContains(program, '/')) {
    int error = 0;
    program = Resolve(program, SearchPath(command), start_directory, error);
    if (program.empty()) {
      return Failure(error, SpawnStage::kLookup, command.argv.front());
    }
  }

  const std::vector<char*> argv = Pointers(command.argv);
  const std::vector<char*> env = Pointers(command.env);
  Child child{
      .program = program.c_str(),
      .argv = argv.data(),
      .env = env.data(),
      .stdio = stdio,
      .channel = ends.channel_fd.get(),
      .working_directory = directory.get(),
      .pty = command.pty,
      .record = options.record_fd,
      .parent = getpid(),
      .start_ticks_min = TicksAt(BoottimeNow()),
      .filter = own_filter ? options.filter : nullptr,
      .secret = options.filter != nullptr ? options.filter->secret() : nullptr};
  pid_t pid = 0;
  int clone_error = 0;
  const auto start = [&] {
    pid = CloneChild(child);
    clone_error = errno;
  };
  if (own_filter) {
    options.unfiltered->Run(start);
  } else {
    start();
  }
  listener->Reset(child.listener);
  if (pid < 0) return Failure(clone_error, SpawnStage::kFork, program);
  if (child.error == 0) return Spawned{pid};
  listener->Reset();

  // It has called _exit: this does not block.
  while (waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
  SpawnStage stage = child.stage;
  if (stage == SpawnStage::kExec && child.error == ENOENT &&
      faccessat(start_directory, program.c_str(), F_OK, AT_EACCESS) == 0) {
    stage = SpawnStage::kInterpreter;
  }
  return Failure(child.error, stage,
                 stage == SpawnStage::kWorkingDirectory
                     ? command.working_directory
                     : program);
}

}  // namespace vigil::slot
