#include "worker/loop/host_load.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <array>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "base/unique_fd.h"

namespace vigil::worker {

HostLoad ReadHostLoad() {
  HostLoad load;
  double average = 0;
  if (getloadavg(&average, 1) == 1) load.load_average = average;
  const UniqueFd fd(open("/proc/meminfo", O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return load;
  std::array<char, 1024> buffer;
  const ssize_t size = read(fd.get(), buffer.data(), buffer.size());
  if (size <= 0) return load;
  const absl::string_view text(buffer.data(), static_cast<size_t>(size));
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    if (!absl::ConsumePrefix(&line, "MemAvailable:")) continue;
    absl::ConsumeSuffix(&line, "kB");
    int64_t kib = 0;
    if (absl::SimpleAtoi(absl::StripAsciiWhitespace(line), &kib)) {
      load.memory_available_bytes = kib << 10;
    }
  }
  return load;
}

}  // namespace vigil::worker
