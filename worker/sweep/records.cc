#include "worker/sweep/records.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/unique_fd.h"
#include "worker/sweep/limits.h"

namespace vigil::sweep {
namespace {

absl::StatusOr<std::string> ReadRecord(const std::string& path) {
  const UniqueFd fd(
      open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW));
  std::string text(kRecordBytesMax, '\0');
  const ssize_t size =
      fd.valid() ? read(fd.get(), text.data(), text.size()) : -1;
  if (size < 0) return absl::ErrnoToStatus(errno, path);
  text.resize(static_cast<size_t>(size));
  return text;
}

}  // namespace

absl::StatusOr<Records> ReadRecords(const std::string& directory) {
  Records records;
  const std::unique_ptr<DIR, int (*)(DIR*)> entries(opendir(directory.c_str()),
                                                    closedir);
  if (entries == nullptr) {
    if (errno == ENOENT) return records;
    return absl::ErrnoToStatus(errno, directory);
  }
  while (const dirent* entry = readdir(entries.get())) {
    const std::string name = entry->d_name;
    int slot = 0;
    if (!absl::SimpleAtoi(name, &slot)) continue;
    const absl::StatusOr<std::string> text =
        ReadRecord(absl::StrCat(directory, "/", name));
    if (!text.ok()) return text.status();
    if (text->empty()) continue;
    absl::StatusOr<slot::Record> record = slot::ParseRecord(*text);
    if (record.ok()) {
      records.files.push_back({name, *std::move(record)});
    } else {
      records.damaged.push_back(name);
    }
  }
  return records;
}

bool IsHere(const slot::Record& record, const slot::HostIdentity& here) {
  return !here.boot_id.empty() && record.host.boot_id == here.boot_id &&
         here.pid_namespace != 0 &&
         record.host.pid_namespace == here.pid_namespace;
}

bool EndedWithItsBoot(const slot::Record& record,
                      const slot::HostIdentity& here) {
  return !here.boot_id.empty() && !record.host.boot_id.empty() &&
         record.host.boot_id != here.boot_id && !here.machine_id.empty() &&
         record.host.machine_id == here.machine_id;
}

Recognised RecordedHere(const Records& records,
                        const slot::HostIdentity& here) {
  Recognised recognised;
  for (const Records::File& file : records.files) {
    if (!IsHere(file.record, here)) continue;
    recognised.emplace(file.record.slot, FoundBy::kSlotRecord);
    for (const slot::ProcessKey& task : file.record.task) {
      recognised.emplace(task, FoundBy::kTaskRecord);
    }
  }
  return recognised;
}

}  // namespace vigil::sweep
