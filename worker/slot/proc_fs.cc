#include "worker/slot/proc_fs.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>
#include <optional>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "base/small_file.h"
#include "base/unique_fd.h"

namespace vigil::slot {

absl::Status ForEachChild(absl::FunctionRef<void(pid_t)> visit) {
  // Each thread has those that it started.
  absl::Status visited = absl::OkStatus();
  const absl::Status listed = ForEachNumberIn("/proc/self/task", [&](int tid) {
    visited.Update(ForEachChildOf(
        absl::StrCat("/proc/self/task/", tid, "/children"), visit));
  });
  visited.Update(listed);
  if (!absl::IsNotFound(visited)) return visited;
  return ForEachChildByScan("/proc", getpid(), visit);
}

absl::Status ForEachChildOf(const std::string& path,
                            absl::FunctionRef<void(pid_t)> visit) {
  UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return absl::ErrnoToStatus(errno, path);
  // Pids, each followed by a space. Read in pieces, without allocating: this
  // runs when memory may be what is missing.
  std::array<char, 4096> buffer;
  pid_t pid = 0;
  for (;;) {
    const ssize_t size = read(fd.get(), buffer.data(), buffer.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return absl::ErrnoToStatus(errno, path);
    if (size == 0) return absl::OkStatus();
    for (ssize_t i = 0; i < size; ++i) {
      const char c = buffer[static_cast<size_t>(i)];
      if (c >= '0' && c <= '9') {
        pid = pid * 10 + (c - '0');
      } else {
        if (pid > 0) visit(pid);
        pid = 0;
      }
    }
  }
}

absl::Status ForEachNumberIn(const std::string& directory,
                             absl::FunctionRef<void(int)> visit) {
  const std::unique_ptr<DIR, int (*)(DIR*)> entries(opendir(directory.c_str()),
                                                    closedir);
  if (entries == nullptr) return absl::ErrnoToStatus(errno, directory);
  while (const dirent* entry = readdir(entries.get())) {
    int number = 0;
    if (absl::SimpleAtoi(entry->d_name, &number)) visit(number);
  }
  return absl::OkStatus();
}

absl::Status ForEachChildByScan(const std::string& proc_directory, pid_t parent,
                                absl::FunctionRef<void(pid_t)> visit) {
  return ForEachNumberIn(proc_directory, [&](pid_t pid) {
    const std::optional<StatLine> stat = ParseStatLine(
        ReadSmallFile(absl::StrCat(proc_directory, "/", pid, "/stat")));
    if (stat.has_value() && stat->parent == parent) visit(pid);
  });
}

std::optional<StatLine> ReadStat(pid_t pid) {
  return ParseStatLine(ReadSmallFile(absl::StrCat("/proc/", pid, "/stat")));
}

std::string ReadProgramName(pid_t pid) {
  const std::string status =
      ReadSmallFile(absl::StrCat("/proc/", pid, "/status"));
  pid_t process = pid;
  for (absl::string_view line : absl::StrSplit(status, '\n')) {
    if (!absl::ConsumePrefix(&line, "Tgid:\t")) continue;
    if (!absl::SimpleAtoi(line, &process)) process = pid;
    break;
  }
  std::string name = ReadSmallFile(absl::StrCat("/proc/", process, "/comm"));
  if (!name.empty() && name.back() == '\n') name.pop_back();
  return name.empty() ? "?" : name;
}

uint64_t ReadStartTicks(pid_t pid) {
  const std::optional<StatLine> stat = ReadStat(pid);
  return stat.has_value() ? stat->start_ticks : 0;
}

}  // namespace vigil::slot
