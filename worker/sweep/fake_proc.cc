#include "worker/sweep/fake_proc.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace vigil::sweep {
namespace {

// May be written only, by root too.
constexpr char kUnreadable[] = "/proc/sys/vm/compact_memory";

void WriteFile(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

}  // namespace

FakeProc::FakeProc() {
  directory_ = absl::StrCat(testing::TempDir(), "/proc.XXXXXX");
  EXPECT_NE(mkdtemp(directory_.data()), nullptr);
  WriteFile(directory_ + "/meminfo", "");
  Add(1, {.parent = 0, .start_ticks = 1, .command = "/sbin/init"});
}

FakeProc::~FakeProc() { std::filesystem::remove_all(directory_); }

std::string FakeProc::Mark(const std::string& worker_id) {
  return absl::StrCat("A=1", std::string(1, '\0'),
                      "VIGIL_WORKER_ID=", worker_id, std::string(1, '\0'),
                      "Z=2", std::string(1, '\0'));
}

bool FakeProc::HasUnreadable() {
  const int fd = open(kUnreadable, O_RDONLY | O_CLOEXEC);
  if (fd >= 0) close(fd);
  return fd < 0 && errno == EACCES;
}

void FakeProc::Add(pid_t pid, const Made& made) {
  processes_[pid] = made;
  Write(pid);
}

void FakeProc::Write(pid_t pid) {
  const Made& made = processes_[pid];
  const std::string path = absl::StrCat(directory_, "/", pid);
  std::filesystem::create_directories(path);
  WriteFile(path + "/stat",
            absl::StrCat(pid, " (name) ", std::string(1, made.state), " ",
                         made.parent, " 1 1 0 -1 ", made.flags,
                         " 0 0 0 0 0 0 0 0 20 0 ", made.threads, " 0 ",
                         made.start_ticks, " 0 0\n"));
  WriteFile(path + "/cmdline", made.command);
  WriteFile(path + "/status", absl::StrCat("Name:\tname\nUid:\t", made.uid,
                                           "\t0\t0\t0\nGid:\t0\t0\t0\t0\n"));
  std::filesystem::remove(path + "/environ");
  if (made.readable) {
    WriteFile(path + "/environ", made.environment);
  } else {
    std::filesystem::create_symlink(kUnreadable, path + "/environ");
  }
}

void FakeProc::Remove(pid_t pid) {
  processes_.erase(pid);
  std::filesystem::remove_all(absl::StrCat(directory_, "/", pid));
  for (auto& [other, made] : processes_) {
    if (made.parent != pid) continue;
    made.parent = 1;
    Write(other);
  }
}

absl::Status FakeProc::Kill(pid_t pid, absl::FunctionRef<bool()> is_it) {
  if (on_hold) on_hold(pid);
  if (!is_it()) return absl::OkStatus();
  const Made& made = processes_.at(pid);
  if (made.refused) return absl::PermissionDeniedError("kill");
  killed.push_back(pid);
  if (!made.immortal) Remove(pid);
  return absl::OkStatus();
}

void FakeProc::Wait(absl::Duration time) {
  now_ += time;
  if (on_wait) on_wait();
}

}  // namespace vigil::sweep
