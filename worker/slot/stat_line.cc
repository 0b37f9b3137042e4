#include "worker/slot/stat_line.h"

#include <unistd.h>

#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"

namespace vigil::slot {
namespace {

// Behind the name: see proc(5), where the state is field 3.
constexpr size_t kStateField = 0;
constexpr size_t kParentField = 1;
constexpr size_t kFlagsField = 6;
constexpr size_t kUserTimeField = 11;
constexpr size_t kSystemTimeField = 12;
constexpr size_t kWaitedUserTimeField = 13;
constexpr size_t kWaitedSystemTimeField = 14;
constexpr size_t kThreadsField = 17;
constexpr size_t kStartField = 19;
constexpr size_t kRssField = 21;

// PF_KTHREAD of the kernel's sched.h.
constexpr uint64_t kKernelThreadFlag = 0x00200000;
// PF_EXITING.
constexpr uint64_t kExitingFlag = 0x00000004;

// 0 where there is no such field, or no number in it.
int64_t NumberIn(const std::vector<absl::string_view>& fields, size_t field) {
  int64_t number = 0;
  return field < fields.size() && absl::SimpleAtoi(fields[field], &number)
             ? number
             : 0;
}

}  // namespace

std::optional<StatLine> ParseStatLine(absl::string_view text) {
  const size_t name_begin = text.find(" (");
  const size_t name_end = text.rfind(") ");
  if (name_begin == absl::string_view::npos ||
      name_end == absl::string_view::npos || name_end < name_begin + 2) {
    return std::nullopt;
  }
  const std::vector<absl::string_view> fields = absl::StrSplit(
      absl::StripAsciiWhitespace(text.substr(name_end + 2)), ' ');
  StatLine line;
  uint64_t flags = 0;
  if (fields.size() <= kStartField || fields[kStateField].size() != 1 ||
      !absl::SimpleAtoi(text.substr(0, name_begin), &line.pid) ||
      !absl::SimpleAtoi(fields[kParentField], &line.parent) ||
      !absl::SimpleAtoi(fields[kFlagsField], &flags) ||
      !absl::SimpleAtoi(fields[kThreadsField], &line.threads) ||
      !absl::SimpleAtoi(fields[kStartField], &line.start_ticks)) {
    return std::nullopt;
  }
  line.name =
      std::string(text.substr(name_begin + 2, name_end - name_begin - 2));
  line.state = fields[kStateField][0];
  line.kernel = (flags & kKernelThreadFlag) != 0;
  line.exiting = (flags & kExitingFlag) != 0;
  line.cpu_ticks =
      NumberIn(fields, kUserTimeField) + NumberIn(fields, kSystemTimeField);
  line.waited_cpu_ticks = NumberIn(fields, kWaitedUserTimeField) +
                          NumberIn(fields, kWaitedSystemTimeField);
  line.rss_pages = NumberIn(fields, kRssField);
  return line;
}

uint64_t TicksAt(absl::Duration time) {
  return static_cast<uint64_t>(absl::ToInt64Nanoseconds(time) /
                               absl::ToInt64Nanoseconds(TimeOfTicks(1)));
}

absl::Duration TimeOfTicks(int64_t ticks) {
  static const int64_t ticks_per_second = sysconf(_SC_CLK_TCK);
  return absl::Seconds(1) * ticks / ticks_per_second;
}

}  // namespace vigil::slot
