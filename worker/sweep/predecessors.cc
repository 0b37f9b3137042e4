#include "worker/sweep/predecessors.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <limits>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "base/unique_fd.h"
#include "worker/sweep/limits.h"

namespace vigil::sweep {
namespace {

// Processes named in the log; the others are counted.
constexpr int kNamedMax = 5;

std::string UnprovedPath(const std::string& directory) {
  return absl::StrCat(directory, "/unproved");
}

// Until when no claim is made; the infinite past if nothing is remembered.
absl::Time UnprovedUntil(const std::string& directory) {
  const UniqueFd fd(
      open(UnprovedPath(directory).c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) {
    return errno == ENOENT ? absl::InfinitePast() : absl::InfiniteFuture();
  }
  std::array<char, 64> buffer;
  const ssize_t size = read(fd.get(), buffer.data(), buffer.size());
  int64_t seconds = 0;
  if (size <= 0 ||
      !absl::SimpleAtoi(absl::StripAsciiWhitespace(absl::string_view(
                            buffer.data(), static_cast<size_t>(size))),
                        &seconds)) {
    return absl::InfiniteFuture();
  }
  return absl::FromUnixSeconds(seconds);
}

// Returns whether it will be remembered.
bool RememberUnproved(const std::string& directory, absl::Time until) {
  const UniqueFd fd(open(UnprovedPath(directory).c_str(),
                         O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  const std::string text = absl::StrCat(absl::ToUnixSeconds(until), "\n");
  return fd.valid() && write(fd.get(), text.data(), text.size()) ==
                           static_cast<ssize_t>(text.size());
}

void LogOutcome(const SweepOutcome& outcome) {
  if (outcome.found == 0) return;
  std::string names;
  for (const v1::SweptProcess& process : outcome.result.processes()) {
    if (process.pid() == 0) continue;
    absl::StrAppend(&names, names.empty() ? ": " : ", ", process.pid(), " (",
                    process.command(), ")");
    if (std::count(names.begin(), names.end(), '(') >= kNamedMax) break;
  }
  Log(LogSeverity::kWarning,
      absl::StrCat("earlier lives of this worker left ", outcome.found,
                   " processes behind, of which ", outcome.killed,
                   " are killed", names));
}

// Why the earlier lives are not proved dead; empty: they are.
std::string Doubt(const absl::StatusOr<Records>& records,
                  const slot::HostIdentity& here, const SweepOutcome& outcome) {
  if (!records.ok()) return std::string(records.status().message());
  if (!outcome.all_gone) return "some of what they left could not be killed";
  if (!records->damaged.empty()) {
    return absl::StrCat("the record of slot ", records->damaged[0],
                        " is damaged");
  }
  if (records->files.empty()) return "they left no records";
  uint64_t since = std::numeric_limits<uint64_t>::max();
  for (const auto& [name, record] : records->files) {
    if (IsHere(record, here)) {
      since = std::min(since, record.slot.start_ticks);
    } else if (!EndedWithItsBoot(record, here)) {
      return "they ran in another container or on another machine";
    }
  }
  for (const Process& process : outcome.unreadable) {
    if (process.unreadable_own && process.key.start_ticks >= since) {
      return absl::StrCat("process ", process.key.pid,
                          " may be theirs and cannot be looked into");
    }
  }
  return "";
}

void RemoveAll(const std::string& directory, const Records& records) {
  for (const Records::File& file : records.files) {
    unlink(absl::StrCat(directory, "/", file.name).c_str());
  }
  for (const std::string& name : records.damaged) {
    unlink(absl::StrCat(directory, "/", name).c_str());
  }
}

}  // namespace

bool SweepPredecessors(const PredecessorOptions& options, System* system) {
  const std::string& directory = options.directory;
  const absl::StatusOr<Records> records = ReadRecords(directory);
  SweepOptions sweep;
  sweep.worker_id = options.worker_id;
  sweep.self = options.self;
  sweep.proc_directory = options.proc_directory;
  if (records.ok()) sweep.recorded = RecordedHere(*records, options.here);
  const SweepOutcome outcome = Sweep(sweep, system);
  LogOutcome(outcome);
  const std::string doubt = Doubt(records, options.here, outcome);
  const bool known =
      records.ok() && (!records->files.empty() || !records->damaged.empty());
  if (!doubt.empty()) {
    if (!known && records.ok() && outcome.found == 0) return false;
    Log(LogSeverity::kInfo,
        absl::StrCat("earlier lives of this worker are not proved dead, so "
                     "their jobs wait until their lease is over: ",
                     doubt));
    // The records go only if that they were there does not.
    if (RememberUnproved(directory, options.now + kUnprovedKept) && known) {
      RemoveAll(directory, *records);
    }
    return false;
  }
  const absl::Time until = UnprovedUntil(directory);
  if (options.now < until) {
    // A clock that was set back must not make it last.
    if (until > options.now + kUnprovedKept) {
      RememberUnproved(directory, options.now + kUnprovedKept);
    }
    return false;
  }
  unlink(UnprovedPath(directory).c_str());
  // Those of this boot stay until their slots' are written: were this life
  // killed before, the next one would know as much.
  Records over;
  for (const Records::File& file : records->files) {
    if (!IsHere(file.record, options.here)) over.files.push_back(file);
  }
  RemoveAll(directory, over);
  return true;
}

}  // namespace vigil::sweep
