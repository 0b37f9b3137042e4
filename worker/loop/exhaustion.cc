#include "worker/loop/exhaustion.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "base/host.h"
#include "base/small_file.h"
#include "worker/loop/host_load.h"
#include "worker/loop/limits.h"

namespace vigil::worker {
namespace {

int64_t ToNumber(absl::string_view text) {
  int64_t number = 0;
  return absl::SimpleAtoi(absl::StripAsciiWhitespace(text), &number) ? number
                                                                     : 0;
}

bool Full(int64_t used, int64_t limit) {
  return limit > 0 && static_cast<double>(used) >=
                          kHostFullShare * static_cast<double>(limit);
}

}  // namespace

std::string HostShortage(const std::string& proc_directory) {
  const HostLoad load = ReadHostLoad(proc_directory);
  // Each thread takes a pid, too.
  const int64_t threads_max = std::min(
      ToNumber(ReadSmallFile(proc_directory + "/sys/kernel/threads-max")),
      ToNumber(ReadSmallFile(proc_directory + "/sys/kernel/pid_max")));
  if (Full(load.threads, threads_max)) {
    return absl::StrCat("the host has ", load.threads, " threads of at most ",
                        threads_max);
  }
  // Allocated, free, most.
  const std::vector<std::string> files =
      absl::StrSplit(ReadSmallFile(proc_directory + "/sys/fs/file-nr"), '\t');
  if (files.size() == 3 && Full(ToNumber(files[0]), ToNumber(files[2]))) {
    return absl::StrCat("the host has ", ToNumber(files[0]),
                        " open files of at most ", ToNumber(files[2]));
  }
  if (IsShortOfMemory(load)) {
    return absl::StrFormat("the host has %d MiB of memory left of %d MiB",
                           load.memory_available_bytes >> 20,
                           load.memory_total_bytes >> 20);
  }
  return "";
}

void AddExhaustion(Failure* failure) {
  if ((failure->reason != Reason::kResourceExhausted &&
       failure->reason != Reason::kOutOfMemory) ||
      failure->exhaustion != Exhaustion::kUnspecified) {
    return;
  }
  const std::string shortage = HostShortage("/proc");
  failure->exhaustion =
      shortage.empty() ? Exhaustion::kTask : Exhaustion::kHost;
  absl::StrAppend(&failure->message, "; ",
                  shortage.empty()
                      ? "a limit of the task's own: its host has room"
                      : shortage);
}

}  // namespace vigil::worker
