#include "worker/slot/record.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <optional>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/check.h"
#include "base/unique_fd.h"
#include "worker/slot/limits.h"
#include "worker/slot/stat_line.h"

namespace vigil::slot {
namespace {

constexpr char kMagic[] = "vigil-slot";
constexpr char kVersion[] = "2";
// Of earlier builds: the task's line is its own of /proc/self/stat.
constexpr char kStatLineVersion[] = "1";
// Stands for an id that is not known.
constexpr char kUnknown[] = "-";
// Bytes of an id that is believed: a UUID has 36.
constexpr size_t kIdBytesMax = 36;

constexpr size_t kFieldsMin = 6;
constexpr size_t kFieldsMax = 7;

// The word in a file of one line; empty if it is no id.
std::string ReadId(const char* path) {
  const UniqueFd fd(open(path, O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return "";
  std::array<char, 64> buffer;
  const ssize_t size = read(fd.get(), buffer.data(), buffer.size());
  if (size <= 0) return "";
  const absl::string_view id = absl::StripAsciiWhitespace(
      absl::string_view(buffer.data(), static_cast<size_t>(size)));
  for (const char c : id) {
    if (!absl::ascii_isalnum(static_cast<unsigned char>(c)) && c != '-') {
      return "";
    }
  }
  return id.size() > kIdBytesMax ? "" : std::string(id);
}

uint64_t ReadPidNamespace() {
  std::array<char, 64> buffer;
  const ssize_t size =
      readlink("/proc/self/ns/pid", buffer.data(), buffer.size());
  if (size <= 0) return 0;
  absl::string_view text(buffer.data(), static_cast<size_t>(size));
  uint64_t inode = 0;
  if (!absl::ConsumePrefix(&text, "pid:[") ||
      !absl::ConsumeSuffix(&text, "]") || !absl::SimpleAtoi(text, &inode)) {
    return 0;
  }
  return inode;
}

absl::string_view OrUnknown(const std::string& id) {
  return id.empty() ? absl::string_view(kUnknown) : id;
}

std::string IdOf(absl::string_view field) {
  return field == kUnknown ? "" : std::string(field);
}

absl::Status Damaged(absl::string_view what) {
  return absl::DataLossError(
      absl::StrCat("a slot's record is damaged: ", what));
}

}  // namespace

HostIdentity ReadHostIdentity() {
  return {ReadId("/proc/sys/kernel/random/boot_id"), ReadPidNamespace(),
          ReadId("/etc/machine-id")};
}

absl::Status WriteRecordHeader(int fd, const HostIdentity& host,
                               const ProcessKey& slot) {
  std::string header =
      absl::StrCat(kMagic, " ", kVersion, " ", OrUnknown(host.boot_id), " ",
                   host.pid_namespace, " ", slot.pid, " ", slot.start_ticks,
                   " ", OrUnknown(host.machine_id));
  VIGIL_CHECK(header.size() < kRecordHeaderBytes, header);
  header.resize(kRecordHeaderBytes - 1, ' ');
  header += '\n';
  errno = EIO;
  if (pwrite(fd, header.data(), header.size(), 0) !=
          static_cast<ssize_t>(header.size()) ||
      ftruncate(fd, kRecordHeaderBytes) != 0) {
    return absl::ErrnoToStatus(errno, "write a slot's record");
  }
  return absl::OkStatus();
}

absl::StatusOr<Record> ParseRecord(absl::string_view text) {
  if (text.size() < kRecordHeaderBytes ||
      text[kRecordHeaderBytes - 1] != '\n') {
    return Damaged("its header is cut short");
  }
  const std::vector<absl::string_view> fields = absl::StrSplit(
      text.substr(0, kRecordHeaderBytes - 1), ' ', absl::SkipEmpty());
  Record record;
  if (fields.size() < kFieldsMin || fields.size() > kFieldsMax ||
      fields[0] != kMagic ||
      (fields[1] != kVersion && fields[1] != kStatLineVersion) ||
      !absl::SimpleAtoi(fields[3], &record.host.pid_namespace) ||
      !absl::SimpleAtoi(fields[4], &record.slot.pid) ||
      !absl::SimpleAtoi(fields[5], &record.slot.start_ticks)) {
    return Damaged("its header says nothing that is known here");
  }
  record.host.boot_id = IdOf(fields[2]);
  if (fields.size() == kFieldsMax) record.host.machine_id = IdOf(fields[6]);
  const absl::string_view rest = text.substr(kRecordHeaderBytes);
  if (rest.empty() || rest.front() == '\n') return record;
  if (fields[1] == kStatLineVersion) {
    const std::optional<StatLine> task = ParseStatLine(rest);
    if (!task.has_value()) return Damaged("its task's line is cut short");
    record.task.push_back({task->pid, task->start_ticks});
    return record;
  }
  const size_t size = rest.find('\n');
  const std::vector<absl::string_view> task =
      absl::StrSplit(rest.substr(0, size), ' ');
  ProcessKey key;
  uint64_t last = 0;
  if (size == absl::string_view::npos || task.size() != 3 ||
      !absl::SimpleAtoi(task[0], &key.pid) ||
      !absl::SimpleAtoi(task[1], &key.start_ticks) ||
      !absl::SimpleAtoi(task[2], &last) || last < key.start_ticks) {
    return Damaged("its task's line is cut short");
  }
  if (last - key.start_ticks > kStartTicksRangeMax) {
    return Damaged("its task was started by a slot that was stopped meanwhile");
  }
  const uint64_t range = last - key.start_ticks;
  for (uint64_t i = 0; i <= range; ++i) {
    record.task.push_back({key.pid, key.start_ticks + i});
  }
  return record;
}

}  // namespace vigil::slot
