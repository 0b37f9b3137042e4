#include "coordinator/backup_command.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/dir_lock.h"
#include "coordinator/default_paths.h"
#include "coordinator/store/store_backup.h"
#include "coordinator/store/store_restore.h"

namespace vigil::coordinator {
namespace {

// As `12 jobs, 81920 bytes`.
std::string Describe(const store::CopyReport& report) {
  return absl::StrCat(report.jobs, report.jobs == 1 ? " job, " : " jobs, ",
                      report.bytes, " bytes");
}

// How long it has taken, to the millisecond.
std::string Since(absl::Time start) {
  return absl::FormatDuration(
      absl::Trunc(absl::Now() - start, absl::Milliseconds(1)));
}

}  // namespace

absl::StatusOr<std::string> RunBackup(const std::string& data_dir,
                                      const std::string& file) {
  const absl::Time start = absl::Now();
  absl::StatusOr<store::CopyReport> report =
      store::BackupStore(DatabasePath(data_dir), file);
  if (!report.ok()) {
    return absl::Status(
        report.status().code(),
        absl::StrCat("no backup was made: ", report.status().message()));
  }
  return absl::StrCat(
      "backed up ", Describe(*report), ", as of ",
      absl::FormatTime(absl::RFC3339_sec, start, absl::UTCTimeZone()), ", to ",
      file, " in ", Since(start));
}

absl::StatusOr<std::string> RunRestore(const std::string& data_dir,
                                       const std::string& file) {
  const absl::Time start = absl::Now();
  absl::StatusOr<DirLock> lock = DirLock::Acquire(data_dir);
  if (!lock.ok()) return lock.status();
  absl::StatusOr<store::RestoreReport> report =
      store::RestoreStore(file, DatabasePath(data_dir));
  if (!report.ok()) return report.status();
  return absl::StrCat(
      "restored ", Describe(report->restored), ", from ", file, " in ",
      Since(start), "; ",
      report->aside.empty()
          ? "there was no database before"
          : absl::StrCat("the database of before is ", report->aside));
}

}  // namespace vigil::coordinator
