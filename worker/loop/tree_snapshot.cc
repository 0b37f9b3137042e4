#include "worker/loop/tree_snapshot.h"

#include <unistd.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "base/small_file.h"
#include "worker/loop/limits.h"
#include "worker/loop/task_tree.h"
#include "worker/slot/proc_fs.h"
#include "worker/slot/stat_line.h"

namespace vigil::worker {
namespace {

int64_t ToNumber(absl::string_view text) {
  int64_t number = 0;
  return absl::SimpleAtoi(absl::StripAsciiWhitespace(text), &number) ? number
                                                                     : 0;
}

// A line `name   N kB` of a file of /proc, in bytes.
std::optional<int64_t> KibLine(absl::string_view text, absl::string_view name) {
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    if (!absl::ConsumePrefix(&line, name)) continue;
    absl::ConsumeSuffix(&line, "kB");
    return ToNumber(line) << 10;
  }
  return std::nullopt;
}

// Everything under `slot`, parents before children.
std::vector<pid_t> ListTree(pid_t slot) {
  std::vector<pid_t> tree = {slot};
  for (size_t i = 0; i < tree.size(); ++i) {
    const std::string threads = absl::StrCat("/proc/", tree[i], "/task");
    slot::ForEachNumberIn(threads, [&](pid_t thread) {
      // A thread that is gone has no children any more.
      slot::ForEachChildOf(absl::StrCat(threads, "/", thread, "/children"),
                           [&tree](pid_t child) {
                             if (tree.size() <= kTreeListedMax) {
                               tree.push_back(child);
                             }
                           })
          .IgnoreError();
    }).IgnoreError();
  }
  tree.erase(tree.begin());
  return tree;
}

// Its arguments, or its name in brackets, as ps shows them.
std::string CommandOf(pid_t pid, absl::string_view name) {
  std::string line = ReadSmallFile(absl::StrCat("/proc/", pid, "/cmdline"));
  std::replace(line.begin(), line.end(), '\0', ' ');
  absl::StripTrailingAsciiWhitespace(&line);
  if (line.empty()) line = absl::StrCat("[", name, "]");
  return line.substr(0, kCommandBytesMax);
}

// A process, and the CPU time of the children that it waited for.
std::optional<std::pair<ProcessFacts, absl::Duration>> LookAt(pid_t pid) {
  const std::optional<slot::StatLine> stat = slot::ReadStat(pid);
  if (!stat.has_value()) return std::nullopt;
  const std::string path = absl::StrCat("/proc/", pid);
  ProcessFacts facts;
  facts.pid = pid;
  facts.parent_pid = stat->parent;
  facts.command = CommandOf(pid, stat->name);
  facts.state = std::string(1, stat->state);
  // "0" while it does not wait.
  facts.wait_channel = ReadSmallFile(path + "/wchan");
  if (facts.wait_channel == "0") facts.wait_channel.clear();
  facts.threads = stat->threads;
  facts.cpu_time = slot::TimeOfTicks(stat->cpu_ticks);
  facts.rss_bytes = stat->rss_pages * sysconf(_SC_PAGESIZE);
  facts.peak_rss_bytes =
      KibLine(ReadSmallFile(path + "/status"), "VmHWM:").value_or(0);
  int files = 0;
  if (slot::ForEachNumberIn(path + "/fd", [&files](int) { ++files; }).ok()) {
    facts.open_files = files;
  }
  return std::pair(std::move(facts), slot::TimeOfTicks(stat->waited_cpu_ticks));
}

}  // namespace

TreeFacts SnapshotTree(pid_t slot) {
  TreeFacts tree;
  for (const pid_t pid : ListTree(slot)) {
    ++tree.process_count;
    if (tree.process_count > kTreeProcessesMax) continue;
    auto seen = LookAt(pid);
    if (!seen.has_value()) continue;
    ProcessFacts& facts = seen->first;
    tree.threads += facts.threads;
    tree.cpu_time += facts.cpu_time + seen->second;
    tree.rss_bytes += facts.rss_bytes;
    if (tree.processes.size() < kEvidenceProcessesMax) {
      tree.processes.push_back(std::move(facts));
    }
  }
  return tree;
}

bool HandlesSignal(pid_t pid, int signum) {
  const std::string status =
      ReadSmallFile(absl::StrCat("/proc/", pid, "/status"));
  for (absl::string_view line : absl::StrSplit(status, '\n')) {
    if (!absl::ConsumePrefix(&line, "SigCgt:\t")) continue;
    uint64_t caught = 0;
    return absl::SimpleHexAtoi(line, &caught) &&
           (caught >> (signum - 1) & 1) != 0;
  }
  return false;
}

int64_t MemoryOfTree(pid_t slot, int64_t bytes_max) {
  const std::vector<pid_t> tree = ListTree(slot);
  int64_t sum = 0;
  std::vector<int64_t> each;
  for (const pid_t pid : tree) {
    each.push_back(RssBytesOf(pid));
    sum += each.back();
  }
  if (tree.empty()) return -1;
  if (sum <= bytes_max || tree.size() == 1) return sum;
  sum = 0;
  for (size_t i = 0; i < tree.size(); ++i) {
    sum +=
        KibLine(ReadSmallFile(absl::StrCat("/proc/", tree[i], "/smaps_rollup")),
                "Pss:")
            .value_or(each[i]);
  }
  return sum;
}

}  // namespace vigil::worker
