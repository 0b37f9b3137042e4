#include "worker/loop/sequential_report.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "base/unique_fd.h"
#include "worker/core/limits.h"
#include "worker/loop/limits.h"

namespace vigil::worker {
namespace {

constexpr absl::string_view kKind = "sequential";

void AddUp(NestedCall call, std::vector<NestedCall>* calls) {
  const auto found = std::find_if(
      calls->begin(), calls->end(), [&call](const NestedCall& other) {
        return other.program == call.program && other.call == call.call;
      });
  if (found == calls->end()) {
    if (calls->size() < kNestedCallsMax) calls->push_back(std::move(call));
    return;
  }
  ++found->count;
  found->where = std::move(call.where);
}

}  // namespace

std::vector<NestedCall> SequentialReport::ReadNew() {
  std::vector<NestedCall> calls;
  if (path_.empty()) return calls;
  // The task may have put anything there.
  const UniqueFd fd(
      open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  struct stat info;
  if (!fd.valid() || fstat(fd.get(), &info) != 0 || !S_ISREG(info.st_mode)) {
    return calls;
  }
  std::string text(kReportBytesMax, '\0');
  const ssize_t size = pread(fd.get(), text.data(), text.size(), offset_);
  if (size <= 0) return calls;
  // A line that is not complete is read next time.
  const absl::string_view read(text.data(), static_cast<size_t>(size));
  const size_t end = read.rfind('\n');
  if (end == absl::string_view::npos) {
    // No line is that long: what it is part of is no report.
    if (read.size() == kReportBytesMax) offset_ += size;
    return calls;
  }
  offset_ += static_cast<int64_t>(end) + 1;
  for (absl::string_view line : absl::StrSplit(read.substr(0, end), '\n')) {
    const std::vector<absl::string_view> parts = absl::StrSplit(line, '\t');
    if (parts.size() != 4 || parts[0] != kKind) continue;
    AddUp(
        NestedCall{std::string(parts[1]), std::string(parts[2]),
                   NestedCall::Outcome::kSequential, 1, std::string(parts[3])},
        &calls);
  }
  return calls;
}

}  // namespace vigil::worker
