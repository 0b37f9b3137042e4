#include "worker/sweep/process_table.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/unique_fd.h"
#include "base/utf8.h"
#include "worker/slot/limits.h"
#include "worker/slot/proc_fs.h"
#include "worker/slot/stat_line.h"
#include "worker/sweep/limits.h"

namespace vigil::sweep {
namespace {

// Reads at most `bytes_max` of a file of /proc. Returns an errno, 0 for none.
int ReadFile(const std::string& path, size_t bytes_max, std::string* text) {
  text->clear();
  const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return errno;
  std::array<char, 4096> buffer;
  while (text->size() < bytes_max) {
    const ssize_t size =
        read(fd.get(), buffer.data(),
             std::min(buffer.size(), bytes_max - text->size()));
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return errno;
    if (size == 0) break;
    text->append(buffer.data(), static_cast<size_t>(size));
  }
  return 0;
}

std::optional<slot::StatLine> ReadStat(const std::string& path) {
  std::string text;
  if (ReadFile(path + "/stat", slot::kStatLineBytesMax, &text) != 0) {
    return std::nullopt;
  }
  return slot::ParseStatLine(text);
}

// Whether the real user of the process is this one's. A process that may not
// be read has another owner in /proc, but its status says the truth.
bool IsOwnUser(const std::string& path) {
  std::string text;
  if (ReadFile(path + "/status", 64 << 10, &text) != 0) return false;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    if (!absl::ConsumePrefix(&line, "Uid:\t")) continue;
    uid_t real = 0;
    return absl::SimpleAtoi(line.substr(0, line.find('\t')), &real) &&
           real == getuid();
  }
  return false;
}

// Whether the strings in `environment`, each ended by a zero, hold `entry`.
bool HasEntry(absl::string_view environment, const std::string& entry) {
  for (size_t at = environment.find(entry); at != absl::string_view::npos;
       at = environment.find(entry, at + 1)) {
    const size_t end = at + entry.size();
    if ((at == 0 || environment[at - 1] == '\0') &&
        (end == environment.size() || environment[end] == '\0')) {
      return true;
    }
  }
  return false;
}

}  // namespace

ProcessTable::ProcessTable(std::string directory, const std::string& worker_id)
    : directory_(std::move(directory)),
      mark_(absl::StrCat("VIGIL_WORKER_ID=", worker_id)) {}

std::vector<Process> ProcessTable::List() const {
  std::vector<Process> processes;
  slot::ForEachNumberIn(directory_, [this, &processes](pid_t pid) {
    if (std::optional<Process> process = Read(pid)) {
      processes.push_back(*std::move(process));
    }
  }).IgnoreError();
  return processes;
}

std::optional<Process> ProcessTable::Read(pid_t pid) const {
  const std::string path = absl::StrCat(directory_, "/", pid);
  const std::optional<slot::StatLine> stat = ReadStat(path);
  if (!stat.has_value() || stat->kernel) return std::nullopt;
  Process process;
  process.key = {pid, stat->start_ticks};
  process.parent = stat->parent;
  process.dead = stat->dead();
  if (process.dead) return process;
  if (stat->state != 'Z') {
    ReadMark(path, &process);
  } else {
    // Its first thread ended and took its environment along; others go on.
    slot::ForEachNumberIn(path + "/task", [&](pid_t thread) {
      ReadMark(absl::StrCat(path, "/task/", thread), &process);
    }).IgnoreError();
  }
  return process;
}

void ProcessTable::ReadMark(const std::string& path, Process* process) const {
  std::string environment;
  const int error =
      ReadFile(path + "/environ", kEnvironmentBytesMax, &environment);
  if (error == EACCES || error == EPERM) {
    process->unreadable = true;
    process->unreadable_own = IsOwnUser(path);
  }
  if (HasEntry(environment, mark_)) process->marked = true;
}

std::optional<pid_t> ProcessTable::ParentOf(pid_t pid) const {
  const std::optional<slot::StatLine> stat =
      ReadStat(absl::StrCat(directory_, "/", pid));
  if (!stat.has_value()) return std::nullopt;
  return stat->parent;
}

std::string ProcessTable::CommandOf(pid_t pid) const {
  const std::string path = absl::StrCat(directory_, "/", pid);
  std::string command;
  ReadFile(path + "/cmdline", kCommandBytesMax, &command);
  while (!command.empty() && command.back() == '\0') command.pop_back();
  std::replace(command.begin(), command.end(), '\0', ' ');
  if (command.empty()) {
    const std::optional<slot::StatLine> stat = ReadStat(path);
    if (stat.has_value()) command = absl::StrCat("[", stat->name, "]");
  }
  return ToUtf8(command, kCommandBytesMax);
}

}  // namespace vigil::sweep
