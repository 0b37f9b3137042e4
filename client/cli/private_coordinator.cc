#include "client/cli/private_coordinator.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "client/cc/limits.h"
#include "client/cli/files.h"
#include "client/cli/limits.h"

extern char** environ;

namespace vigil::cli {
namespace {

constexpr char kDirectoryPrefix[] = "vigil-run-";
constexpr char kDefaultTemp[] = "/tmp";
// The descriptor in the coordinator to which it writes when it serves.
constexpr int kReadyFd = 3;

std::string LockPath(const std::string& directory) {
  return directory + "/lock";
}
std::string LogPath(const std::string& directory) { return directory + "/log"; }

// Takes the lock on a file that exists or, with O_CREAT, is made.
UniqueFd TryLock(const std::string& path, int flags) {
  UniqueFd file(open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | flags,
                     S_IRUSR | S_IWUSR));
  if (file.valid() && flock(file.get(), LOCK_EX | LOCK_NB) != 0) file.Reset();
  return file;
}

bool Exists(const std::string& path) { return access(path.c_str(), F_OK) == 0; }

// A directory in use is locked by its CLI, and its data by its coordinator,
// which may outlive the CLI for as long as it takes to end its tasks.
bool InUse(const std::string& directory, absl::Time made, absl::Time now) {
  if (!Exists(LockPath(directory))) return now - made < kPrivateMakingMax;
  if (!TryLock(LockPath(directory), 0).valid()) return true;
  const std::string data_lock = directory + "/data/lock";
  return Exists(data_lock) && !TryLock(data_lock, 0).valid();
}

// The directory for temporary files, unless sockets in it had too long names.
std::string TempDirectory(const Environment& environment) {
  const std::string temp = environment.Variable("TMPDIR");
  const size_t length =
      temp.size() + sizeof(kDirectoryPrefix) + sizeof("/XXXXXX/vigil.sock");
  const bool usable =
      absl::StartsWith(temp, "/") && length <= client::kSocketPathBytesMax;
  return usable ? temp : kDefaultTemp;
}

// posix_spawn's file actions and attributes, which must be destroyed.
class SpawnSetup {
 public:
  SpawnSetup() {
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    // A session of its own: the terminal's Ctrl+C is for the CLI alone.
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID |
                                              POSIX_SPAWN_SETSIGMASK |
                                              POSIX_SPAWN_SETSIGDEF);
    sigset_t none;
    sigemptyset(&none);
    posix_spawnattr_setsigmask(&attributes, &none);
    sigset_t defaults;
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
  }
  ~SpawnSetup() {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  }
  void Give(int fd, int as) {
    posix_spawn_file_actions_adddup2(&actions, fd, as);
  }

  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
};

absl::Status MakePipe(UniqueFd* read_end, UniqueFd* write_end) {
  int fds[2];
  if (pipe2(fds, O_CLOEXEC) != 0) return absl::ErrnoToStatus(errno, "pipe");
  // Above the descriptors that the coordinator is given, so that handing one
  // over never overwrites another.
  for (int& fd : fds) {
    if (fd > kReadyFd) continue;
    const int high = fcntl(fd, F_DUPFD_CLOEXEC, kReadyFd + 1);
    if (high < 0) return absl::ErrnoToStatus(errno, "dup");
    close(fd);
    fd = high;
  }
  read_end->Reset(fds[0]);
  write_end->Reset(fds[1]);
  return absl::OkStatus();
}

}  // namespace

void RemoveLeftovers(const std::string& parent, uint32_t uid, absl::Time now) {
  std::error_code error;
  std::filesystem::directory_iterator entries(parent, error);
  if (error) return;  // What cannot be listed is not ours to clean.
  std::vector<std::string> unused;
  for (const auto& entry : entries) {
    const std::string name = entry.path().filename().string();
    if (!absl::StartsWith(name, kDirectoryPrefix)) continue;
    struct stat about;
    if (lstat(entry.path().c_str(), &about) != 0 || !S_ISDIR(about.st_mode) ||
        about.st_uid != uid) {
      continue;
    }
    const absl::Time made = absl::TimeFromTimespec(about.st_mtim);
    if (!InUse(entry.path().string(), made, now)) {
      unused.push_back(entry.path().string());
    }
  }
  // One that cannot be removed now is tried again next time.
  for (const std::string& path : unused) {
    std::filesystem::remove_all(path, error);
  }
}

absl::StatusOr<std::string> PrivateCoordinator::FindProgram(
    const std::string& flag, const Environment& environment) {
  const std::string here =
      environment.program.substr(0, environment.program.rfind('/'));
  std::vector<std::string> candidates = {
      here + "/vigil-coordinator", here + "/../../coordinator/coordinator"};
  if (!flag.empty()) candidates = {flag};
  for (const std::string& candidate : candidates) {
    if (access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  return absl::NotFoundError(absl::StrCat(
      "no coordinator's program at ", candidates.front(),
      candidates.size() > 1 ? absl::StrCat(" nor at ", candidates.back()) : "",
      "; name it with --coordinator_binary"));
}

PrivateCoordinator::PrivateCoordinator(std::string directory)
    : directory_(std::move(directory)),
      address_(absl::StrCat("unix:", directory_, "/vigil.sock")),
      lock_(TryLock(LockPath(directory_), O_CREAT)) {}

absl::StatusOr<std::unique_ptr<PrivateCoordinator>> PrivateCoordinator::Start(
    const std::string& program, const Options& options,
    const Environment& environment, int* signal) {
  const std::string parent = TempDirectory(environment);
  RemoveLeftovers(parent, environment.uid, environment.clock->Now());
  std::string directory = absl::StrCat(parent, "/", kDirectoryPrefix, "XXXXXX");
  if (mkdtemp(directory.data()) == nullptr) {
    return absl::ErrnoToStatus(
        errno, absl::StrCat("cannot make a directory in ", parent));
  }
  std::unique_ptr<PrivateCoordinator> coordinator(
      new PrivateCoordinator(directory));
  if (absl::Status status = coordinator->Spawn(program, options);
      !status.ok()) {
    return status;
  }
  absl::Status status =
      coordinator->AwaitReady(environment.events, *environment.clock, signal);
  if (!status.ok()) return status;
  return coordinator;
}

absl::Status PrivateCoordinator::Spawn(const std::string& program,
                                       const Options& options) {
  UniqueFd log(open(LogPath(directory_).c_str(),
                    O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC,
                    S_IRUSR | S_IWUSR));
  if (!log.valid()) return absl::ErrnoToStatus(errno, "cannot make a log");
  UniqueFd its_stdin;
  UniqueFd its_ready;
  absl::Status status = MakePipe(&its_stdin, &stdin_);
  if (status.ok()) status = MakePipe(&ready_, &its_ready);
  if (!status.ok()) return status;

  std::vector<std::string> arguments = {
      program,
      absl::StrCat("--listen=", address_),
      absl::StrCat("--data_dir=", directory_, "/data"),
      absl::StrCat("--local_slots=", options.slots),
      "--allow_commands=true",
      "--exit_on_stdin_eof",
      absl::StrCat("--ready_fd=", kReadyFd),
  };
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);

  SpawnSetup setup;
  setup.Give(its_stdin.get(), STDIN_FILENO);
  setup.Give(log.get(), STDOUT_FILENO);
  setup.Give(log.get(), STDERR_FILENO);
  setup.Give(its_ready.get(), kReadyFd);
  const int error = posix_spawn(&pid_, program.c_str(), &setup.actions,
                                &setup.attributes, argv.data(), environ);
  if (error != 0) {
    pid_ = -1;
    return absl::ErrnoToStatus(error, absl::StrCat("cannot start ", program));
  }
  // It is our child and not waited for yet, so the pid is still its own.
  process_.Reset(static_cast<int>(syscall(SYS_pidfd_open, pid_, 0)));
  if (!process_.valid()) return absl::ErrnoToStatus(errno, "pidfd_open");
  return absl::OkStatus();
}

absl::Status PrivateCoordinator::AwaitReady(EventQueue* events,
                                            const Clock& clock, int* signal) {
  const absl::Time deadline = clock.Now() + kPrivateStartTimeout;
  for (;;) {
    const EventQueue::Wakeup wakeup =
        events->Wait(deadline - clock.Now(), ready_.get());
    if (wakeup.signal != 0) {
      *signal = wakeup.signal;
      return absl::CancelledError("interrupted");
    }
    if (wakeup.readable) {
      char byte = 0;
      if (read(ready_.get(), &byte, 1) == 1) return absl::OkStatus();
      return absl::UnavailableError(absl::StrCat(
          "the private coordinator ended before it served; its log ends:\n",
          LogTail()));
    }
    if (clock.Now() >= deadline) {
      return absl::UnavailableError(absl::StrCat(
          "the private coordinator does not serve; its log ends:\n",
          LogTail()));
    }
  }
}

std::string PrivateCoordinator::LogTail() const {
  return ReadTail(LogPath(directory_), kLogTailBytes);
}

PrivateCoordinator::~PrivateCoordinator() { Stop(kPrivateStopTimeout); }

void PrivateCoordinator::Stop(absl::Duration patience) {
  if (pid_ > 0) {
    stdin_.Reset();
    pollfd ended = {process_.get(), POLLIN, 0};
    const int limit_ms = static_cast<int>(absl::ToInt64Milliseconds(patience));
    if (!process_.valid() || poll(&ended, 1, limit_ms) != 1) {
      kill(pid_, SIGKILL);  // Not waited for yet: the pid is still its own.
    }
    siginfo_t info;
    while (waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED) != 0 &&
           errno == EINTR) {
    }
    pid_ = -1;
  }
  // What cannot be removed now is removed by a later RemoveLeftovers.
  std::error_code error;
  std::filesystem::remove_all(directory_, error);
}

}  // namespace vigil::cli
