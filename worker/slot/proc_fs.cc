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
#include "base/unique_fd.h"

namespace vigil::slot {
namespace {

// The fields of a stat file after the command name, which may hold anything:
// state is the first, ppid the second.
constexpr size_t kParentField = 1;
constexpr size_t kStartField = 19;

// Returns one field, or nullopt when the process is gone.
std::optional<uint64_t> ReadStatField(const std::string& path, size_t field) {
  UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return std::nullopt;
  std::array<char, 1024> buffer;
  const ssize_t size = read(fd.get(), buffer.data(), buffer.size());
  if (size <= 0) return std::nullopt;
  const absl::string_view stat(buffer.data(), static_cast<size_t>(size));
  const size_t name_end = stat.rfind(") ");
  if (name_end == absl::string_view::npos) return std::nullopt;
  const std::vector<absl::string_view> fields =
      absl::StrSplit(stat.substr(name_end + 2), ' ');
  uint64_t value = 0;
  if (fields.size() <= field || !absl::SimpleAtoi(fields[field], &value)) {
    return std::nullopt;
  }
  return value;
}

}  // namespace

absl::Status ForEachChild(absl::FunctionRef<void(pid_t)> visit) {
  const std::string path =
      absl::StrCat("/proc/self/task/", gettid(), "/children");
  UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) {
    if (errno != ENOENT) return absl::ErrnoToStatus(errno, path);
    return ForEachChildByScan("/proc", getpid(), visit);
  }
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

absl::Status ForEachChildByScan(const std::string& proc_directory, pid_t parent,
                                absl::FunctionRef<void(pid_t)> visit) {
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(
      opendir(proc_directory.c_str()), closedir);
  if (directory == nullptr) return absl::ErrnoToStatus(errno, proc_directory);
  while (const dirent* entry = readdir(directory.get())) {
    pid_t pid = 0;
    if (!absl::SimpleAtoi(entry->d_name, &pid)) continue;
    const std::optional<uint64_t> its_parent = ReadStatField(
        absl::StrCat(proc_directory, "/", pid, "/stat"), kParentField);
    if (its_parent == static_cast<uint64_t>(parent)) visit(pid);
  }
  return absl::OkStatus();
}

uint64_t ReadStartTicks(pid_t pid) {
  return ReadStatField(absl::StrCat("/proc/", pid, "/stat"), kStartField)
      .value_or(0);
}

}  // namespace vigil::slot
