#include "client/cli/task_processes.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <system_error>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace vigil::cli {
namespace {

// Fields of /proc/PID/stat behind the command's name, as proc(5) counts them
// from the third one on: state, and start time.
constexpr size_t kStateField = 0;
constexpr size_t kStartField = 19;

struct Stat {
  char state = 0;
  int64_t start_ticks = 0;
};

// Empty when it cannot be read: it is gone, or others'.
std::string ReadOf(pid_t pid, absl::string_view file) {
  std::ifstream stream(absl::StrCat("/proc/", pid, "/", file));
  return std::string(std::istreambuf_iterator<char>(stream), {});
}

std::optional<Stat> StatOf(pid_t pid) {
  const std::string text = ReadOf(pid, "stat");
  // The name may hold anything, a closing parenthesis too.
  const size_t name_end = text.rfind(") ");
  if (name_end == std::string::npos) return std::nullopt;
  const std::vector<absl::string_view> fields =
      absl::StrSplit(absl::string_view(text).substr(name_end + 2), ' ');
  Stat stat;
  if (fields.size() <= kStartField || fields[kStateField].size() != 1 ||
      !absl::SimpleAtoi(fields[kStartField], &stat.start_ticks)) {
    return std::nullopt;
  }
  stat.state = fields[kStateField][0];
  return stat;
}

bool HasMark(pid_t pid, absl::string_view mark) {
  return absl::StrContains(ReadOf(pid, "environ"), mark);
}

std::string Describe(pid_t pid, char state) {
  return absl::StrCat("pid ", pid, " (", absl::string_view(&state, 1), ")");
}

std::vector<pid_t> AllProcesses() {
  std::vector<pid_t> pids;
  std::error_code error;
  std::filesystem::directory_iterator entries("/proc", error);
  const std::filesystem::directory_iterator end;
  while (!error && entries != end) {
    pid_t pid = 0;
    if (absl::SimpleAtoi(entries->path().filename().string(), &pid)) {
      pids.push_back(pid);
    }
    entries.increment(error);
  }
  return pids;
}

}  // namespace

std::vector<ProcessIdentity> FindMarked(const std::vector<pid_t>& pids,
                                        absl::string_view mark) {
  std::vector<ProcessIdentity> found;
  for (const pid_t pid : pids) {
    const std::optional<Stat> stat = StatOf(pid);
    if (stat.has_value() && HasMark(pid, mark)) {
      found.push_back({pid, stat->start_ticks});
    }
  }
  return found;
}

std::vector<std::string> FindLeft(const std::vector<ProcessIdentity>& processes,
                                  absl::string_view mark) {
  std::vector<std::string> left;
  for (const ProcessIdentity& process : processes) {
    // A zombie has no environment any more, so it is known by its start.
    const std::optional<Stat> stat = StatOf(process.pid);
    if (stat.has_value() && stat->start_ticks == process.start_ticks) {
      left.push_back(Describe(process.pid, stat->state));
    }
  }
  for (const pid_t pid : AllProcesses()) {
    const bool named =
        std::any_of(processes.begin(), processes.end(),
                    [pid](const auto& one) { return one.pid == pid; });
    if (named || !HasMark(pid, mark)) continue;
    const std::optional<Stat> stat = StatOf(pid);
    if (stat.has_value()) left.push_back(Describe(pid, stat->state));
  }
  return left;
}

}  // namespace vigil::cli
