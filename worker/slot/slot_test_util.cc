#include "worker/slot/slot_test_util.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/clock.h"
#include "base/unique_fd.h"

namespace vigil::slot {

std::string SlotBinary() { return "worker/slot/slot"; }

TaskCommand Command(std::vector<std::string> argv) {
  return TaskCommand{std::move(argv),
                     {"PATH=/usr/bin:/bin"},
                     "",
                     false,
                     {.max_processes = 1000}};
}

TaskCommand Shell(const std::string& script) {
  return Command({"sh", "-c", script});
}

bool WaitReadable(int fd) {
  pollfd waited = {fd, POLLIN, 0};
  return poll(&waited, 1,
              static_cast<int>(absl::ToInt64Milliseconds(kTestWaitMax))) == 1;
}

std::string ReadToEnd(int fd) { return ReadUntil(fd, ""); }

std::string ReadUntil(int fd, const std::string& text) {
  std::string all;
  std::array<char, 4096> buffer;
  while (text.empty() || all.find(text) == std::string::npos) {
    if (!WaitReadable(fd)) {
      ADD_FAILURE() << "neither output nor its end came; so far: " << all;
      break;
    }
    const ssize_t size = read(fd, buffer.data(), buffer.size());
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (size <= 0) break;
    all.append(buffer.data(), static_cast<size_t>(size));
  }
  return all;
}

SlotUnderTest::SlotUnderTest(int record_fd) {
  absl::StatusOr<SlotProcess> started =
      SlotProcess::Start(SlotBinary(), record_fd);
  EXPECT_TRUE(started.ok()) << started.status();
  process_.emplace(*std::move(started));
  const Ready ready = Next<Ready>();
  EXPECT_EQ(ready.pid, process_->pid());
  filter_problem_ = ready.filter_problem;
}

SlotUnderTest::~SlotUnderTest() {
  if (!process_.has_value()) return;
  const UniqueFd pidfd(fcntl(process_->pidfd(), F_DUPFD_CLOEXEC, 0));
  const pid_t pid = process_->pid();
  process_.reset();
  EXPECT_TRUE(WaitReadable(pidfd.get())) << "the slot did not end";
  waitpid(pid, nullptr, WNOHANG);
}

WorkerEnds SlotUnderTest::Start(const TaskCommand& command) {
  absl::StatusOr<TaskStdio> stdio = MakePipes(std::nullopt);
  EXPECT_TRUE(stdio.ok()) << stdio.status();
  const absl::Status sent = process_->Spawn(command, std::move(stdio->task));
  EXPECT_TRUE(sent.ok()) << sent;
  EXPECT_GT(Next<Spawned>().pid, 0);
  return std::move(stdio->worker);
}

SpawnFailed SlotUnderTest::StartInVain(const TaskCommand& command) {
  absl::StatusOr<TaskStdio> stdio = MakePipes(std::nullopt);
  EXPECT_TRUE(stdio.ok()) << stdio.status();
  const absl::Status sent = process_->Spawn(command, std::move(stdio->task));
  EXPECT_TRUE(sent.ok()) << sent;
  return Next<SpawnFailed>();
}

Event SlotUnderTest::Next() {
  const absl::Duration deadline = BoottimeNow() + kTestWaitMax;
  while (BoottimeNow() < deadline) {
    absl::StatusOr<std::optional<Event>> event = process_->Receive();
    if (!event.ok()) {
      ADD_FAILURE() << event.status();
      return Pong();
    }
    if (event->has_value()) return **std::move(event);
    WaitReadable(process_->fd());
  }
  ADD_FAILURE() << "no event came";
  return Pong();
}

}  // namespace vigil::slot
