#include "worker/loop/oom_watch.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "base/unique_fd.h"

namespace vigil::worker {
namespace {

std::string ReadFile(const std::string& path) {
  const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::string text;
  std::array<char, 4096> buffer;
  while (fd.valid()) {
    const ssize_t size = read(fd.get(), buffer.data(), buffer.size());
    if (size <= 0) break;
    text.append(buffer.data(), static_cast<size_t>(size));
  }
  return text;
}

// The number in a line `oom_kill N`.
std::optional<int64_t> OomKills(absl::string_view text) {
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    int64_t number = 0;
    if (absl::ConsumePrefix(&line, "oom_kill ") &&
        absl::SimpleAtoi(line, &number)) {
      return number;
    }
  }
  return std::nullopt;
}

}  // namespace

OomWatch::OomWatch(std::string proc_directory, std::string cgroup_directory)
    : proc_directory_(std::move(proc_directory)),
      cgroup_directory_(std::move(cgroup_directory)),
      seen_(Read()) {}

OomWatch::Counters OomWatch::Read() const {
  Counters counters;
  counters.host = OomKills(ReadFile(proc_directory_ + "/vmstat"));
  // Lines are ID:CONTROLLERS:PATH; version 2 has no controllers.
  for (absl::string_view line :
       absl::StrSplit(ReadFile(proc_directory_ + "/self/cgroup"), '\n')) {
    const std::vector<absl::string_view> parts =
        absl::StrSplit(line, absl::MaxSplits(':', 2));
    if (parts.size() != 3) continue;
    std::optional<int64_t> kills;
    if (parts[1] == "memory") {
      kills = OomKills(ReadFile(absl::StrCat(cgroup_directory_, "/memory",
                                             parts[2], "/memory.oom_control")));
    } else if (parts[1].empty()) {
      kills = OomKills(ReadFile(
          absl::StrCat(cgroup_directory_, parts[2], "/memory.events")));
    }
    if (kills.has_value()) counters.group = kills;
  }
  return counters;
}

OomKill OomWatch::Judge() {
  const Counters before = std::exchange(seen_, Read());
  if (before.group.has_value() && seen_.group.has_value()) {
    return *seen_.group > *before.group ? OomKill::kCertain : OomKill::kNone;
  }
  return before.host.has_value() && seen_.host.has_value() &&
                 *seen_.host > *before.host
             ? OomKill::kLikely
             : OomKill::kNone;
}

}  // namespace vigil::worker
