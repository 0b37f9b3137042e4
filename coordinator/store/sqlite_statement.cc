#include "coordinator/store/sqlite_statement.h"

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "base/check.h"

namespace vigil::store {
namespace {

// SQLite takes a null pointer for NULL, also of an empty string.
const char* NotNull(absl::string_view bytes) {
  return bytes.data() == nullptr ? "" : bytes.data();
}

}  // namespace

absl::Status SqliteStatement::Prepare(SqliteDb& db, const char* sql) {
  sqlite3_stmt* statement = nullptr;
  errno = 0;
  const int code = sqlite3_prepare_v3(
      db.handle(), sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (code == SQLITE_ERROR) {
    return absl::DataLossError(absl::StrCat(
        db.path(), ": ", sqlite3_errmsg(db.handle()),
        "; the file is damaged: restore it from a copy, or move it away to "
        "start empty"));
  }
  if (code != SQLITE_OK) return db.Error(code, sql);
  db_ = &db;
  statement_.reset(statement);
  return absl::OkStatus();
}

SqliteStatement& SqliteStatement::BindText(int index, absl::string_view text) {
  return Note(sqlite3_bind_text64(statement_.get(), index, NotNull(text),
                                  text.size(), SQLITE_STATIC, SQLITE_UTF8));
}

SqliteStatement& SqliteStatement::BindBlob(int index, absl::string_view bytes) {
  return Note(sqlite3_bind_blob64(statement_.get(), index, NotNull(bytes),
                                  bytes.size(), SQLITE_STATIC));
}

SqliteStatement& SqliteStatement::BindInt(int index,
                                          std::optional<int64_t> number) {
  return Note(number.has_value()
                  ? sqlite3_bind_int64(statement_.get(), index, *number)
                  : sqlite3_bind_null(statement_.get(), index));
}

absl::Status SqliteStatement::Run() {
  return ForEachRow([] { return Visit::kContinue; });
}

absl::Status SqliteStatement::ForEachRow(absl::FunctionRef<Visit()> visitor) {
  VIGIL_CHECK(statement_ != nullptr, "run before Prepare");
  absl::Status status;
  if (bind_code_ != SQLITE_OK) {
    status = db_->Error(bind_code_, "bind a parameter");
  }
  while (status.ok()) {
    errno = 0;
    const int code = sqlite3_step(statement_.get());
    if (code == SQLITE_DONE) break;
    if (code != SQLITE_ROW) {
      status = db_->Error(code, sqlite3_sql(statement_.get()));
    } else if (visitor() == Visit::kStop) {
      break;
    }
  }
  Reset();
  return status;
}

std::string SqliteStatement::ColumnBytes(int index) const {
  // The pointer first: it is what converts, and the size follows it.
  const void* bytes = sqlite3_column_blob(statement_.get(), index);
  if (bytes == nullptr) return std::string();
  return std::string(static_cast<const char*>(bytes),
                     sqlite3_column_bytes(statement_.get(), index));
}

int64_t SqliteStatement::ColumnInt(int index) const {
  return sqlite3_column_int64(statement_.get(), index);
}

bool SqliteStatement::ColumnIsNull(int index) const {
  return sqlite3_column_type(statement_.get(), index) == SQLITE_NULL;
}

SqliteStatement& SqliteStatement::Note(int code) {
  if (bind_code_ == SQLITE_OK) bind_code_ = code;
  return *this;
}

void SqliteStatement::Reset() {
  // Repeats the error of the last step, which was returned already.
  sqlite3_reset(statement_.get());
  sqlite3_clear_bindings(statement_.get());
  bind_code_ = SQLITE_OK;
}

}  // namespace vigil::store
