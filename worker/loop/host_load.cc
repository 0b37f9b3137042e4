#include "worker/loop/host_load.h"

#include <dirent.h>
#include <sched.h>

#include <cmath>
#include <cstdint>
#include <memory>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "base/small_file.h"
#include "worker/loop/limits.h"

namespace vigil::worker {
namespace {

// "0.52 0.58 0.59 2/312 4711": load averages; running and all threads.
void ReadLoadAverage(const std::string& text, HostLoad* load) {
  const std::vector<absl::string_view> fields =
      absl::StrSplit(text, ' ', absl::SkipEmpty());
  if (fields.size() < 4) return;
  double average = 0;
  if (absl::SimpleAtod(fields[0], &average)) load->load_average = average;
  const std::pair<absl::string_view, absl::string_view> threads =
      absl::StrSplit(fields[3], absl::MaxSplits('/', 1));
  int count = 0;
  if (absl::SimpleAtoi(threads.second, &count)) load->threads = count;
}

void ReadMemory(const std::string& text, HostLoad* load) {
  const std::pair<absl::string_view, int64_t*> fields[] = {
      {"MemTotal:", &load->memory_total_bytes},
      {"MemAvailable:", &load->memory_available_bytes},
  };
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    for (const auto& [name, bytes] : fields) {
      absl::string_view value = line;
      if (!absl::ConsumePrefix(&value, name)) continue;
      absl::ConsumeSuffix(&value, "kB");
      int64_t kib = 0;
      if (absl::SimpleAtoi(absl::StripAsciiWhitespace(value), &kib)) {
        *bytes = kib << 10;
      }
    }
  }
}

int CountProcesses(const std::string& proc_dir) {
  const std::unique_ptr<DIR, int (*)(DIR*)> dir(opendir(proc_dir.c_str()),
                                                closedir);
  if (dir == nullptr) return 0;
  int count = 0;
  while (const dirent* entry = readdir(dir.get())) {
    if (!absl::ascii_isdigit(static_cast<unsigned char>(entry->d_name[0]))) {
      continue;
    }
    if (++count == kHostProcessesMax) break;
  }
  return count;
}

int CountCpus() {
  constexpr size_t kCpusMax = 8192;  // What any kernel is built for.
  const std::unique_ptr<cpu_set_t, void (*)(cpu_set_t*)> cpus(
      CPU_ALLOC(kCpusMax), [](cpu_set_t* set) { CPU_FREE(set); });
  const size_t size = CPU_ALLOC_SIZE(kCpusMax);
  if (cpus == nullptr || sched_getaffinity(0, size, cpus.get()) != 0) return 0;
  return CPU_COUNT_S(size, cpus.get());
}

// 1 where the memory is not known.
double AvailableShare(const HostLoad& load) {
  return load.memory_total_bytes == 0
             ? 1
             : static_cast<double>(load.memory_available_bytes) /
                   static_cast<double>(load.memory_total_bytes);
}

}  // namespace

bool IsShortOfMemory(const HostLoad& load) {
  return AvailableShare(load) < kMemoryAvailableShareMin;
}

HostLoad ReadHostLoad(const std::string& proc_dir) {
  HostLoad load;
  load.cpus = CountCpus();
  load.processes = CountProcesses(proc_dir);
  ReadLoadAverage(ReadSmallFile(proc_dir + "/loadavg"), &load);
  ReadMemory(ReadSmallFile(proc_dir + "/meminfo"), &load);
  load.stress = StressOf(load);
  return load;
}

std::vector<std::string> StressOf(const HostLoad& load) {
  std::vector<std::string> stress;
  if (load.threads > kHostThreadsMax) {
    stress.push_back(absl::StrCat(load.threads, " threads, which is over ",
                                  kHostThreadsMax));
  }
  if (load.cpus > 0 && load.load_average > kLoadPerCpuMax * load.cpus) {
    stress.push_back(absl::StrFormat(
        "a load of %.2f, which is over %g for each of %d processors",
        load.load_average, kLoadPerCpuMax, load.cpus));
  }
  if (IsShortOfMemory(load)) {
    // Cut, not rounded: what is under the bound does not read as the bound.
    stress.push_back(
        absl::StrFormat("%.1f %% of the memory available, which is under %g %%",
                        std::floor(1000 * AvailableShare(load)) / 10,
                        100 * kMemoryAvailableShareMin));
  }
  return stress;
}

}  // namespace vigil::worker
