#include "coordinator/local/local_worker.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "base/log.h"
#include "coordinator/local/orphans.h"

namespace vigil::coordinator {
namespace {

// A worker that does not start is tried again this often at first, then less.
constexpr absl::Duration kRestartDelayMin = absl::Milliseconds(100);
constexpr absl::Duration kRestartDelayMax = absl::Seconds(10);
// One that lived this long counts as started.
constexpr absl::Duration kSettled = absl::Seconds(10);

// Descriptors of the worker: where it reads the token, and where it sees the
// death of this process.
constexpr int kTokenFd = 3;
constexpr int kParentFd = 4;

}  // namespace

LocalWorker::LocalWorker(Options options)
    : options_(std::move(options)), thread_([this] { Run(); }) {}

LocalWorker::~LocalWorker() { Stop(); }

void LocalWorker::Reload() {
  absl::MutexLock lock(&mutex_);
  if (pid_ > 0) kill(pid_, SIGHUP);
}

void LocalWorker::Kill() {
  absl::MutexLock lock(&mutex_);
  if (pid_ > 0) kill(pid_, SIGKILL);
}

void LocalWorker::Drain() {
  absl::MutexLock lock(&mutex_);
  stopping_ = true;
  if (pid_ > 0) kill(pid_, SIGTERM);
  sleeper_.Wake();
}

void LocalWorker::Stop() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
    if (pid_ > 0) kill(pid_, SIGKILL);
  }
  sleeper_.Wake();
  if (thread_.joinable()) thread_.join();
}

pid_t LocalWorker::Start(UniqueFd* parent_end) {
  int token_pipe[2];
  int parent_pipe[2];
  if (pipe2(token_pipe, O_CLOEXEC) != 0) return -1;
  UniqueFd token_read(token_pipe[0]);
  UniqueFd token_write(token_pipe[1]);
  if (pipe2(parent_pipe, O_CLOEXEC) != 0) return -1;
  UniqueFd parent_read(parent_pipe[0]);
  parent_end->Reset(parent_pipe[1]);
  // Far below the pipe's capacity: does not block.
  if (write(token_write.get(), options_.token.data(), options_.token.size()) !=
      static_cast<ssize_t>(options_.token.size())) {
    return -1;
  }
  token_write.Reset();

  std::vector<std::string> arguments = {options_.binary};
  arguments.insert(arguments.end(), options_.arguments.begin(),
                   options_.arguments.end());
  arguments.push_back(absl::StrCat("--local_token_fd=", kTokenFd));
  arguments.push_back(absl::StrCat("--parent_fd=", kParentFd));
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  // Through numbers above both targets, so that neither overwrites the other.
  constexpr int kAbove = 10;
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null",
                                   O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, token_read.get(), kAbove);
  posix_spawn_file_actions_adddup2(&actions, parent_read.get(), kAbove + 1);
  posix_spawn_file_actions_adddup2(&actions, kAbove, kTokenFd);
  posix_spawn_file_actions_adddup2(&actions, kAbove + 1, kParentFd);
  posix_spawn_file_actions_addclosefrom_np(&actions, kParentFd + 1);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  // Out of the terminal's reach: Ctrl+C is for the coordinator to handle.
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID |
                                            POSIX_SPAWN_SETSIGMASK |
                                            POSIX_SPAWN_SETSIGDEF);
  sigset_t none;
  sigemptyset(&none);
  sigset_t all;
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  pid_t pid = -1;
  const int error = posix_spawn(&pid, options_.binary.c_str(), &actions,
                                &attributes, argv.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) {
    Log(LogSeverity::kError,
        absl::StrCat("cannot start the local worker ", options_.binary, ": ",
                     strerror(error)));
    return -1;
  }
  return pid;
}

void LocalWorker::Run() {
  absl::Duration delay = kRestartDelayMin;
  for (;;) {
    // Its other end tells the worker that this process is gone.
    UniqueFd parent_end;
    const absl::Duration started = BoottimeNow();
    bool stopping;
    {
      absl::MutexLock lock(&mutex_);
      stopping = stopping_;
      if (!stopping) pid_ = Start(&parent_end);
    }
    if (stopping) {
      options_.on_dead(false);
      return;
    }
    pid_t pid;
    {
      absl::MutexLock lock(&mutex_);
      pid = pid_;
    }
    if (pid > 0) {
      // Wait without reaping: until pid_ is cleared the pid must stay its own.
      siginfo_t info;
      while (waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT) !=
                 0 &&
             errno == EINTR) {
      }
    }
    bool restarts;
    {
      absl::MutexLock lock(&mutex_);
      pid_ = 0;
      restarts = !stopping_;
    }
    const int reaped = KillAndReapAllChildren();
    if (pid > 0 && restarts) {
      Log(LogSeverity::kWarning,
          absl::StrCat("the local worker ended; ", reaped - 1,
                       " processes under it were killed; starting another"));
    }
    options_.on_dead(restarts);
    if (!restarts) return;
    delay = BoottimeNow() - started > kSettled
                ? kRestartDelayMin
                : std::min(2 * delay, kRestartDelayMax);
    sleeper_.Sleep(delay);
  }
}

}  // namespace vigil::coordinator
