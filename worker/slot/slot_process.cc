#include "worker/slot/slot_process.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <iterator>
#include <utility>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "worker/slot/limits.h"
#include "worker/slot/slot_codec.h"
#include "worker/slot/slot_socket.h"

namespace vigil::slot {
namespace {

// The C library has these only since glibc 2.36, and there without C linkage.
int PidfdOpen(pid_t pid) {
  return static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
}
int PidfdSendSignal(int pidfd, int signum) {
  return static_cast<int>(
      syscall(SYS_pidfd_send_signal, pidfd, signum, nullptr, 0));
}

// Starts the slot with `socket` as its kSlotFd and `record`, which is not
// kSlotFd, as its kRecordFd unless it is -1. Returns an errno, 0 for none.
int SpawnSlot(const std::string& slot_binary, int socket, int record,
              pid_t& pid) {
  posix_spawn_file_actions_t actions;
  if (const int error = posix_spawn_file_actions_init(&actions)) return error;
  absl::Cleanup destroy_actions = [&actions] {
    posix_spawn_file_actions_destroy(&actions);
  };
  posix_spawnattr_t attributes;
  if (const int error = posix_spawnattr_init(&attributes)) return error;
  absl::Cleanup destroy_attributes = [&attributes] {
    posix_spawnattr_destroy(&attributes);
  };

  // The socket first: it may be where stdin or stdout will be. dup2 onto itself
  // clears close-on-exec here.
  int error = posix_spawn_file_actions_adddup2(&actions, socket, kSlotFd);
  if (error == 0 && record >= 0) {
    error = posix_spawn_file_actions_adddup2(&actions, record, kRecordFd);
  }
  for (const int fd : {0, 1}) {
    if (error != 0) return error;
    error = posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", O_RDWR,
                                             /*mode=*/0);
  }
  if (error == 0) {
    error = posix_spawn_file_actions_addclosefrom_np(
        &actions, 1 + (record >= 0 ? kRecordFd : kSlotFd));
  }
  if (error != 0) return error;

  // A session of its own: signals of a terminal go to the worker alone.
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID |
                                            POSIX_SPAWN_SETSIGMASK |
                                            POSIX_SPAWN_SETSIGDEF);
  sigset_t signals;
  sigemptyset(&signals);
  posix_spawnattr_setsigmask(&attributes, &signals);
  sigfillset(&signals);
  posix_spawnattr_setsigdefault(&attributes, &signals);

  std::string name = "vigil-slot";
  std::array<char*, 2> argv = {name.data(), nullptr};
  std::array<char*, 1> env = {nullptr};
  return posix_spawn(&pid, slot_binary.c_str(), &actions, &attributes,
                     argv.data(), env.data());
}

}  // namespace

absl::StatusOr<SlotProcess> SlotProcess::Start(const std::string& slot_binary,
                                               int record_fd) {
  UniqueFd record;
  if (record_fd >= 0) {
    // Above those that it must not be in the way of.
    record.Reset(fcntl(record_fd, F_DUPFD_CLOEXEC, kRecordFd + 1));
    if (!record.valid()) return absl::ErrnoToStatus(errno, "a slot's record");
  }
  std::array<int, 2> pair;
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair.data()) != 0) {
    return absl::ErrnoToStatus(errno, "socketpair for a slot");
  }
  UniqueFd ours(pair[0]);
  const UniqueFd theirs(pair[1]);
  pid_t pid = 0;
  if (const int error =
          SpawnSlot(slot_binary, theirs.get(), record.get(), pid)) {
    return absl::ErrnoToStatus(error, absl::StrCat("start ", slot_binary));
  }
  UniqueFd pidfd(PidfdOpen(pid));
  if (!pidfd.valid()) {
    const int error = errno;
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
    return absl::ErrnoToStatus(error, "pidfd_open of a slot");
  }
  return SlotProcess(std::move(ours), pid, std::move(pidfd));
}

SlotProcess::SlotProcess(UniqueFd socket, pid_t pid, UniqueFd pidfd)
    : socket_(std::move(socket)), pid_(pid), pidfd_(std::move(pidfd)) {}

absl::Status SlotProcess::Spawn(const TaskCommand& command, TaskEnds ends) {
  VIGIL_CHECK(
      ends.stdin_fd.valid() && ends.stdout_fd.valid() && ends.stderr_fd.valid(),
      "a task has stdin, stdout and stderr");
  absl::StatusOr<SpawnCommand> encoded = EncodeCommand(command);
  if (!encoded.ok()) return encoded.status();
  SlotRequest request;
  request.mutable_spawn()->set_channel(ends.channel_fd.valid());
  std::vector<int> fds = {ends.stdin_fd.get(), ends.stdout_fd.get(),
                          ends.stderr_fd.get()};
  if (ends.channel_fd.valid()) fds.push_back(ends.channel_fd.get());
  UniqueFd bulk;
  if (encoded->ByteSizeLong() <= kCommandInlineBytesMax) {
    *request.mutable_spawn()->mutable_command() = *std::move(encoded);
  } else {
    absl::StatusOr<UniqueFd> written = WriteCommand(*encoded);
    if (!written.ok()) return written.status();
    bulk = *std::move(written);
    fds.push_back(bulk.get());
  }
  return SendPacket(socket_.get(), request, fds);
}

absl::Status SlotProcess::SendSignal(int signum, SignalScope scope) {
  VIGIL_CHECK(signum >= 1 && signum <= 64, "no such signal");
  SlotRequest request;
  request.mutable_signal()->set_signum(signum);
  request.mutable_signal()->set_process_only(scope == SignalScope::kProcess);
  return Send(request);
}

absl::Status SlotProcess::Kill() {
  SlotRequest request;
  request.mutable_kill();
  return Send(request);
}

absl::Status SlotProcess::Lease(absl::Duration boottime_deadline) {
  SlotRequest request;
  request.mutable_lease()->set_boottime_ns(
      absl::ToInt64Nanoseconds(boottime_deadline));
  return Send(request);
}

absl::Status SlotProcess::Ping(uint64_t number) {
  SlotRequest request;
  request.mutable_ping()->set_number(number);
  return Send(request);
}

absl::StatusOr<std::optional<Event>> SlotProcess::Receive() {
  if (received_.empty()) {
    absl::StatusOr<std::optional<Packet>> packet = ReceivePacket(socket_.get());
    if (!packet.ok()) return packet.status();
    if (!packet->has_value()) return std::nullopt;
    absl::StatusOr<std::vector<Event>> events = DecodePacket((*packet)->bytes);
    if (!events.ok()) return events.status();
    received_.assign(std::make_move_iterator(events->begin()),
                     std::make_move_iterator(events->end()));
  }
  Event event = std::move(received_.front());
  received_.pop_front();
  return event;
}

absl::Status SlotProcess::KillSelf() {
  // ESRCH: it has ended already.
  if (PidfdSendSignal(pidfd_.get(), SIGKILL) != 0 && errno != ESRCH) {
    return absl::ErrnoToStatus(errno, "kill a slot");
  }
  return absl::OkStatus();
}

absl::StatusOr<std::optional<int>> SlotProcess::Reap() {
  // By pid, for the wait status: until it is reaped the pid is nobody else's.
  // pidfd first, so that after it the pid is not touched again.
  siginfo_t info = {};
  if (waitid(P_PIDFD, static_cast<id_t>(pidfd_.get()), &info,
             WEXITED | WNOHANG | WNOWAIT) != 0) {
    if (errno == ECHILD) return absl::NotFoundError("the slot was reaped");
    return absl::ErrnoToStatus(errno, "wait for a slot");
  }
  if (info.si_pid == 0) return std::nullopt;
  int status = 0;
  if (waitpid(pid_, &status, WNOHANG) != pid_) {
    return absl::ErrnoToStatus(errno, "reap a slot");
  }
  return status;
}

absl::Status SlotProcess::Send(const SlotRequest& request) {
  return SendPacket(socket_.get(), request, {});
}

}  // namespace vigil::slot
