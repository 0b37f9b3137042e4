#include "worker/loop/task_tree.h"

#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "base/small_file.h"
#include "worker/loop/limits.h"
#include "worker/slot/proc_fs.h"
#include "worker/slot/stat_line.h"

namespace vigil::worker {
namespace {

std::optional<int64_t> TicksOf(pid_t pid) {
  const std::optional<slot::StatLine> stat = slot::ReadStat(pid);
  if (!stat.has_value()) return std::nullopt;
  return stat->cpu_ticks + stat->waited_cpu_ticks;
}

// Whether the process exists and is no zombie.
bool IsAlive(pid_t pid) {
  const std::optional<slot::StatLine> stat = slot::ReadStat(pid);
  return stat.has_value() && stat->state != 'Z' && stat->state != 'X';
}

// Living children of one thread but `except`.
int LivingChildren(absl::string_view thread, pid_t except) {
  int count = 0;
  const std::string children = ReadSmallFile(absl::StrCat(thread, "/children"));
  for (absl::string_view text :
       absl::StrSplit(children, ' ', absl::SkipEmpty())) {
    pid_t child = 0;
    if (absl::SimpleAtoi(text, &child) && child != except && IsAlive(child)) {
      ++count;
    }
  }
  return count;
}

// Living children of a process but `except`: each of its threads has those that
// it started. Nullopt: the process is gone.
std::optional<int> LivingChildrenOf(pid_t pid, pid_t except) {
  int count = 0;
  std::error_code error;
  std::filesystem::directory_iterator threads(
      absl::StrCat("/proc/", pid, "/task"), error);
  if (error) return std::nullopt;
  for (; threads != std::filesystem::directory_iterator();
       threads.increment(error)) {
    count += LivingChildren(threads->path().native(), except);
    if (error) return std::nullopt;
  }
  return count;
}

}  // namespace

int OthersInTree(pid_t slot, pid_t pid) {
  // The task first: what it loses meanwhile is then found under the slot.
  const std::optional<int> own = LivingChildrenOf(pid, 0);
  const std::optional<int> orphans = LivingChildrenOf(slot, pid);
  return own.has_value() && orphans.has_value() ? *own + *orphans : -1;
}

int64_t RssBytesOf(pid_t pid) {
  const std::string statm =
      ReadSmallFile(absl::StrCat("/proc/", pid, "/statm"));
  const std::vector<absl::string_view> fields = absl::StrSplit(statm, ' ');
  int64_t pages = 0;
  if (fields.size() < 2 || !absl::SimpleAtoi(fields[1], &pages)) return 0;
  return pages * sysconf(_SC_PAGESIZE);
}

std::optional<absl::Duration> CpuTimeOfTree(pid_t pid) {
  const std::optional<int64_t> first = TicksOf(pid);
  if (!first.has_value()) return std::nullopt;
  int64_t ticks = *first;
  std::vector<pid_t> tree = {pid};
  for (size_t i = 0; i < tree.size(); ++i) {
    const std::string children = ReadSmallFile(
        absl::StrCat("/proc/", tree[i], "/task/", tree[i], "/children"));
    for (absl::string_view text :
         absl::StrSplit(children, ' ', absl::SkipEmpty())) {
      pid_t child = 0;
      if (tree.size() >= kCpuProcessesMax || !absl::SimpleAtoi(text, &child)) {
        break;
      }
      tree.push_back(child);
      ticks += TicksOf(child).value_or(0);
    }
  }
  return slot::TimeOfTicks(ticks);
}

}  // namespace vigil::worker
