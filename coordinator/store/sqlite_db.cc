#include "coordinator/store/sqlite_db.h"

#include <cerrno>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "base/check.h"
#include "coordinator/store/limits.h"

namespace vigil::store {
namespace {

// True where the system had no room: SQLite calls a full disk SQLITE_FULL, but
// neither an exhausted quota nor a full disk that has no room for the index of
// the write-ahead log. A failed fsync is never among them: what reached the
// disk is then unknown.
bool IsNoSpace(int extended_code, int system_errno) {
  if (extended_code == SQLITE_FULL) return true;
  return (extended_code == SQLITE_IOERR_WRITE ||
          extended_code == SQLITE_IOERR_SHMSIZE) &&
         (system_errno == ENOSPC || system_errno == EDQUOT);
}

// What SQLite is told to open: only a URI can say that a file is frozen.
std::string NameFor(const std::string& path, SqliteDb::Access access) {
  if (access != SqliteDb::Access::kFrozen) return path;
  const std::string escaped =
      absl::StrReplaceAll(path, {{"%", "%25"}, {"?", "%3f"}, {"#", "%23"}});
  // A path that begins with two slashes would name a host without these.
  const char* scheme = absl::StartsWith(path, "/") ? "file://" : "file:";
  return absl::StrCat(scheme, escaped, "?immutable=1");
}

int FlagsFor(SqliteDb::Access access) {
  constexpr int kCommon = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  switch (access) {
    case SqliteDb::Access::kRead:
      return kCommon | SQLITE_OPEN_READONLY;
    case SqliteDb::Access::kWrite:
      return kCommon | SQLITE_OPEN_READWRITE;
    case SqliteDb::Access::kFrozen:
      return kCommon | SQLITE_OPEN_READONLY | SQLITE_OPEN_URI;
  }
  return kCommon;
}

}  // namespace

absl::StatusOr<std::unique_ptr<SqliteDb>> SqliteDb::Open(
    const std::string& path, Access access) {
  sqlite3* handle = nullptr;
  errno = 0;
  const int code = sqlite3_open_v2(NameFor(path, access).c_str(), &handle,
                                   FlagsFor(access), nullptr);
  if (handle == nullptr) {
    return absl::ResourceExhaustedError(
        absl::StrCat(path, ": no memory to open the database"));
  }
  std::unique_ptr<SqliteDb> db(new SqliteDb(path, handle));
  if (code != SQLITE_OK) return db->Error(code, "open");
  if (access == Access::kWrite && sqlite3_db_readonly(handle, "main") == 1) {
    return absl::PermissionDeniedError(absl::StrCat(
        path,
        ": the database may not be written; make the file writable for "
        "this user, or use another data directory"));
  }
  // Closing it writes nothing: a file that is refused as damaged is left as it
  // was found. Store allows it with its first commit.
  sqlite3_db_config(handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  db->SetBusyTimeout(kBusyTimeout);
  return db;
}

SqliteDb::~SqliteDb() {
  VIGIL_CHECK(sqlite3_close(handle_) == SQLITE_OK,
              "a statement outlived its connection");
}

void SqliteDb::SetBusyTimeout(absl::Duration timeout) {
  sqlite3_busy_timeout(handle_,
                       static_cast<int>(absl::ToInt64Milliseconds(timeout)));
}

absl::Status SqliteDb::Execute(const std::string& sql) {
  errno = 0;
  const int code =
      sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr);
  return code == SQLITE_OK ? absl::OkStatus() : Error(code, sql);
}

absl::StatusOr<std::string> SqliteDb::QueryText(const std::string& sql) {
  sqlite3_stmt* statement = nullptr;
  errno = 0;
  int code = sqlite3_prepare_v2(handle_, sql.c_str(), -1, &statement, nullptr);
  if (code != SQLITE_OK) return Error(code, sql);
  code = sqlite3_step(statement);
  if (code != SQLITE_ROW) {
    const absl::Status error = Error(code, sql);
    sqlite3_finalize(statement);
    return error;
  }
  const void* text = sqlite3_column_blob(statement, 0);
  std::string result;
  if (text != nullptr) {
    result.assign(static_cast<const char*>(text),
                  sqlite3_column_bytes(statement, 0));
  }
  sqlite3_finalize(statement);
  return result;
}

absl::StatusOr<int64_t> SqliteDb::QueryInt(const std::string& sql) {
  absl::StatusOr<std::string> text = QueryText(sql);
  if (!text.ok()) return text.status();
  int64_t number = 0;
  if (!absl::SimpleAtoi(*text, &number)) {
    return absl::InternalError(
        absl::StrCat(path_, ": ", sql, ": not a number: ", *text));
  }
  return number;
}

absl::Status SqliteDb::Error(int code, absl::string_view what) const {
  // SQLite keeps the errno of some failures only, not of a COMMIT's.
  const int system_errno = errno;
  std::string message =
      absl::StrCat(path_, ": ", what, ": ", sqlite3_errmsg(handle_),
                   " (SQLite ", code, ", errno ", system_errno, "); ");
  if (IsNoSpace(code, system_errno)) {
    return absl::UnavailableError(absl::StrCat(
        message, "the disk is full: nothing was written; free space on it"));
  }
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return absl::UnavailableError(absl::StrCat(
          message,
          "another program holds the database: end it; it is tried "
          "again"));
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return absl::DataLossError(absl::StrCat(
          message,
          "the file is damaged or is no database: restore it from a copy, or "
          "save what can be read with `sqlite3 FILE .recover`, or move it away "
          "to start empty"));
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_AUTH:
      return absl::PermissionDeniedError(absl::StrCat(
          message,
          "let this user read and write the file, the files -wal and "
          "-shm beside it, and their directory"));
    case SQLITE_NOMEM:
      return absl::ResourceExhaustedError(
          absl::StrCat(message, "give the process more memory"));
    case SQLITE_IOERR:
      return absl::InternalError(
          absl::StrCat(message,
                       "the disk failed: look at the kernel's log; start again "
                       "when it works"));
    default:
      return absl::InternalError(
          absl::StrCat(message, "this is a bug: please report it"));
  }
}

}  // namespace vigil::store
